"""`trigger`: send one journey of one user."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated

import typer

from ..events import Event
from ..simulation import World
from ._current import load_current
from ._delivery import Delivery
from ._options import (
    AsJson,
    CaFile,
    CatalogDir,
    ClientCert,
    ClientKey,
    CurrentFile,
    GiveUpAfter,
    Seed,
    Timeout,
    UnsentFile,
)
from ._paced import PacedEvents
from ._pending import PendingFile
from ._story import Outcome, Set, StoryName, UserNumber, Users, parse_properties
from ._streams import print_note
from ._tls import read_context
from ._wording import counted
from ._world import new_world

__all__ = ["run"]


def run(
    name: StoryName,
    *,
    current: CurrentFile = None,
    catalog_dir: CatalogDir = None,
    outcome: Outcome = None,
    user: UserNumber = None,
    properties: Set = None,
    real_time: Annotated[
        bool,
        typer.Option(
            "--real-time",
            help="Begin now, and send each event when it happens; a journey can take days.",
        ),
    ] = False,
    seed: Seed = None,
    users: Users = 1_000,
    timeout: Timeout = 30.0,
    ca_file: CaFile = None,
    client_cert: ClientCert = None,
    client_key: ClientKey = None,
    give_up_after: GiveUpAfter = 60.0,
    pending: UnsentFile = None,
    as_json: AsJson = False,
) -> None:
    """Send one journey of one user as the Current does.

    By default the journey has already happened: its events have the times that they would have, the
    last one is not later than now, and all are sent at once.

    Ctrl-C, SIGTERM and SIGHUP end the command cleanly, as they end send: what was accepted and not
    delivered is reported, and so is the rest of the journey; --pending FILE saves both.
    """
    chosen = load_current(current, catalog_dir)
    context = read_context(ca_file=ca_file, client_cert=client_cert, client_key=client_key)
    world, number = new_world(seed, users=users, catalog=chosen.catalog)
    values = parse_properties(properties, chosen.catalog)
    now = int(time.time())

    def journey(start: int) -> list[Event]:
        return world.journey(name, user=user, start=start, outcome=outcome, **values)

    start, all_events = (now, journey(now)) if real_time else _until(now, journey)
    file = None if pending is None else PendingFile(pending)
    source = PacedEvents(all_events, start=start, pace=1.0 if real_time else None)
    events = iter(source)
    delivery = Delivery(chosen, source=source, pending=file)
    delivery.share_read = lambda: source.taken / len(all_events)
    repeat = _describe(world, all_events)
    print_note(f"{repeat}; 'journey' with --seed {number} --start {start} prints them")
    with delivery.interruptible():
        sender = delivery.run(
            lambda sender: sender.send(events),
            # Events that are sent as they happen do not wait for others.
            max_age=1.0 if real_time else 300.0,
            timeout=timeout,
            ssl_context=context,
            pause_after=give_up_after or None,
        )
        delivery.conclude(sender, rest=all_events[source.taken :], as_json=as_json)


def _until(now: int, journey: Callable[[int], list[Event]]) -> tuple[int, list[Event]]:
    """Return a start, and the journey that begins then and has ended by now."""
    start = now
    events = journey(start)
    # Another start gives other delays.
    while (late := events[-1].time - now) > 0:
        start -= late
        events = journey(start)
    return start, events


def _describe(world: World, events: list[Event]) -> str:
    first = events[0].user.get("user_id")
    lasts = events[-1].time - events[0].time
    days, rest = divmod(lasts, 86_400)
    long = f"{days} d " if days else ""
    return (
        f"{counted(len(events), 'event')} of user {first} of {world.brand}, over "
        f"{long}{rest // 3600} h {rest % 3600 // 60} min"
    )
