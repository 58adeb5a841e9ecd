"""`send`: send events to the Current's destination."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer

from ..catalog import Catalog
from ..delivery import AsRecorded, Durability, SendRecord
from ..errors import OptionError, ReadError
from ..events import Event
from ..payload import BATCH_SIZE
from ..reading import StoppableEvents, reads_once
from ..simulation import KeyRecord
from ._by_file import ByFile, ReadingStoppedError
from ._current import load_current
from ._delivery import Delivery
from ._input import note_terminal
from ._options import (
    AllowEmpty,
    AsJson,
    BatchSize,
    CaFile,
    CatalogDir,
    ClientCert,
    ClientKey,
    Concurrency,
    CurrentFile,
    Files,
    GiveUpAfter,
    KeptFor,
    OutboxFile,
    ScenarioFile,
    Timeout,
    UnsentFile,
)
from ._paced import PacedEvents
from ._pending import PendingFile
from ._streams import print_error, print_note
from ._time import parse_end
from ._tls import read_context
from ._world import begin_of, describe, new_world, read_scenario

__all__ = ["run"]


def run(
    files: Files = None,
    *,
    current: CurrentFile = None,
    catalog_dir: CatalogDir = None,
    scenario_file: ScenarioFile = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="With --scenario: override its seed.")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="With --scenario: the time of the first event, in ISO 8601, UTC by default. The "
            "scenario's by default, or now.",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="With --scenario: the time after the last event, or quiet."
        ),
    ] = None,
    pace: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            help="With --scenario: how many times as fast as they arrive events are sent; 1 is "
            "real time. As fast as possible by default.",
        ),
    ] = None,
    batch_size: BatchSize = BATCH_SIZE,
    max_age: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            help="How long an event waits for its batch to fill before the input ends.",
        ),
    ] = 300.0,
    concurrency: Concurrency = 2,
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
    pending: UnsentFile = None,
    outbox: OutboxFile = None,
    durability: KeptFor = Durability.PROCESS,
    record: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Append each event to it as it was sent, with the attempt, the status and the "
            "times, as JSON Lines; verify --sent reads it. '-' is standard output.",
        ),
    ] = None,
    allow_empty: AllowEmpty = False,
    as_json: AsJson = False,
) -> None:
    """Send events from files or standard input, or those of a scenario, as the Current does.

    Events may be JSON Lines, a JSON array, or request bodies. Events that cannot be sent are
    reported, and written to the file that --pending names; if that file is the input, the unsent
    events replace it. Standard input and pipes cannot be read twice, so their unsent events are
    always written, by default to a file named after the time. The events of a scenario are
    generated while they are sent, as generate does; only those that were generated are pending.

    With --outbox, events are kept in a file until they are delivered, and only events that could
    not be accepted are written elsewhere. Repeat the command if it was cut off: events of regular
    files that were accepted before are not accepted again.

    Ctrl-C, SIGTERM and SIGHUP end the command cleanly: unsent events are reported and written as
    well. A second Ctrl-C also stops reading files.
    """
    of_scenario = {"--seed": seed, "--start": start, "--until": until, "--pace": pace}
    _check_combination(scenario_file, files, of_scenario)
    if recorded and rate is not None:
        raise OptionError("--rate and --as-recorded cannot be given together")
    if speed is not None and not recorded:
        raise OptionError("--speed is only for --as-recorded")
    if recorded and scenario_file is not None:
        raise OptionError("--as-recorded is for files; --pace is for the events of a scenario")
    chosen = load_current(current, catalog_dir)
    context = read_context(ca_file=ca_file, client_cert=client_cert, client_key=client_key)
    note = ""
    kept = None if record is None else _open_record(record, [*(files or ()), pending])
    if scenario_file is None:
        file = _pending_file(pending, files or ["-"])
        note_terminal(files)
        source = StoppableEvents(files)
        delivery = Delivery(chosen, source=source, pending=file, outbox=outbox, record=kept)
        delivery.share_read = source.share_read
        read = _events(source, delivery)
        if recorded:
            read = delivery.pace = AsRecorded(read, speed=1.0 if speed is None else speed)
        by_file = ByFile(read, source)
        events = rest = iter(by_file)
    else:
        file = None if pending is None else PendingFile(pending)
        made, note = _generate(
            scenario_file, chosen.catalog, seed=seed, start=start, until=until, pace=pace
        )
        delivery = Delivery(chosen, source=made, pending=file, outbox=outbox, record=kept)
        by_file = None
        events, rest = iter(made), iter(())
    with delivery.interruptible():
        if note:
            print_note(note)
        sender = delivery.run(
            by_file.send if by_file and outbox else lambda sender: sender.send(events),
            durability=durability,
            batch_size=batch_size,
            max_age=max_age,
            concurrency=concurrency,
            rate=rate,
            timeout=timeout,
            ssl_context=context,
            pause_after=give_up_after or None,
        )
        delivery.conclude(sender, rest=rest, allow_empty=allow_empty, as_json=as_json)


def _check_combination(
    scenario_file: Path | None, files: list[str] | None, of_scenario: Mapping[str, object]
) -> None:
    if scenario_file is not None and files:
        raise typer.BadParameter("--scenario generates the events; it excludes files")
    for name, value in of_scenario.items():
        if value is not None and scenario_file is None:
            raise typer.BadParameter(f"{name} needs --scenario")
    pace = of_scenario["--pace"]
    if isinstance(pace, float) and not pace > 0:
        raise typer.BadParameter(f"--pace is {pace}; it must be more than 0")


def _generate(
    file: Path,
    catalog: Catalog,
    *,
    seed: int | None,
    start: str | None,
    until: str | None,
    pace: float | None,
) -> tuple[PacedEvents, str]:
    """Return the events of a scenario, generated while they are sent, and how to repeat them."""
    scenario = read_scenario(file, catalog)
    world, chosen = new_world(seed, users=None, catalog=catalog, scenario=scenario)
    began = begin_of(start, world.scenario)
    note = f"'generate' with {describe(file, chosen, began)} prints these events"
    end = None if until is None else parse_end(until)
    latest: deque[KeyRecord] = deque(maxlen=1)
    events = world.events(start=began, until=end, key=None if pace is None else latest.append)

    def arrival(event: Event) -> int:
        return event.time if latest[0].arrival is None else latest[0].arrival

    return PacedEvents(events, start=began, pace=pace, arrival=arrival), note


def _open_record(name: str, others: Iterable[str | None]) -> SendRecord:
    if any(each is not None and Path(each).resolve() == Path(name).resolve() for each in others):
        raise typer.BadParameter(f"--record {name} is another file of this command, too")
    return SendRecord(name)


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
        if delivery.outbox is not None and delivery.interrupted and not source.is_stoppable:
            print_note(f"{source.reading} was not read to its end; the same command reads the rest")
            raise ReadingStoppedError
        if isinstance(item, ReadError):
            delivery.unread += 1
            print_error(item)
        else:
            yield item
