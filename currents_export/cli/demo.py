"""`demo`: a Current delivered end to end on this machine."""

from __future__ import annotations

import time
from typing import Annotated, Any

import httpx
import typer

from ..current import Current
from ..delivery import Attempt, Backoff, Drop, Hooks, Result, Sender
from ..receiver import Counts, Receiver, ScriptedResponse, listen
from ..simulation import World
from ._delivery import print_result
from ._output import NOT_ALL, AsJson, print_json, print_table, progress, say
from ._receiver import print_counts

__all__ = ["demo"]

_USERS = 50
_TOKEN = "demo"  # noqa: S105 - it opens nothing but the demo's own receiver
#: Trouble that a Current gets over by itself: an overloaded receiver, a connection lost, and an
#: response lost behind events that were taken, which are then delivered twice.
_TROUBLE = (
    ScriptedResponse(503, retry_after=0.2),
    ScriptedResponse("reset"),
    ScriptedResponse(500, keep=True),
)
_COLUMNS = ("event_type", "attempt", "response", "action")


def demo(
    *,
    seed: Annotated[int, typer.Option(help="The same seed gives the same world.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Start a receiver, send it one event of every type through some trouble, and show it all."""
    world = World(seed, users=_USERS)
    attempts: list[Attempt] = []
    drops: list[Drop] = []
    receiver = Receiver(bearer_tokens=[_TOKEN], script=_TROUBLE)
    with listen(receiver) as url, progress("delivered") as advance:
        current = Current(
            integration_name="demo",
            contact_email="demo@example.com",
            endpoint=f"{url}/currents",
            bearer_token=_TOKEN,
        )
        hooks = Hooks(
            on_attempt=attempts.append,
            on_delivered=lambda _, ids: advance(len(ids)),
            on_dropped=drops.append,
        )
        backoff = Backoff(initial=0.05, maximum=0.5)
        with (
            httpx.HTTPTransport() as transport,  # whatever proxy the environment names
            Sender(
                current, backoff=backoff, pause_after=30, hooks=hooks, transport=transport
            ) as sender,
        ):
            now = int(time.time())
            sender.send_test_events(lambda each: world.sample(each, time=now))
        result = sender.result
    missing = result.delivered - len({event["id"] for event in receiver.events})
    if as_json:
        print_json(
            result.to_dict()
            | {
                "drops": [drop._asdict() for drop in drops],
                "trouble": [dict(zip(_COLUMNS, row, strict=True)) for row in _troubled(attempts)],
                "missing": missing,
                "received": receiver.counts.to_dict(),
            }
        )
    else:
        _show(
            url,
            attempts=attempts,
            result=result,
            drops=drops,
            counts=receiver.counts,
            missing=missing,
        )
    if not result.complete or missing:
        raise typer.Exit(NOT_ALL)


def _show(
    url: str,
    *,
    attempts: list[Attempt],
    result: Result,
    drops: list[Drop],
    counts: Counts,
    missing: int,
) -> None:
    say(f"A receiver listened on {url}; a Current sent it one event of each type.")
    say()
    say("What did not go smoothly, and what was done about it:")
    print_table(dict.fromkeys(_COLUMNS, "left"), _troubled(attempts))
    say()
    say("What the sender says:")
    print_result(result, drops, by_event_type=not result.complete)
    say()
    say("What the receiver says:")
    print_counts(counts)
    say(f"{missing:,} delivered events are missing there")


def _troubled(attempts: list[Attempt]) -> list[tuple[Any, ...]]:
    """Every attempt of the batches that needed more than one."""
    again = {each.event_type for each in attempts if each.number > 1}
    rows = [each for each in attempts if each.event_type in again]
    rows.sort(key=lambda each: (each.event_type, each.number))
    return [(each.event_type, each.number, str(each.response), each.action.value) for each in rows]
