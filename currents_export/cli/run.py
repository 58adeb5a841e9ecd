"""`run`: send the traffic of a world as it happens."""

from __future__ import annotations

import contextlib
import math
import random
import time
from typing import Annotated, Literal

import attrs
import typer

from ..current import Current
from ..delivery import Durability, Sender
from ..errors import OptionError
from ..payload import BATCH_SIZE
from ..simulation import Scenario, World
from ._current import load_current
from ._delivery import Delivery
from ._exit_codes import NOT_ALL
from ._live import LiveEvents, made_by, sends, size_for, warm_up
from ._metrics import Metrics, parse_address
from ._options import (
    AsJson,
    BatchSize,
    CaFile,
    CatalogDir,
    ClientCert,
    ClientKey,
    Concurrency,
    CurrentFile,
    KeptFor,
    OutboxFile,
    ScenarioFile,
    Seed,
    Timeout,
    UnsentFile,
)
from ._pending import PendingFile
from ._streams import print_note
from ._time import parse_duration
from ._tls import read_context
from ._wording import counted
from ._world import read_scenario

__all__ = ["run"]

#: Events a second, if neither the command nor a scenario says how much traffic there is.
_RATE = 10.0
#: Seconds without a success after which traffic of a given duration ends.
_PATIENCE = 60.0
#: An event that is later than this (seconds) is worth a note at the end.
_LATE = 5.0


def run(
    *,
    current: CurrentFile = None,
    catalog_dir: CatalogDir = None,
    rate: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            help="About how many events a second happen; it decides how many users there are. By "
            "default, a scenario's own rate or users, or 10 without a scenario.",
        ),
    ] = None,
    duration: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="How long the traffic lasts, such as 90s, 10m or 2h."),
    ] = None,
    forever: Annotated[
        bool,
        typer.Option("--forever", help="Send until interrupted, for example in staging."),
    ] = False,
    scenario_file: ScenarioFile = None,
    seed: Seed = None,
    workers: Annotated[
        int, typer.Option(metavar="N", min=1, max=64, help="How many processes make the events.")
    ] = 1,
    metrics: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Serve metrics for Prometheus there, such as 127.0.0.1:9464. Install "
            "currents-export with the extra metrics for that.",
        ),
    ] = None,
    batch_size: BatchSize = BATCH_SIZE,
    max_age: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            help="How long an event waits for its batch to fill; in Braze, 300.",
        ),
    ] = 5.0,
    concurrency: Concurrency = 2,
    timeout: Timeout = 30.0,
    ca_file: CaFile = None,
    client_cert: ClientCert = None,
    client_key: ClientKey = None,
    give_up_after: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=0,
            help="Pause and end after this time without a success; 0 retries for five days, as "
            "Braze does. By default 60, and 0 with --forever.",
        ),
    ] = None,
    pending: UnsentFile = None,
    outbox: OutboxFile = None,
    durability: KeptFor = Durability.PROCESS,
    as_json: AsJson = False,
) -> None:
    """Send the traffic of a world as it happens, without a file in between.

    Users live from now on, in real time, and each event is sent when it happens. Only events that
    the Current sends are made. A scenario begins now, whatever start it has.

    Ctrl-C, SIGTERM and SIGHUP end the traffic; accepted events still leave, for up to 10 seconds,
    and a second Ctrl-C does not wait for that. With --forever, this is the usual end, and the exit
    code is 0 if everything was delivered.
    """
    lasts = _duration(duration, forever=forever)
    if rate is not None and not rate > 0:
        raise typer.BadParameter(f"--rate is {rate:g}; it must be more than 0")
    address = None if metrics is None else parse_address(metrics)
    chosen = load_current(current, catalog_dir)
    context = read_context(ca_file=ca_file, client_cert=client_cert, client_key=client_key)
    file = None if pending is None else PendingFile(pending)
    scenario = read_scenario(scenario_file, chosen.catalog)
    number = seed
    if number is None:
        number = scenario.seed if scenario else random.SystemRandom().randrange(2**32)
    source = _traffic(chosen, scenario, number, rate=rate, lasts=lasts, workers=workers)
    delivery = Delivery(
        chosen, source=source, pending=file, outbox=outbox, live=True, forever=forever
    )
    delivery.share_read = source.share_passed
    with contextlib.ExitStack() as stack:
        measured = None
        if address is not None:
            measured = Metrics(chosen, late=lambda: source.late)
            url = stack.enter_context(measured.serving(*address))
            print_note(f"metrics are at {url}")
            delivery.on_attempt = measured.observe
        stack.enter_context(delivery.interruptible())

        def work(sender: Sender) -> None:
            if measured is not None:
                measured.watch(lambda: sender.result)
            sender.send(iter(source))

        sender = delivery.run(
            work,
            durability=durability,
            batch_size=batch_size,
            max_age=max_age,
            concurrency=concurrency,
            timeout=timeout,
            ssl_context=context,
            pause_after=_patience(give_up_after, forever=forever),
        )
        if source.late > _LATE:
            print_note(
                f"at the end, events were {source.late:.0f} seconds late: this machine or the "
                "receiver is too slow for that rate; --workers makes events faster"
            )
        delivery.conclude(sender, allow_empty=forever, as_json=as_json)
        if source.failure is not None:
            raise typer.Exit(NOT_ALL)


