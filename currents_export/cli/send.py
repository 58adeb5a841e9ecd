"""`send`: send events to the Current's destination."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Annotated

import typer

from ..delivery import AsRecorded
from ..errors import OptionError, ReadError
from ..events import Event
from ..payload import BATCH_SIZE
from ..reading import StoppableEvents, reads_once
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
from ._pending import PendingFile
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
    rate: Annotated[
        float | None,
        typer.Option(
            metavar="N", help="Send N events a second on average, evenly, retries included."
        ),
    ] = None,
    recorded: Annotated[
        bool,
        typer.Option(
            "--as-recorded", help="Keep the distances between the times of the events of the input."
        ),
    ] = False,
    speed: Annotated[
        float | None,
        typer.Option(metavar="N", help="With --as-recorded: N times faster than they happened."),
    ] = None,
    timeout: Timeout = 30.0,
    ca_file: CaFile = None,
    client_cert: ClientCert = None,
    client_key: ClientKey = None,
    give_up_after: GiveUpAfter = 60.0,
    pending: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Append the events that could not be sent to it; '-' is standard output, and the "
            "result goes to standard error then.",
        ),
    ] = None,
    allow_empty: AllowEmpty = False,
    as_json: AsJson = False,
) -> None:
    """Send events from files or standard input as the Current does.

    Events may be JSON Lines, a JSON array, or request bodies. Events that cannot be sent are
    reported, and written to the file that --pending names; if that file is the input, the unsent
    events replace it. Standard input and pipes cannot be read twice, so their unsent events are
    always written, by default to a file named after the time.

    Ctrl-C, SIGTERM and SIGHUP end the command cleanly: unsent events are reported and written as
    well. A second Ctrl-C stops reading files as well.
    """
    if recorded and rate is not None:
        raise OptionError("--rate and --as-recorded cannot be given together")
    if speed is not None and not recorded:
        raise OptionError("--speed is only for --as-recorded")
    chosen = load_current(current, catalog_dir)
    context = read_context(ca_file=ca_file, client_cert=client_cert, client_key=client_key)
    file = _pending_file(pending, files or ["-"])
    note_terminal(files)
    source = StoppableEvents(files)
    delivery = Delivery(chosen, source=source, pending=file)
    events = _events(source, delivery)
    if recorded:
        events = delivery.pace = AsRecorded(events, speed=1.0 if speed is None else speed)
    with delivery.interruptible():
        sender = delivery.run(
            lambda sender: sender.send(events),
            batch_size=batch_size,
            max_age=max_age,
            concurrency=concurrency,
            rate=rate,
            timeout=timeout,
            ssl_context=context,
            pause_after=give_up_after or None,
        )
        delivery.conclude(sender, rest=events, allow_empty=allow_empty, as_json=as_json)


def _pending_file(name: str | None, files: list[str]) -> PendingFile | None:
    if name is not None:
        return PendingFile(name, inputs=files)
    if not any(map(reads_once, files)):
        return None
    now = time.strftime("%Y%m%dT%H%M%S")
    try:
        return PendingFile(f"currents-export-pending-{now}-{os.getpid()}.jsonl")
    except OptionError as error:
        raise OptionError(f"{error}; --pending names another file") from error


def _events(source: StoppableEvents, delivery: Delivery) -> Iterator[Event]:
    for item in source:
        if isinstance(item, ReadError):
            delivery.unread += 1
            print_error(item)
        else:
            yield item
