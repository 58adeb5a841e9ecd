"""No event type holds up another."""

from __future__ import annotations

import contextlib
import inspect
import socket
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import tenacity

from currents_export.delivery import Action, Hooks, ManualClock, Response, Sender, State
from currents_export.delivery._batches import Batch
from currents_export.delivery._core import Core
from currents_export.delivery._room import Room
from currents_export.delivery._scheduler import Scheduler
from currents_export.errors import QueueFullError, SenderClosedError
from currents_export.events import Event
from tests.support.currents import custom
from tests.support.events import CLICK, OPEN, event, make_events
from tests.support.senders import PATIENCE, abandoned, adds_up
from tests.support.servers import Responding, events_of, keep_alive_server, read_request

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"


class Judge:
    """A server that counts its requests, and responds 503 to some event types."""

    def __init__(self, failing: Sequence[str]) -> None:
        self.failing = set(failing)
        self.types: list[str] = []
        self.ready = threading.Event()
        self._lock = threading.Lock()

    def serve(self, connection: socket.socket) -> None:
        while request := read_request(connection):
            event_type = request.split(b'"event_type":"')[1].split(b'"')[0].decode()
            with self._lock:
                self.types.append(event_type)
            self.ready.wait(PATIENCE)
            connection.sendall(UNAVAILABLE if event_type in self.failing else OK)


def run(
    failing: int, rounds: int, *, at_once: bool = False, **options: Any
) -> tuple[Judge, list[str], Sender]:
    """Send some events of each type until all events of the types that do not fail arrived.

    The server responds when all events are accepted, or at once. While few are, failing types have
    the turns that nobody else wants.
    """
    types = sorted(custom().selected)
    judge = Judge(types[::9][:failing])
    healthy = [each for each in types if each not in judge.failing]
    left = len(healthy) * rounds
    done = threading.Event()

    def on_delivered(_: str, ids: tuple[str, ...]) -> None:
        nonlocal left
        left -= len(ids)
        if not left:
            done.set()

    with keep_alive_server(judge.serve) as url:
        sender = Sender(
            custom(url),
            batch_size=1,
            clock=ManualClock(),  # each request takes as long as another
            hooks=Hooks(on_delivered=on_delivered),
            **options,
        )
        if at_once:
            judge.ready.set()
        with abandoned(sender):
            sender.send(
                event(1_000 * number + place, each)
                for number in range(rounds)
                for place, each in enumerate(types)
            )
            assert sender.result.accepted == len(types) * rounds
            judge.ready.set()
            assert done.wait(PATIENCE)
            assert adds_up(sender.result)
            assert sender.result.state is State.ACTIVE
    return judge, healthy, sender


@pytest.mark.parametrize("wait", [None, tenacity.wait_none()], ids=["backoff", "no wait"])
def test_failing_types_take_nothing_from_others(wait: Any) -> None:
    """With 10 failing types, the others get 90 % of the requests they get when none fails."""
    rounds = 4
    requests = len(custom().selected) * rounds
    reached = []
    for failing in (0, 10):
        judge, healthy, _ = run(failing, rounds, wait=wait)
        counts = Counter(judge.types[:requests])
        reached.append(sum(counts[each] for each in healthy) / len(healthy))
    assert reached[1] >= 0.9 * reached[0]


def events_reached(failing: Sequence[str], seconds: float = 60.0) -> Counter[str]:
    """Simulate a sender with the default limits, and more events of each type than it can send.

    A request takes 0.2 s; failed batches are sent again with exponential backoff. Return how many
    events of each type were delivered.
    """
    limits = inspect.signature(Sender).parameters
    types = sorted(custom().selected)
    core = Core(
        Scheduler(
            batch_size=limits["batch_size"].default,
            max_age=limits["max_age"].default,
            room=Room(
                limits["max_pending_events"].default,
                limits["max_pending_bytes"].default,
                len(types),
            ),
            concurrency=limits["concurrency"].default,
        ),
        pause_after=None,
    )
    offers = {each: [(each, "id", b"x" * 1_000, None)] * 20 for each in types}
    now, in_flight = 0.0, deque[Batch]()
    while now < seconds:
        waiting = set(types)
        while took := {each for each in sorted(waiting) if core.accept(offers[each], now)}:
            waiting = took
        while (batch := core.take(now, wanted=set(types))) is not None:
            in_flight.append(batch)
        batch = in_flight.popleft()
        now = max(now, batch.sent_at + 0.2)
        fails = batch.event_type in failing
        status, action = (503, Action.RETRY) if fails else (200, Action.DELIVERED)
        wait = min(2.0**batch.attempts, 60.0)
        core.respond(batch, Response(status), action, now, resumes=0, wait=wait)
        core.happenings.clear()
    totals = core.ledger.totals_by_type()
    return Counter({each: totals[each].delivered for each in types})


