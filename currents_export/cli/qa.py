"""`qa`: say whether a RudderStack source is right."""

from __future__ import annotations

import ssl
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Annotated

import attrs
import typer

from .._files import STDOUT
from ..catalog import EventType
from ..current import Current
from ..delivery import Result, Sender, SendRecord
from ..errors import ReadError
from ..events import Event
from ..receiver.rudderstack import load_mapping
from ..simulation import World
from ..verification import Report, Verdict, sentence
from ._current import load_current
from ._delivery import Delivery
from ._exit_codes import BAD_INPUT, INTERRUPTED, NOT_ALL
from ._options import (
    AsJson,
    CaFile,
    CatalogDir,
    ClientCert,
    ClientKey,
    CurrentFile,
    ExactlyOnce,
    GiveUpAfter,
    MappingFile,
    ScenarioFile,
    Seed,
    ShowPersonalData,
)
from ._qa import RunFiles, Traffic, arrivals_from, compare
from ._report import HtmlFile, JunitFile, check_files, now_text, write_files
from ._streams import print_error, print_json, print_line, print_note
from ._time import parse_end
from ._tls import read_context
from ._wording import counted
from ._world import begin_of, describe, new_world, read_scenario
from .verify import print_report

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
            show_envvar=False,
            metavar="TOKEN",
            help="With --listen: a bearer token that the webhook destination must send; can be "
            "given more than once. The variable CURRENTS_RECEIVER_BEARER_TOKEN can hold one, too.",
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
        typer.Option(
            min=1, metavar="N", help=f"The number of events; {_COUNT:,} without --scenario."
        ),
    ] = None,
    scenario_file: ScenarioFile = None,
    seed: Seed = None,
    start: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="The time of the first event, in ISO 8601, UTC by default. The scenario's by "
            "default, or now; a day ago without --scenario.",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="The time after the last event, or quiet."),
    ] = None,
    no_test_events: Annotated[
        bool,
        typer.Option(
            "--no-test-events",
            help="Do not send a test event of each type first, as Braze's form does. By default, "
            "they are compared like the others.",
        ),
    ] = False,
    mapping: MappingFile = None,
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
    exactly_once: ExactlyOnce = False,
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
    show_personal_data: ShowPersonalData = False,
    as_json: AsJson = False,
) -> None:
    """Send traffic, take what RudderStack makes of it, and say whether the source is right.

    It checks the credentials, sends a test event of each type and then the traffic, and waits until
    nothing new arrives. Then it compares: each message must be the one that RudderStack's Braze
    source makes of the event, and arrive.

    The exit code is 0 if everything arrived as it should have, 1 if something did not or could not
    be sent, and 2 if an input could not be used. Ctrl-C ends it with what is known so far, and 130.
    """
    _check_combination(to, received, capture=capture)
    check_files(html, junit, received, record, capture)
    chosen = load_current(current, catalog_dir)
    context = read_context(ca_file=ca_file, client_cert=client_cert, client_key=client_key)
    names = None if mapping is None else load_mapping(mapping)
    scenario = read_scenario(scenario_file, chosen.catalog)
    world, used = new_world(
        seed, users=None if scenario else _USERS, catalog=chosen.catalog, scenario=scenario
    )
    began = begin_of(start, world.scenario)
    if start is None and scenario is None:
        began -= _AGO
    ends = world.scenario.end(began) if until is None else parse_end(until)
    if count is None and ends is None:
        count = _COUNT
    events = islice(world.events(start=began, until=ends), count)
    traffic = Traffic(None if no_test_events else _test_event(world), events)
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="currents-export-")))
        files = RunFiles.choose(place, record=record, capture=capture)
        kept = stack.enter_context(SendRecord(Path(files.record)))
        delivery = Delivery(chosen, source=traffic, record=kept)
        stack.enter_context(delivery.interruptible())
        with arrivals_from(to, received, bearer_tokens=bearer_token or (), files=files) as arrivals:
            if not _check_credentials(chosen, context):
                raise typer.Exit(NOT_ALL)
            repeating = describe(scenario_file, used, began)
            if count is not None:
                repeating = f"--count {count} {repeating}"
            print_note(f"'generate' with {repeating} prints the traffic")
            sender = delivery.run(
                traffic.send, ssl_context=context, pause_after=give_up_after or None
            )
            is_recorded = not delivery.end_record()
            if not (kept.lines and sender.result.accepted):
                print_error("nothing was sent, so there is nothing to compare")
                raise typer.Exit(INTERRUPTED if delivery.interrupted else BAD_INPUT)
            print_note(
                f"{counted(sender.result.delivered, 'event')} delivered; waiting until nothing has "
                f"arrived for {settle:g} s"
            )
            is_settled = traffic.settle(arrivals, settle=settle, timeout=timeout)
        unreadable: list[ReadError] = []
        report = compare(
            files.record,
            arrivals.name,
            mapping=names,
            late_after=late_after,
            exactly_once=exactly_once,
            on_unreadable=unreadable.append,
        )
        for error in unreadable:
            print_error(error)
        is_written = write_files(
            report,
            html=html,
            junit=junit,
            title=chosen.integration_name,
            details=_details(chosen, repeating, delivery, is_settled=is_settled),
            personal_data=show_personal_data,
        )
        outcome = _Outcome(
            report,
            delivery,
            sender.result,
            is_settled=is_settled,
            is_whole=is_recorded and is_written and not unreadable,
        )
        outcome.print(as_json=as_json, personal_data=show_personal_data)
    if code := outcome.exit_code:
        raise typer.Exit(code)


