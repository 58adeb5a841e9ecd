"""`Targets`: Currents for what is under test, and senders that do not wait when it fails."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import tenacity

from .._redaction import shown
from ..current import Current
from ..delivery import Backoff, Sender
from ..errors import OptionError
from ..receiver import AppTransport, Receiver, RudderStack, WsgiTransport
from ._frameworks import propagate_exceptions
from .receiver import CurrentsReceiver

__all__ = ["Targets"]

#: The longest waits, in seconds, of a sender that gives up, and how many attempts it makes.
_FIRST_WAIT, _LONGEST_WAIT, _ATTEMPTS, _TIMEOUT = 0.01, 0.05, 8, 5.0


class Targets:
    """Make Currents for what is under test, and senders for the Currents.

    Use it as a context manager. In the end, the senders deliver what is pending, or nothing if
    there was an exception; then the applications end.
    """

    def __init__(self) -> None:
        self._transports: dict[int, httpx.BaseTransport] = {}
        self._senders: list[Sender] = []
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.close(failed=kind is not None)

    def current(self, target: Any, *, path: str = "/", **fields: Any) -> Current:
        """Return a Current whose events go to a target; this is the fixture `current_for`.

        Args:
            target: an ASGI or WSGI application, which is run in this process; a URL; a
                `CurrentsReceiver`, `Receiver` or `RudderStack`; or a transport of httpx.
            path: the path and query of an application's URL.
            **fields: the other fields of the Current. Events of anonymous users are sent unless
                `include_anonymous` is false. With `region`, or to a `RudderStack`, it is a
                RudderStack export.

        Raises:
            OptionError: the target is none of these.
            CurrentError: a field is wrong.
            ReceiverError: the application cannot start.
        """
        if isinstance(target, RudderStack):
            path = "/v1/webhook?writeKey=test" if path == "/" else path
            fields = {"region": "US", **fields}
        if isinstance(target, str):
            url = target if path == "/" else target.rstrip("/") + path
        else:
            # The port is only the number of the transport: nothing connects to it.
            number = len(self._transports) + 1
            self._transports[number] = self._stack.enter_context(self._transport_to(target))
            url = f"http://localhost:{number}{path}"
        if "region" in fields:
            fields = {"key": url, **fields}
        else:
            fields = {"endpoint": url, "include_anonymous": True, **fields}
        names = {"integration_name": "test", "contact_email": "test@example.com"}
        return Current(**names | fields)

    def sender(self, target: Any, **options: Any) -> Sender:
        """Return a sender for a Current; this is the fixture `currents_sender`.

        A batch leaves after 0.05 s even if it is not full, and is sent again after about 0.01 s.
        After 8 attempts, or 5 s, the Current is paused, so that `flush` returns. With a `clock`,
        the waits are as long as those of other senders, on that clock.

        Args:
            target: a Current, or whatever `current` takes.
            **options: other options of `Sender`.
        """
        current = target if isinstance(target, Current) else self.current(target)
        defaults: dict[str, Any] = {"stop": tenacity.stop_after_attempt(_ATTEMPTS)}
        if "clock" not in options:
            defaults = {
                "wait": Backoff(_FIRST_WAIT, _LONGEST_WAIT),
                "stop": defaults["stop"] | tenacity.stop_after_delay(_TIMEOUT),
                "max_age": _LONGEST_WAIT,
                "max_retry_after": _LONGEST_WAIT,
                "timeout": _TIMEOUT,
            }
        options = {**defaults, **options}
        if "transport" not in options and (transport := self._transport_of(current)):
            options["transport"] = transport
        sender = Sender(current, **options)
        self._senders.append(sender)
        return sender

    def close(self, *, failed: bool = False) -> None:
        """Close the senders and the applications; a second call does nothing.

        Args:
            failed: whether to leave what is pending, and exceptions in an application, as they
                are.

        Raises:
            Exception: one in an application that no call of a sender has raised.
        """
        try:
            while self._senders:
                if failed:
                    with contextlib.suppress(Exception):
                        self._senders.pop().close(timeout=0)
                else:
                    self._senders.pop().close(timeout=_TIMEOUT)
        finally:
            for each in self._senders:  # one has failed
                with contextlib.suppress(Exception):
                    each.close(timeout=0)
            self._senders.clear()
            self._stack.close()
            self._transports.clear()

    def _transport_of(self, current: Current) -> httpx.BaseTransport | None:
        parts = urlsplit(current.url)
        return self._transports.get(parts.port or 0) if parts.hostname == "localhost" else None

    @contextlib.contextmanager
    def _transport_to(self, target: Any) -> Iterator[httpx.BaseTransport]:
        if isinstance(target, httpx.BaseTransport):
            yield target
            return
        if isinstance(target, Receiver | RudderStack | CurrentsReceiver):
            transport: httpx.BaseTransport = AppTransport(target.app)  # a reset is not an error
        elif not callable(target):
            raise OptionError(
                f"{shown(target)} is not what a Current can reach; it must be an ASGI or WSGI "
                "application, a URL, a receiver or a transport of httpx"
            )
        elif _is_asgi(target):
            transport = AppTransport(target, raise_app_exceptions=True)
        else:
            transport = WsgiTransport(target, raise_app_exceptions=True)
        with propagate_exceptions(target), transport:
            yield transport


def _is_asgi(app: Callable[..., object]) -> bool:
    """Return whether a callable is an ASGI application; otherwise it is one of WSGI.

    Raises:
        OptionError: it takes neither the arguments of the one nor those of the other.
    """
    called = app.func if isinstance(app, functools.partial) else app
    if inspect.iscoroutinefunction(called) or inspect.iscoroutinefunction(
        getattr(called, "__call__", None)  # noqa: B004 - it is inspected, not called
    ):
        return True
    for count in (3, 2):
        with contextlib.suppress(TypeError, ValueError):
            inspect.signature(app).bind(*(None,) * count)
            return count == 3
    raise OptionError(
        f"{shown(app)} is neither an ASGI application, called with scope, receive and send, nor a "
        "WSGI one, called with environ and start_response"
    )
