"""`CurrentsReceiver`: a receiver for tests, with assertions that read as sentences."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

import attrs
import orjson
from starlette.applications import Starlette
from starlette.routing import Mount

from ..events import Event
from ..payload import encode_event
from ..receiver import Counts, Receiver, ScriptedResponse, listen, parse_script
from ._diff import describe_differences

__all__ = ["CurrentsReceiver"]

#: How many ids a message lists.
_MOST = 10
_NORMAL = ScriptedResponse("ok")


@attrs.define
class _Scripted:
    """A response, and to how many requests it is still given; None for all."""

    response: ScriptedResponse
    left: int | None


def _play(scripted: deque[_Scripted]) -> Iterator[ScriptedResponse]:
    """Yield a response for each request, without an end; the script may change meanwhile."""
    while True:
        if not scripted:
            yield _NORMAL
            continue
        first = scripted[0]
        if first.left is not None:
            first.left -= 1
            if not first.left:
                scripted.popleft()
        yield attrs.evolve(first.response, times=1)


class CurrentsReceiver:
    """A receiver for tests, in this process or on a socket.

    Give it to `current_for` to reach it without a socket, or use its `url`. Close it, or use it as
    a context manager, if it does not come from a fixture.

    Args:
        script: the responses to the first requests; see `respond`.
        **options: the other options of `Receiver`: `write_keys`, `bearer_tokens`, `strict` and so
            on.
    """

    def __init__(self, *, script: Iterable[ScriptedResponse | str] = (), **options: Any) -> None:
        self._options = {"script": tuple(script), **options}
        self._stack = contextlib.ExitStack()
        self._url: str | None = None
        self._received = threading.Condition()
        self._inner = self._make(**self._options)

    def _make(self, script: Iterable[ScriptedResponse | str], **options: Any) -> Receiver:
        self._scripted: deque[_Scripted] = deque()
        self.respond(*script)
        return Receiver(script=_play(self._scripted), **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening; a second call does nothing."""
        self._stack.close()
        self._inner.close()
        self._url = None

    # What it is

    @property
    def url(self) -> str:
        """Its URL, such as `http://127.0.0.1:43521`; it listens from the first use of it."""
        if self._url is None:
            served = Receiver(keep=False)
            served.app = Starlette(routes=[Mount("/", self.app)])
            self._url = self._stack.enter_context(listen(served))
        return self._url

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        """Respond to a request: the ASGI application."""
        try:
            await self._inner.app(scope, receive, send)
        finally:
            with self._received:
                self._received.notify_all()

    @property
    def events(self) -> list[Event]:
        """The events, in the order in which they came, duplicates included."""
        return [Event.from_dict(each) for each in self._values()]

    @property
    def counts(self) -> Counts:
        """What it has seen so far."""
        return self._inner.counts

    def _values(self) -> list[Any]:
        return [*self._inner.events]

    def clear(self, **options: Any) -> None:
        """Forget what was received, and the responses that were left.

        Args:
            **options: other options until the next `clear`; the rest are as they were at first.
        """
        self._inner.close()
        self._inner = self._make(**{**self._options, **options})

    def respond(self, *responses: ScriptedResponse | str) -> None:
        """Set the responses to the next requests; they replace those that were left.

        Args:
            *responses: each a `ScriptedResponse`, or its text: `503x3`, `429,retry-after=2`,
                `reset`, `500,keep`, `503x*` for all requests from now on. Without any, the receiver
                responds normally again.

        Raises:
            ScriptError: a text is not valid.
        """
        parsed = [parse_script(each) if isinstance(each, str) else each for each in responses]
        self._scripted.clear()
        self._scripted.extend(_Scripted(each, each.times) for each in parsed)

    # What it should have received

    def assert_received(
        self, events: Event | Iterable[Event | Mapping[str, Any]], *, allow_others: bool = False
    ) -> None:
        """Assert that exactly these events were received, in any order.

        Events are matched by their ids, and an event may have been received more than once, as
        Braze delivers at least once; see `assert_received_once`.

        Args:
            events: the events, as they were sent.
            allow_others: whether other events may have been received, too.

        Raises:
            AssertionError: it lists the events that are missing, extra or changed; for a missing
                one, also the nearest extra one.
        """
        __tracebackhide__ = True
        expected = [_to_json(each) for each in ((events,) if isinstance(events, Event) else events)]
        found = describe_differences(expected, self._values(), allow_others=allow_others)
        if found is not None:
            raise AssertionError(f"{found}\n{self._summary()}")

    def assert_received_once(
        self, events: Event | Iterable[Event | Mapping[str, Any]] | None = None
    ) -> None:
        """Assert that no event was received twice.

        Args:
            events: the events that were sent; if given, assert that exactly these were received.

        Raises:
            AssertionError: it lists the events that were received more than once.
        """
        __tracebackhide__ = True
        if events is not None:
            self.assert_received(events)
        counted = Counter(_key(each) for each in self._values())
        often = {key: count for key, count in counted.items() if count > 1}
        if often:
            lines = [
                f"  {name} {event_id}: {count} times"
                for (name, event_id), count in [*often.items()][:_MOST]
            ]
            if len(often) > _MOST:
                lines.append(f"  and {len(often) - _MOST:,} more")
            noun = "event was" if len(often) == 1 else "events were"
            head = f"{len(often):,} {noun} received more than once:"
            raise AssertionError("\n".join([head, *lines, self._summary()]))

    def assert_no_findings(self) -> None:
        """Assert that all requests and events conform to the catalog.

        Raises:
            AssertionError: it lists the conformance errors and warnings by kind.
        """
        __tracebackhide__ = True
        counts = self.counts
        if not counts.errors and not counts.warnings:
            return
        lines = [
            f"  {each.level}: {each.event_type or 'request'}: {each.field}: {each.problem}; "
            f"{each.expected}" + (f" ({each.count:,} times)" if each.count > 1 else "")
            for each in counts.findings[:_MOST]
        ]
        if len(counts.findings) > _MOST:
            lines.append(f"  and {len(counts.findings) - _MOST:,} more kinds")
        head = f"{counts.errors:,} conformance errors and {counts.warnings:,} warnings:"
        raise AssertionError("\n".join([head, *lines]))

    def wait_for(self, count: int = 1, *, timeout: float = 5.0) -> list[Event]:
        """Wait until `count` different events have been received, and return all events.

        Args:
            count: how many.
            timeout: the longest time to wait, in seconds.

        Raises:
            AssertionError: there were fewer when the time was up.
        """
        __tracebackhide__ = True
        until = time.monotonic() + timeout
        with self._received:
            while len(found := {_key(each) for each in self._values()}) < count:
                if not self._received.wait(until - time.monotonic()):
                    raise AssertionError(
                        f"{len(found):,} of {count:,} events were received within {timeout:g} s\n"
                        f"{self._summary()}"
                    )
        return self.events

    def _summary(self) -> str:
        counts = self.counts
        found = ", ".join(f"{count:,} got {status}" for status, count in counts.by_status.items())
        requests = _counted(counts.requests, "request") + (f" ({found})" if found else "")
        return f"the receiver got {requests} and took {_counted(counts.events, 'event')}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _to_json(event: Event | Mapping[str, Any]) -> dict[str, Any]:
    made = event if isinstance(event, Event) else Event.from_dict(event)
    value: dict[str, Any] = orjson.loads(encode_event(made))
    return value


def _key(value: Any) -> tuple[str, str]:
    if not isinstance(value, dict):
        return "?", repr(value)
    return str(value.get("event_type")), str(value.get("id"))
