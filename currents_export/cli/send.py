"""`send`: send events to the Current's destination."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ..delivery import PendingFile
from ..errors import ReadError
from ..events import Event
from ..payload import BATCH_SIZE
from ..reading import StoppableEvents
from ._current import load_current
from ._delivery import Delivery
from ._input import note_terminal
from ._options import (
    AllowEmpty,
    AsJson,
    CaFile,
    CatalogDir,
    ClientCert,
    ClientKey,
    CurrentFile,
    Files,
    GiveUpAfter,
    Timeout,
)
from ._streams import print_error
from ._tls import read_context

__all__ = ["run"]


def run(
    files: Files = None,
    *,
    current: CurrentFile = None,
    catalog_dir: CatalogDir = None,
    batch_size: Annotated[
        int, typer.Option(min=1, help="The maximum number of events in a request.")
    ] = BATCH_SIZE,
    max_age: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            help="How long an event waits for its batch to fill before the input ends.",
        ),
    ] = 300.0,
    concurrency: Annotated[
        int, typer.Option(min=1, help="The maximum number of requests in flight.")
    ] = 2,
    timeout: Timeout = 30.0,
    ca_file: CaFile = None,
    client_cert: ClientCert = None,
    client_key: ClientKey = None,
    give_up_after: GiveUpAfter = 60.0,
    pending: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write the events that could not be sent."),
    ] = None,
    allow_empty: AllowEmpty = False,
    as_json: AsJson = False,
) -> None:
    """Send events from files or standard input as the Current does.

    Events may be JSON Lines, a JSON array, or request bodies. Events that cannot be sent are
    reported, and written to the file that --pending names. Standard input cannot be read twice, so
    its unsent events are always written, by default to a file named after the time.

    Ctrl-C ends the command cleanly: unsent events are reported and written as well. A second Ctrl-C
    ends it immediately.
    """
    chosen = load_current(current, catalog_dir)
    context = read_context(ca_file=ca_file, client_cert=client_cert, client_key=client_key)
    file = _pending_file(pending, reads_stdin="-" in (files or ["-"]))
    note_terminal(files)
    source = StoppableEvents(files)
    delivery = Delivery(chosen, on_stop=source.stop)
    events = _events(source, delivery)
    with delivery.interruptible():
        sender = delivery.run(
            lambda sender: sender.send(events),
            batch_size=batch_size,
            max_age=max_age,
            concurrency=concurrency,
            timeout=timeout,
            ssl_context=context,
            pause_after=give_up_after or None,
        )
        delivery.conclude(
            sender, rest=events, pending=file, allow_empty=allow_empty, as_json=as_json
        )


def _pending_file(path: Path | None, *, reads_stdin: bool) -> PendingFile | None:
    if path is not None:
        return PendingFile(path)
    if not reads_stdin:
        return None
    now = time.strftime("%Y%m%dT%H%M%S")
    return PendingFile(Path(f"currents-export-pending-{now}-{os.getpid()}.jsonl"))


def _events(source: StoppableEvents, delivery: Delivery) -> Iterator[Event]:
    for item in source:
        if isinstance(item, ReadError):
            delivery.unread += 1
            print_error(item)
        else:
            yield item
