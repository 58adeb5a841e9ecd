"""Print a line for each request that a receiver gets, and keep the bodies."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from typing import Any

import orjson

from ..errors import CurrentsExportError, ReceiverError
from ..receiver import Receiver, RudderStack, WebhookDestination
from ..receiver.capture import Capture
from ..receiver.watching import Exchange
from ._colors import paint
from ._streams import print_error, print_line
from ._wording import counted

__all__ = ["RequestLines", "Sight", "describe_request"]

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_App = Callable[[_Message, _Receive, _Send], Awaitable[None]]

#: The longest reason on a line.
_REASON = 160


class Sight:
    """What was seen of a request.

    Attributes:
        exchange: what the receiver found in it.
        began: when it came, in seconds since the epoch.
        size: the bytes of its body so far, as it was sent.
        status: the status of the response; None before there is one.
        seconds: how long it took.
    """

    def __init__(self, exchange: Exchange, began: float) -> None:
        self.exchange = exchange
        self.began = began
        self.size = 0
        self.status: int | None = None
        self.seconds = 0.0


class RequestLines:
    """An ASGI application around that of a receiver.

    Args:
        app: the application of the receiver.
        shows: whether to print the lines.
        raw: a file to append the bodies to; none by default.

    Raises:
        ReceiverError: the file cannot be opened.
    """

    def __init__(self, app: _App, *, shows: bool, raw: str | None = None) -> None:
        self._app = app
        self._shows = shows
        try:
            self._raw = None if raw is None else Capture(raw)
        except ReceiverError as error:
            raise ReceiverError(str(error).replace("the capture", "the raw file")) from error

    @classmethod
    def around(
        cls,
        receiver: Receiver | RudderStack | WebhookDestination,
        *,
        shows: bool,
        raw: str | None = None,
    ) -> RequestLines:
        """Put the application around that of a receiver, before it is served."""
        lines = cls(receiver.app, shows=shows, raw=raw)
        receiver.app = lines  # type: ignore[assignment] # what serves it only calls it
        return lines

    def close(self) -> None:
        """Close the file with the bodies, if there is one."""
        if self._raw is not None:
            self._raw.close()

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Handle a request of a client; only those with a body are reported."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        state = scope.get("state", {})
        exchange = state.setdefault("exchange", Exchange())
        sight, began = Sight(exchange, time.time()), time.perf_counter()

        async def received() -> _Message:
            message = await receive()
            sight.size += len(message.get("body", b""))
            return message

        async def sent(message: _Message) -> None:
            if message["type"] == "http.response.start":
                sight.status = message["status"]
            await send(message)

        try:
            await self._app({**scope, "state": state}, received, sent)
        finally:
            sight.seconds = time.perf_counter() - began
            self._report(sight)

    def _report(self, sight: Sight) -> None:
        body = sight.exchange.body
        if self._raw is not None and body is not None:
            try:
                self._raw.write([body])
            except (OSError, ValueError) as error:
                print_error(f"the raw file cannot be written: {error}")
                self._raw = None
        if self._shows:
            try:
                print_line(describe_request(sight))
            except (OSError, CurrentsExportError):  # nobody reads them any more
                self._shows = False


def describe_request(sight: Sight) -> str:
    """Return the line about a request."""
    exchange = sight.exchange
    status = "reset" if exchange.reset or sight.status is None else str(sight.status)
    color = "green" if status.startswith("2") else "yellow" if status == "429" else "red"
    events = _events_in(exchange)
    at = time.strftime("%H:%M:%S", time.localtime(sight.began))
    parts = [
        paint(at, "dim", sys.stdout),
        paint(f"{status:<5}", color, sys.stdout),
        f"{counted(len(events), 'event'):>10}",
        f"{_size(sight.size):>8}",
        f"{sight.seconds * 1000:>6.1f} ms",
        _types(events),
    ]
    if reason := _reason(exchange, status):
        wrong = exchange.taken and not _has_error(exchange)
        parts.append(paint(reason, "yellow" if wrong else "red", sys.stdout))
    return "  ".join(each for each in parts if each)


def _events_in(exchange: Exchange) -> Sequence[Any]:
    """Return the events of a request, also of one that the receiver did not look at."""
    if exchange.events is not None or exchange.body is None:
        return exchange.events or ()
    try:
        value = orjson.loads(exchange.body)
    except orjson.JSONDecodeError:
        return ()
    events = value.get("events") if isinstance(value, dict) else None
    return events if isinstance(events, list) else ()


def _types(events: Sequence[Any]) -> str:
    """Return the most frequent type of events, and how many more there are."""
    names = Counter(_type_of(each) for each in events)
    if not names:
        return ""
    name, _ = names.most_common(1)[0]
    return name if len(names) == 1 else f"{name} and {counted(len(names) - 1, 'more type')}"


def _type_of(event: Any) -> str:
    name = event.get("event_type", event.get("event")) if isinstance(event, dict) else None
    return _one_line(name[:80]) if name and isinstance(name, str) else "?"


def _one_line(text: str) -> str:
    """Replace the characters that could change what a terminal shows."""
    return "".join(each if each.isprintable() else "?" for each in text)


def _size(count: int) -> str:
    if count < 1_000:
        return f"{count} B"
    return f"{count / 1000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def _findings(exchange: Exchange) -> Iterator[Any]:
    yield from exchange.header_findings
    for each in exchange.findings or ():
        yield from each


def _has_error(exchange: Exchange) -> bool:
    return any(each.level == "error" for each in _findings(exchange))


def _reason(exchange: Exchange, status: str) -> str:
    """Return why a request was refused, or what is wrong with its events."""
    if exchange.refusal:
        reason = exchange.refusal
    elif exchange.body is None and status in ("404", "405"):
        reason = "there is no such path"
    elif not exchange.taken or not status.startswith("2"):
        taken = ", events taken" if exchange.taken else ""
        reason = f"scripted{taken}"
    else:
        found = sorted(_findings(exchange), key=lambda each: each.level != "error")
        if not found:
            return ""
        more = f" (and {len(found) - 1:,} more)" if len(found) > 1 else ""
        field = f"{found[0].field}: " if found[0].field else ""
        reason = f"{found[0].level}: {field}{found[0].problem}{more}"
    reason = _one_line(reason)
    return reason if len(reason) <= _REASON else f"{reason[:_REASON]}..."