def _duration(text: str | None, *, forever: bool) -> int | None:
    if forever and text is not None:
        raise typer.BadParameter("--duration and --forever exclude each other")
    if forever:
        return None
    if text is None:
        raise typer.BadParameter("give --duration, such as 10m, or --forever")
    return parse_duration("--duration", text)


def _patience(seconds: float | None, *, forever: bool) -> float | None:
    """Return the seconds without a success after which the traffic ends; None for never."""
    if seconds is None:
        return None if forever else _PATIENCE
    return seconds or None


def _traffic(
    current: Current,
    scenario: Scenario | None,
    seed: int,
    *,
    rate: float | None,
    lasts: int | None,
    workers: int,
) -> LiveEvents:
    """Return the events of a world from now on, and print how much traffic that is."""
    selected = set(current.selected)
    names = [
        each.name
        for each in current.catalog.select(*(scenario or Scenario()).event_types)
        if each.name in selected
    ]
    if not names:
        raise OptionError("the Current selects none of the scenario's event types")
    if rate is None:
        rate = _RATE if scenario is None else scenario.rate
    start = int(time.time())
    begin = start if rate is None else start - warm_up(rate, workers)
    options = {"start": begin, "event_types": names}
    users, pace, about = None, 1.0, ""
    if rate is not None:
        print_note(f"finding out how many users make {rate:g} events a second")
        size = size_for(rate, current, seed, options, after=start, lasts=lasts, scenario=scenario)
        users, pace = size.users, size.pace
        about = f" make about {rate:g} events a second"
    if pace > 1 and rate is not None and lasts is not None:
        # The time of the world, which passes faster, is the present at the end.
        start -= int((pace - 1) * lasts)
        options["start"] = begin = start - warm_up(rate / pace, workers)
        about += f", living {pace:g} times as fast as in reality"
    scenario = None if scenario is None else attrs.evolve(scenario, rate=None)
    world = World(seed, users=users, catalog=current.catalog, scenario=scenario)
    end = _end(world.scenario, start)
    if lasts is not None:
        last = start + math.ceil(lasts * pace)
        end = last if not isinstance(end, int) else min(end, last)
    print_note(f"{counted(len(world.users), 'user')}{about}; --seed {seed} makes the same world")
    traffic = LiveEvents(
        made_by(world, workers, options | {"until": end}),
        start=start,
        lasts=lasts,
        is_sent=sends(current),
        pace=pace,
    )
    traffic.prepare()
    return traffic


def _end(scenario: Scenario, start: int) -> int | Literal["quiet"] | None:
    """Return when a scenario that begins at `start` ends; it has no end if that is a fixed time."""
    until = scenario.until
    fixed = until is not None and until != "quiet" and until.time is not None
    return None if fixed else scenario.end(start)
