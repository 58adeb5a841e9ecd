"""`Context`: what all rules know of the stream, and what they still wait for."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import Generic, Protocol, TypeVar

import attrs

from ._finding import IncoherenceFinding
from ._seen import Kind, Seen

__all__ = ["Check", "Context", "Expectation", "UserCheck"]


S = TypeVar("S")


@attrs.define(eq=False)
class Expectation:
    """Something that must happen before a time.

    Attributes:
        due: the last second in which it may happen.
        user: the user it concerns.
        finding: the finding if it does not happen.
        met: whether it happened, or is no longer expected.
    """

    due: int
    user: str | None
    finding: IncoherenceFinding
    met: bool = False


class Context:
    """What the rules of one stream share.

    Attributes:
        whole: whether the stream begins at the beginning and lacks nothing.
        types: the event types that have occurred so far.
        since: the time of each user's first event.
    """

    def __init__(self, *, whole: bool) -> None:
        self.whole = whole
        self.types: set[str] = set()
        self.since: dict[str, int] = {}
        self._unclear: set[str] = set()
        self._expected: list[tuple[int, int, Expectation]] = []
        self._count = 0

    def is_whole(self, user: str | None) -> bool:
        """Return whether all events of a user so far are known."""
        return self.whole and user not in self._unclear

    def knows(self, user: str | None, time: int, span: int) -> bool:
        """Return whether all events of a user in the `span` seconds before a time are known."""
        if user is None:
            return False
        return self.is_whole(user) or self.since.get(user, time) < time - span

    def forget_user(self, user: str, now: int) -> None:
        """Treat a user's past as unknown."""
        self._unclear.add(user)
        self.since[user] = now
        for _, _, each in self._expected:
            if each.user == user:
                each.met = True

    def expect(self, event: Seen, due: int, finding: IncoherenceFinding) -> Expectation:
        """Wait for something that an event leads to, until a time."""
        made = Expectation(due, event.user, finding)
        self._count += 1
        heapq.heappush(self._expected, (due, self._count, made))
        return made

    def overdue(self, now: int) -> Iterator[IncoherenceFinding]:
        """Yield the findings of everything that should have happened before now."""
        while self._expected and self._expected[0][0] < now:
            _, _, expectation = heapq.heappop(self._expected)
            if not expectation.met:
                yield expectation.finding


class Check(Protocol):
    """A small state machine that holds a stream against one rule."""

    def concerns(self, kind: Kind) -> bool:
        """Return whether the rule needs the events of a type."""
        ...

    def feed(self, event: Seen) -> Iterable[IncoherenceFinding]:
        """Take the next event, in order of time, and yield its findings."""
        ...

    def forget_user(self, user: str) -> None:
        """Treat a user's past as unknown."""
        ...

    def forget(self, now: int) -> None:
        """Drop what can no longer lead to a finding."""
        ...


class UserCheck(Generic[S]):
    """The base of rules with a state for each user.

    Attributes:
        context: what is known of the stream.
        states: the state of each user.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self.states: dict[str, S] = {}

    def forget_user(self, user: str) -> None:
        """Treat a user's past as unknown."""
        self.states.pop(user, None)

    def forget(self, now: int) -> None:
        """Drop what can no longer lead to a finding: here, nothing."""
