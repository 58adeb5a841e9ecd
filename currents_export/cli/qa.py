"""`qa`: say whether a RudderStack source is right."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import attrs
import typer

from ..catalog import EventType
from ..current import Current
from ..delivery import CredentialsCheck, Result, Sender
from ..errors import ReadError
from ..events import Event
from ..receiver.rudderstack import load_mapping
from ..simulation import World
from ..verification import Report, Verdict, sentence
from ._current import load_current
from ._exit_codes import BAD_INPUT, INTERRUPTED, NOT_ALL
from ._options import (
    AsJson,
    CaFile,
    CatalogDir,
    ClientCert,
    ClientKey,
    CurrentFile,
    GiveUpAfter,
    ScenarioFile,
    Seed,
)
from ._qa import (
    Arrivals,
    FileArrivals,
    Traffic,
    compare,
    delivery_for,
    new_file,
    parse_address,
    receiving,
)
from ._report import HtmlFile, JunitFile, check_files, print_report, write_files
from ._streams import print_error, print_json, print_line, print_note
from ._time import parse_end
from ._tls import read_context
from ._wording import counted
from ._world import begin_of, describe, new_world, read_scenario

__all__ = ["run"]

_COUNT, _USERS = 1_000, 1_000
#: The seconds before now at which traffic without a start begins, so that it is not in the future.
_AGO = 86_400


def run(
    *,
    current: CurrentFile = None,
    catalog_dir: CatalogDir = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--listen",
            metavar="HOST:PORT",
            help="Take what RudderStack's webhook destination sends to this address, such as "
            "127.0.0.1:8090.",
        ),
    ] = None,
    bearer_token: Annotated[
        list[str] | None,
        typer.Option(
            envvar="CURRENTS_RECEIVER_BEARER_TOKEN",
            help="With --listen: a bearer token that the webhook destination must send; can be "
            "given more than once.",
        ),
    ] = None,
    received: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Instead of --listen: a file that another program writes the arrivals to, such "
            "as a capture of serve. It is read when it has stopped growing.",
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(min=1, help=f"The number of events; {_COUNT:,} without --scenario."),
    ] = None,
    scenario_file: ScenarioFile = None,
    seed: Seed = None,
    start: Annotated[
        str | None,
        typer.Option(
            help="The time of the first event, in ISO 8601, UTC by default. The scenario's by "
            "default, or now; a day ago without --scenario."
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="The time after the last event, or quiet.")
    ] = None,
    test_events: Annotated[
        bool,
        typer.Option(
            help="Send a test event of each type first, as Braze's form does. They are compared "
            "like the others."
        ),
    ] = True,
    mapping: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The custom mapping of RudderStack's source, from event types to event names, as "
            "JSON or TOML.",
        ),
    ] = None,
    settle: Annotated[
        float,
        typer.Option(
            min=0, metavar="SECONDS", help="Compare when nothing new has come for this long."
        ),
    ] = 60.0,
    timeout: Annotated[
        float,
        typer.Option(
            min=0, metavar="SECONDS", help="Compare at the latest this long after the last event."
        ),
    ] = 1800.0,
    give_up_after: GiveUpAfter = 60.0,
    ca_file: CaFile = None,
    client_cert: ClientCert = None,
    client_key: ClientKey = None,
    late_after: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Report events that took longer to arrive."),
    ] = None,
    exactly_once: Annotated[
        bool, typer.Option("--exactly-once", help="Exit with 1 if there are duplicates, too.")
    ] = False,
    in_order: Annotated[
        bool, typer.Option("--in-order", help="Exit with 1 if events are reordered, too.")
    ] = False,
    record: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Keep what was sent in this new file, for verify --sent."
        ),
    ] = None,
    capture: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="With --listen: keep what arrived in this new file, for verify --received.",
        ),
    ] = None,
    html: HtmlFile = None,
    junit: JunitFile = None,
    show_personal_data: Annotated[
        bool, typer.Option("--show-personal-data", help="Show the texts of altered fields.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send traffic, take what RudderStack makes of it, and say whether the source is right.

    It checks the credentials, sends a test event of each type and then the traffic, and waits until
    nothing new arrives. Then it compares: each message must be the one that RudderStack's Braze
    source makes of the event, and arrive.

    The exit code is 0 if everything arrived as it should have, 1 if something did not or could not
    be sent, and 2 if an input could not be used. Ctrl-C ends it with what is known so far, and 130.
    """
    _check_combination(to, received, bearer_token=bearer_token, capture=capture)
    check_files(html, junit, received, record, capture)
    chosen = load_current(current, catalog_dir)
    context = read_context(ca_file=ca_file, client_cert=client_cert, client_key=client_key)
    names = None if mapping is None else load_mapping(mapping)
    world, events, note = _make(
        chosen, scenario_file, seed=seed, start=start, until=until, count=count
    )
    now = int(time.time())

    def test_event(event_type: EventType) -> Event:
        return world.placeholder(event_type, time=now)

    traffic = Traffic(test_event if test_events else None, events)
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="currents-export-")))
        sent = new_file("--record", record, place / "sent.jsonl")
        captured = new_file("--capture", capture, place / "received.jsonl")
        delivery = delivery_for(chosen, traffic, sent)
        stack.enter_context(delivery.interruptible())
        arrivals: Arrivals
        with ExitStack() as listening:
            if to is None:
                arrivals = FileArrivals(received or "")
            else:
                address = parse_address(to)
                arrivals = listening.enter_context(
                    receiving(address, bearer_tokens=bearer_token or (), file=captured)
                )
                print_note(f"listening on {arrivals.url}")
            with Sender(chosen, ssl_context=context) as checking:
                credentials = checking.check_credentials()
            print_note(f"credentials: {credentials.message}")
            if not credentials.holds:
                print_error("nothing was sent, because the credentials were not accepted")
                raise typer.Exit(NOT_ALL)
            print_note(note)
            sender = delivery.run(
                traffic.send, ssl_context=context, pause_after=give_up_after or None
            )
            delivery.close_record()
            result = sender.result
            print_note(
                f"delivered {counted(result.delivered, 'event')}; waiting until nothing has "
                f"arrived for {settle:g} s"
            )
            is_settled = traffic.settle(arrivals, settle=settle, timeout=timeout)
        unreadable: list[ReadError] = []
        report = compare(
            sent,
            arrivals.name,
            mapping=names,
            late_after=late_after,
            exactly_once=exactly_once,
            in_order=in_order,
            on_unreadable=unreadable.append,
        )
        for error in unreadable:
            print_error(error)
        is_written = write_files(
            report,
            html=html,
            junit=junit,
            title=chosen.integration_name,
            details=_details(chosen, result, is_settled=is_settled, note=note),
            personal_data=show_personal_data,
        )
        if as_json:
            facts = {
                "settled": is_settled,
                "interrupted": delivery.interrupted,
                "credentials": credentials.to_dict(),
                "delivery": result.to_dict(),
            }
            print_json(
                {"sentence": sentence(report)}
                | report.to_dict(personal_data=show_personal_data)
                | facts
            )
        else:
            print_report(report, personal_data=show_personal_data)
