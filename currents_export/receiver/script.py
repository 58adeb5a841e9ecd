"""Scripted responses, which a receiver gives before it responds normally."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, cast

import attrs

from .._redaction import shown
from .._suggestions import did_you_mean
from ..errors import ScriptError

__all__ = ["ScriptedResponse", "parse_script", "play"]

#: Ten years: a longer wait must be a mistake.
_MAX_SECONDS = 315_360_000


def _check_status(_: Any, __: Any, status: object) -> None:
    if status not in ("ok", "reset") and not (type(status) is int and 200 <= status <= 599):
        raise ScriptError(
            f"the response {shown(status)} must be a status from 200 to 599, ok or reset"
        )


def _check_times(_: Any, __: Any, times: object) -> None:
    if times is not None and not (type(times) is int and times > 0):
        raise ScriptError(
            f"times is {shown(times)}; it must be a whole number of 1 or more, or None"
        )


def _check_seconds(_: Any, attribute: attrs.Attribute[Any], seconds: object) -> None:
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not is_number or not 0 <= cast("float", seconds) <= _MAX_SECONDS:
        raise ScriptError(
            f"{attribute.name} is {shown(seconds)}; it must be seconds from 0 to {_MAX_SECONDS}"
        )


@attrs.frozen
class ScriptedResponse:
    """A scripted response, and how many requests get it.

    Attributes:
        status: an HTTP status; `ok` for the normal response; `reset` to reset the connection
            instead of a response.
        times: how many requests get this response, 1 by default; None for all requests.
        delay: seconds to wait before the response.
        retry_after: seconds for a `Retry-After` header; None, the default, for no header.
        keep: whether to take the events although the response is not 2XX, as if only the response
            was lost.

    Raises:
        ScriptError: an attribute has an invalid value.
    """

    status: int | Literal["ok", "reset"] = attrs.field(validator=_check_status)
    times: int | None = attrs.field(default=1, validator=_check_times)
    delay: float = attrs.field(default=0.0, validator=_check_seconds)
    retry_after: float | None = attrs.field(
        default=None, validator=attrs.validators.optional(_check_seconds)
    )
    keep: bool = False

    @property
    def takes_events(self) -> bool:
        """Whether the receiver takes the events of the request."""
        if isinstance(self.status, int):
            return self.keep or 200 <= self.status < 300
        return self.keep or self.status == "ok"


_HEAD = re.compile(r"(?P<status>[0-9]{3}|ok|reset)(x(?P<times>[0-9]{1,18}|\*))?")
_GRAMMAR = (
    "write it like 503, 503x3 (three times), 429x*,retry-after=2 (forever), ok,delay=1.5, reset, "
    "or 500,keep"
)


def parse_script(text: str) -> ScriptedResponse:
    """Parse `STATUS[xTIMES][,delay=S][,retry-after=S][,keep]` into a `ScriptedResponse`.

    >>> from currents_export import parse_script
    >>> response = parse_script("429x3,retry-after=2")
    >>> response.status, response.times, response.retry_after
    (429, 3, 2.0)

    Raises:
        ScriptError: the text is not valid; the message says what would be right.
    """
    head, *options = [part.strip() for part in text.split(",")]
    about = f"scripted response {shown(text)}"
    found = _HEAD.fullmatch(head)
    if not found:
        raise ScriptError(f"{about}: {shown(head)} is not a response; {_GRAMMAR}")
    values: dict[str, Any] = {}
    if times := found["times"]:
        values["times"] = None if times == "*" else int(times)
    for option in options:
        name, _, value = option.partition("=")
        if name not in _OPTIONS:
            hint = did_you_mean(name, _OPTIONS) or f"; {_GRAMMAR}"
            raise ScriptError(f"{about}: there is no option {shown(name)}{hint}")
        if name.replace("-", "_") in values:
            raise ScriptError(f"{about}: {name} occurs twice")
        try:
            values[name.replace("-", "_")] = _OPTIONS[name](value)
        except ValueError:
            raise ScriptError(f"{about}: {shown(option)} is not valid; {_GRAMMAR}") from None
    try:
        return ScriptedResponse(
            status=_WORDS.get(found["status"]) or int(found["status"]), **values
        )
    except ScriptError as error:
        raise ScriptError(f"{about}: {error}") from None


def _flag(value: str) -> bool:
    if value:
        raise ValueError(value)
    return True


_WORDS: dict[str, Literal["ok", "reset"]] = {"ok": "ok", "reset": "reset"}
_OPTIONS: dict[str, Callable[[str], Any]] = {
    "delay": float,
    "retry-after": float,
    "keep": _flag,
}


def play(script: Iterable[ScriptedResponse]) -> Iterator[ScriptedResponse]:
    """Yield the responses of the script, one for each request."""
    for response in script:
        if response.times is None:
            while True:
                yield response
        for _ in range(response.times):
            yield response
