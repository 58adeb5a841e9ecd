"""`demo`: deliver a Current's events end to end on this machine."""

from __future__ import annotations

import threading
import time
from typing import Annotated, Any

import attrs
import typer

from ..catalog import Catalog
from ..current import Current
from ..delivery import Attempt, Backoff, Drop, Hooks, Result, Sender
from ..receiver import Receiver, ScriptedResponse, listen
from ..receiver.page import Page
from ..simulation import World
from ._counts import print_counts
from ._exit_codes import NOT_ALL
from ._kept import SenderHealth, send_journeys
from ._options import AsJson, CatalogDir
from ._result import print_result
from ._signals import on_interrupt
from ._streams import print_json, print_line
from ._tables import print_table, progress
from ._tour import print_next, print_story
from ._wording import counted

__all__ = ["run"]

_USERS = 50
_TOKEN = "demo"  # noqa: S105 - only the demo's own receiver accepts it
#: Faults that a Current recovers from by itself: an overloaded receiver, a lost connection, and a
#: lost response to events that were taken, which are then delivered twice.
_FAULTS = (
    ScriptedResponse(503, retry_after=0.2),
    ScriptedResponse("reset"),
    ScriptedResponse(500, keep=True),
)


def run(
    *,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed gives the same world.")] = 1,
    keep: Annotated[
        bool,
        typer.Option(
            "--keep",
            help="Keep the receiver and its page, and send journeys to it, until interrupted.",
        ),
    ] = False,
    catalog_dir: CatalogDir = None,
    as_json: AsJson = False,
) -> None:
    """Send one event of each type to a local receiver that fails at first, and report."""
    world = World(seed, users=_USERS, catalog=Catalog.load(directory=catalog_dir))
    receiver = Receiver(bearer_tokens=[_TOKEN], script=_FAULTS, catalog=world.catalog)
    health = SenderHealth()
    page = Page(receiver, health=health, catalog=world.catalog) if keep else None
    with listen(receiver, page=page) as url:
        shown = _deliver(world, url)
        missing = shown.result.delivered - len({event["id"] for event in receiver.events})
        _print(shown, world, receiver, url, missing, keep=keep, as_json=as_json)
        if keep:
            stop = threading.Event()
            with on_interrupt(stop.set):
                send_journeys(
                    world,
                    _current(world, url),
                    health,
                    stop,
                    seed=seed,
                    after_each=receiver.events.clear,
                )
    if not shown.result.complete or missing:
        raise typer.Exit(NOT_ALL)


def _print(
    shown: _Delivery,
    world: World,
    receiver: Receiver,
    url: str,
    missing: int,
    *,
    keep: bool,
    as_json: bool,
) -> None:
    if as_json:
        print_json(
            shown.result.to_dict()
            | {
                "drops": [drop._asdict() for drop in shown.drops],
                "faults": [_described(each) for each in shown.retried],
                "missing": missing,
                "received": receiver.counts.to_dict(),
            }
            | ({"page": f"{url}/"} if keep else {})
        )
        return
    print_story(world)
    listens = "listens" if keep else "listened"
    print_line(f"A receiver {listens} on {url}; a Current sent it one event of each type.")
    print_line()
    print_line("What failed, and what the sender did:")
    print_table(
        dict.fromkeys(("event type", "attempt", "response", "action"), ""),
        (
            (each.event_type, each.number, each.response, each.action.description)
            for each in shown.retried
        ),
    )
    print_line()
    print_line("What the sender reports:")
    print_result(shown.result, shown.drops, by_event_type=not shown.result.complete)
    print_line()
    print_line("What the receiver reports:")
    print_counts(receiver.counts)
    print_line(f"{counted(missing, 'delivered event')} missing there")
    if keep:
        print_line()
        print_line("A journey of a user follows every second; interrupt to stop (Ctrl-C).")
        print_line(f"watch what arrives at {url}/")
    elif shown.result.complete:
        print_next()


@attrs.frozen
class _Delivery:
    """What the sender reported."""

    result: Result
    attempts: list[Attempt]
    drops: list[Drop]

    @property
    def retried(self) -> list[Attempt]:
        """Every attempt of the event types that needed more than one."""
        again = {each.event_type for each in self.attempts if each.number > 1}
        attempts = [each for each in self.attempts if each.event_type in again]
        return sorted(attempts, key=lambda each: (each.event_type, each.number))


def _described(attempt: Attempt) -> dict[str, Any]:
    return {
        "event_type": attempt.event_type,
        "attempt": attempt.number,
        "response": str(attempt.response),
        "action": attempt.action,
    }


def _deliver(world: World, url: str) -> _Delivery:
    """Send one event of each type to the receiver at `url`."""
    attempts: list[Attempt] = []
    drops: list[Drop] = []
    with progress("delivered") as advance:
        hooks = Hooks(
            on_attempt=attempts.append,
            on_delivered=lambda _, ids: advance(len(ids)),
            on_dropped=drops.append,
        )
        wait = Backoff(initial=0.05, maximum=0.5)
        with Sender(_current(world, url), wait=wait, pause_after=30, hooks=hooks) as sender:
            now = int(time.time())
            sender.send_test_events(lambda each: world.sample(each, time=now))
        return _Delivery(sender.result, attempts, drops)


def _current(world: World, url: str) -> Current:
    return Current(
        integration_name="demo",
        contact_email="demo@example.com",
        endpoint=f"{url}/currents",
        bearer_token=_TOKEN,
        include_anonymous=True,
        catalog_dir=world.catalog.directory,
    )