@attrs.frozen
class _Outcome:
    """What a run found.

    Attributes:
        report: the comparison.
        delivery: the delivery.
        result: the sender's result.
        is_settled: whether nothing new arrived any more.
        is_whole: whether everything could be read and written.
    """

    report: Report
    delivery: Delivery
    result: Result
    is_settled: bool
    is_whole: bool

    @property
    def unsent(self) -> int:
        """How many events could not be sent."""
        return self.result.pending + self.delivery.not_taken

    @property
    def exit_code(self) -> int:
        """The exit code of the command."""
        if self.delivery.interrupted:
            return INTERRUPTED
        if not self.is_whole:
            return BAD_INPUT
        is_right = self.report.verdict is Verdict.RIGHT and self.result.complete
        return 0 if is_right and not self.unsent else NOT_ALL

    def print(self, *, as_json: bool, personal_data: bool) -> None:
        """Print the report, and the verdict in a sentence at the end."""
        if as_json:
            facts = {
                "sentence": sentence(self.report),
                "settled": self.is_settled,
                "interrupted": self.delivery.interrupted,
                "not_taken": self.delivery.not_taken,
                "delivery": self.result.to_dict(),
            }
            print_json(facts | self.report.to_dict(personal_data=personal_data))
        else:
            print_report(self.report, personal_data=personal_data)
            so_far = "so far: " if self.delivery.interrupted else ""
            print_line(f"{so_far}{sentence(self.report)}")
        if self.unsent:
            because = f": {self.result.reason}" if self.result.reason else ""
            what = "were not" if self.delivery.interrupted else "could not be"
            print_error(f"{counted(self.unsent, 'event')} {what} sent{because}")
        if not self.report.received:
            print_note("nothing arrived at all: check where RudderStack's destination sends to")


def _details(
    current: Current, traffic: str, delivery: Delivery, *, is_settled: bool
) -> dict[str, str]:
    """Return what the page says about the run."""
    details = {"Destination": current.shown_url, "Traffic": traffic, "At": now_text()}
    if delivery.interrupted:
        details["Interrupted"] = "this is what was known by then"
    elif not is_settled:
        details["Not settled"] = "messages were still arriving"
    return details


def _check_combination(
    to: str | None,
    received: str | None,
    *,
    capture: str | None,
) -> None:
    if (to is None) == (received is None):
        raise typer.BadParameter(
            "give --listen HOST:PORT, where RudderStack's webhook destination sends to, or "
            "--received FILE, where another program writes what arrives"
        )
    if received is not None and capture is not None:
        raise typer.BadParameter("--capture needs --listen")
    if received == STDOUT:
        raise typer.BadParameter("--received must name a file")


def _test_event(world: World) -> Callable[[EventType], Event]:
    now = int(time.time())

    def make(event_type: EventType) -> Event:
        return world.placeholder(event_type, time=now)

    return make


def _check_credentials(current: Current, context: ssl.SSLContext | None) -> bool:
    with Sender(current, ssl_context=context) as sender:
        found = sender.check_credentials()
    print_note(f"credentials: {found.message}")
    # If a response says nothing about them, sending shows whether they are accepted.
    if found.holds is False or found.status is None:
        print_error("nothing was sent, because the credentials could not be confirmed")
        return False
    return True