def test_failing_types_take_no_events_from_others() -> None:
    """With 10 failing types, the others get 90 % of the events they get when none fails."""
    types = sorted(custom().selected)
    failing = types[::9][:10]
    usual, beside = events_reached([]), events_reached(failing)
    healthy = [each for each in types if each not in failing]
    assert all(usual[each] for each in healthy)
    assert not any(beside[each] for each in failing)
    ratio = sum(beside[each] for each in healthy) / sum(usual[each] for each in healthy)
    assert ratio >= 0.9
    assert min(beside[each] for each in healthy) >= 0.9 * min(usual[each] for each in healthy)


def test_failing_types_leave_room_for_others() -> None:
    """Ten times as many events as there is room for, with pending failures all the time."""
    types = len(custom().selected)
    _, healthy, sender = run(5, 10, at_once=True, max_pending_events=types)
    delivered = sender.result.by_event_type
    assert all(delivered[each].delivered == 10 for each in healthy)


def test_large_run_delivers_all_good_events() -> None:
    """Five types fail all the time, for longer than `pause_after`; nothing else stays pending."""
    types = sorted(custom().selected)
    failing = set(types[::20][:5])
    good = [number for number in range(40_000) if types[number % len(types)] not in failing]
    left, done = len(good), threading.Event()

    def on_delivered(_: str, ids: tuple[str, ...]) -> None:
        nonlocal left
        left -= len(ids)
        if not left:
            done.set()

    def response(request: Any) -> int:
        clock.advance(1.0)
        return 503 if events_of(request)[0]["event_type"] in failing else 200

    clock = ManualClock()
    began = clock.now()
    sender = Sender(
        custom(),
        transport=Responding(response),
        clock=clock,
        pause_after=60,
        hooks=Hooks(on_delivered=on_delivered),
    )
    with abandoned(sender):
        sender.send([event(number, types[number % len(types)]) for number in range(40_000)])
        sender.flush(timeout=0.0)
        assert done.wait(PATIENCE)
        result = sender.result
    assert clock.now() - began > 300
    assert (result.delivered, result.pending) == (len(good), 40_000 - len(good))
    assert result.state is State.ACTIVE


def test_full_failing_type_blocks_only_itself() -> None:
    """One thread waits for room for a type that fails, another sends a healthy type."""

    pending: list[int] = []

    def response(request: Any) -> int:
        pending.append(sender.result.pending)
        return 503 if events_of(request)[0]["event_type"] == CLICK else 200

    sender = Sender(
        custom(event_types=[OPEN, CLICK]),
        transport=Responding(response),
        clock=ManualClock(),
        batch_size=2,
        max_pending_events=40,
    )
    with abandoned(sender):
        with pytest.raises(QueueFullError):
            sender.send(make_events(40, CLICK), block=False)
        blocked = threading.Thread(target=ignoring(lambda: sender.send(event(41, CLICK))))
        blocked.start()
        sender.send(make_events(100))
        assert sender.result.by_event_type[OPEN].accepted == 100
        sender.flush(timeout=0.0)
        assert blocked.is_alive()
        assert sender.result.by_event_type[CLICK].pending == 30  # its part and the common half
        assert 30 < max(pending) <= 40
    blocked.join(PATIENCE)
    assert not blocked.is_alive()


def ignoring(call: Callable[[], object]) -> Callable[[], None]:
    """Return the call without its errors."""

    def quiet() -> None:
        with contextlib.suppress(SenderClosedError):
            call()

    return quiet


def test_failed_type_is_asked_again_beside_another() -> None:
    """With one request at a time, a type that fails forever does not delay another's retry."""
    asked: Counter[str] = Counter()
    again = threading.Event()

    def response(request: Any) -> int:
        kind = events_of(request)[0]["event_type"]
        asked[kind] += 1
        if kind == OPEN and asked[OPEN] > 1:
            again.set()
            return 200
        return 503

    options: dict[str, Any] = {"batch_size": 1, "concurrency": 1}
    sender = Sender(
        custom(), transport=Responding(response), clock=ManualClock(skip=PATIENCE), **options
    )
    with abandoned(sender):
        sender.send([event(0), event(1, CLICK)])
        assert again.wait(PATIENCE)


def test_success_of_another_type_is_no_unbroken_failure() -> None:
    """`pause_after` counts from the last success of any type."""
    clock = ManualClock(skip=PATIENCE)
    began = clock.now()
    sent: list[Event] = []

    def response(request: Any) -> int:
        if events_of(request)[0]["event_type"] == OPEN:
            return 200
        if clock.now() - began < 3_000 and len(sent) < 1_000:
            sent.append(event(len(sent)))
            sender.send(sent[-1], block=False)
        return 503

    sender = Sender(
        custom(), transport=Responding(response), clock=clock, batch_size=1, pause_after=600
    )
    with abandoned(sender):
        sender.send(event(0, CLICK))
        result = sender.flush()
        assert result.state is State.PAUSED
        assert clock.now() - began >= 3_000
        assert result.by_event_type[OPEN].delivered == len(sent)
