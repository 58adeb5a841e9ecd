"""`outbox`: show what is in an outbox, send it, write it, or erase it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from .._files import standard_output
from ..delivery import Sender, State
from ..delivery.outbox import Contents, SqliteOutbox, export_events, read_contents
from ..errors import OptionError
from ._current import load_current
from ._delivery import Delivery
from ._exit_codes import BAD_INPUT
from ._options import (
    AsJson,
    CaFile,
    CatalogDir,
    ClientCert,
    ClientKey,
    Concurrency,
    CurrentFile,
    GiveUpAfter,
    Timeout,
)
from ._streams import print_error, print_json, print_line, writing_output
from ._tables import print_table
from ._tls import read_context
from ._wording import counted

__all__ = ["run"]

#: How many dropped events the text output lists; JSON has more.
_MOST_DROPS = 10


def run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file of the outbox.")],
    *,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Enable the Current again, and send the pending events."),
    ] = False,
    export: Annotated[
        bool, typer.Option("--export", help="Write the pending events as JSON Lines.")
    ] = False,
    purge: Annotated[
        bool, typer.Option("--purge", help="Erase the pending events and all totals.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Erase without asking.")] = False,
    current: CurrentFile = None,
    catalog_dir: CatalogDir = None,
    new_destination: Annotated[
        bool,
        typer.Option(
            "--new-destination", help="Send to the Current's URL even if the outbox has another."
        ),
    ] = False,
    concurrency: Concurrency = 2,
    timeout: Timeout = 30.0,
    ca_file: CaFile = None,
    client_cert: ClientCert = None,
    client_key: ClientKey = None,
    give_up_after: GiveUpAfter = 60.0,
    as_json: AsJson = False,
) -> None:
    """Show what is in an outbox, or send, write or erase it.

    Without an option, the pending events are counted by type, with the time of the oldest one, the
    state of the Current, and the failures. --resume sends them with the Current that --current
    names, --export writes them, and --purge erases them after asking.
    """
    if resume + export + purge > 1:
        raise OptionError("choose one of --resume, --export and --purge")
    if export:
        _export(file)
        return
    contents = read_contents(file, time.time())
    if purge:
        _purge(file, contents, yes=yes)
    elif resume:
        chosen = load_current(current, catalog_dir)
        context = read_context(ca_file=ca_file, client_cert=client_cert, client_key=client_key)
        if new_destination:
            held = SqliteOutbox(file, None)
            try:
                held.use(chosen)
            finally:
                held.close(time.time())
        delivery = Delivery(chosen, outbox=file)
        with delivery.interruptible():
            sender = delivery.run(
                Sender.resume,
                concurrency=concurrency,
                timeout=timeout,
                ssl_context=context,
                pause_after=give_up_after or None,
            )
            delivery.conclude(sender, allow_empty=True, as_json=as_json)
    elif as_json:
        print_json(contents.to_dict())
    else:
        _show(contents)


def _export(file: Path) -> None:
    damaged = 0
    with writing_output():
        stream = standard_output()
        for each in export_events(file):
            if each.body is None:
                damaged += 1
            else:
                stream.write((each.original or each.body) + b"\n")
        stream.flush()
    if damaged:
        print_error(f"{file}: {counted(damaged, 'event')} could not be read: damaged")
        raise typer.Exit(BAD_INPUT)


def _purge(file: Path, contents: Contents, *, yes: bool) -> None:
    what = f"{counted(contents.pending, 'pending event')} in {file}"
    if not yes:
        typer.confirm(f"Erase {what}, which will not be sent?", default=False, abort=True, err=True)
    held = SqliteOutbox(file, None)
    try:
        held.purge()
    finally:
        held.close(time.time())
    print_line(f"erased {what}")


def _show(contents: Contents) -> None:
    print_table(
        {"event type": "left"}
        | dict.fromkeys(("accepted", "delivered", "dropped", "pending"), "right")
        | {"oldest pending": "left"},
        (
            (name, each.accepted, each.delivered, each.dropped, each.pending, _time(each.oldest))
            for name, each in contents.by_event_type.items()
        ),
    )
    print_line()
    where = f" of {contents.integration_name} to {contents.url}" if contents.url else ""
    print_line(f"{counted(contents.pending, 'pending event')}{where}")
    if contents.oldest is not None:
        print_line(f"the oldest was accepted {_time(contents.oldest)}")
    if contents.delivered_today:
        print_line(f"delivered on this day in UTC: {contents.delivered_today:,}")
    status = contents.status
    since = "" if status.since is None else f" since {_time(status.since)}"
    because = f": {status.reason}" if status.reason else ""
    print_line(f"the Current is {status.state}{since}{because}")
    if status.gave_up:
        print_line("the next command with this outbox tries again")
    if status.state is State.ACTIVE and status.began_failing is not None:
        print_line(f"requests have failed since {_time(status.began_failing)}")
    for reason, count in contents.drop_reasons.items():
        print_line(f"dropped {count:,}: {reason.description}")
    for drop in contents.drops[-_MOST_DROPS:]:
        print_line(f"  {drop.event_type} {drop.id}: {drop.response or drop.reason.description}")
    if contents.holder is not None:
        print_line(f"in use by {contents.holder}")


def _time(at: float | None) -> str:
    return "" if at is None else time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))
