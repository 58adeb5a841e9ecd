"""Senders that stop early, logs of their hooks, and clocks that react to their waits."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import attrs

from currents_export.delivery import (
    Attempt,
    Drop,
    FilterReason,
    Hooks,
    ManualClock,
    Notice,
    NoticeKind,
    Result,
    Sender,
)
from currents_export.events import Event
from tests.support.currents import custom
from tests.support.servers import Responding

__all__ = [
    "PATIENCE",
    "HookLog",
    "LeapingClock",
    "abandoned",
    "adds_up",
    "assert_threads_end",
    "stuck",
    "worker_threads",
]

#: Seconds after which a test gives up, and the longest backoff that the `clock` fixture skips.
PATIENCE = 60.0


@attrs.define
class HookLog:
    """Everything that a sender passed to its hooks."""

    attempts: list[Attempt] = attrs.field(factory=list)
    delivered: list[str] = attrs.field(factory=list)
    drops: list[Drop] = attrs.field(factory=list)
    filtered: list[tuple[Event, FilterReason]] = attrs.field(factory=list)
    notices: list[Notice] = attrs.field(factory=list)

    @property
    def hooks(self) -> Hooks:
        return Hooks(
            on_attempt=self.attempts.append,
            on_delivered=lambda _, ids: self.delivered.extend(ids),
            on_dropped=self.drops.append,
            on_filtered=lambda event, reason: self.filtered.append((event, reason)),
            on_notice=self.notices.append,
        )

    @property
    def statuses(self) -> list[int | None]:
        return [attempt.response.status for attempt in self.attempts]

    @property
    def kinds(self) -> list[NoticeKind]:
        return [notice.kind for notice in self.notices]


@contextlib.contextmanager
def abandoned(sender: Sender) -> Iterator[Sender]:
    """Close a sender without waiting, for tests in which events stay pending."""
    try:
        yield sender
    finally:
        sender.close(timeout=0)


def stuck(**options: Any) -> Sender:
    """Make a sender whose events do not leave: all responses are 503 and its clock stands still."""
    return Sender(custom(), transport=Responding(lambda _: 503), clock=ManualClock(), **options)


def adds_up(result: Result) -> bool:
    """Return whether every accepted event is delivered, dropped or pending."""
    return result.accepted == result.delivered + result.dropped + result.pending


def worker_threads() -> set[threading.Thread]:
    """Return the threads of all senders."""
    return {each for each in threading.enumerate() if each.name == "currents-export"}


def assert_threads_end(before: set[threading.Thread]) -> None:
    """Wait until all threads of senders but these have ended; one of them may start another."""
    until = time.monotonic() + PATIENCE
    while (left := worker_threads() - before) and time.monotonic() < until:
        for thread in left:
            thread.join(0.1)
    assert not left


class LeapingClock(ManualClock):
    """A manual clock that leaps to the end of each wait of the thread that made it."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.current_thread()

    def timeout(self, until: float | None) -> float:
        if until is not None and threading.current_thread() is self._thread:
            self.advance(until - self.now())
        return super().timeout(until)
