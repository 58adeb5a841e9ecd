"""Faults that are set by hand on the page."""

from __future__ import annotations

import threading
from typing import Any

import attrs

from ..._codes import Code
from ...errors import OptionError, ScriptError
from ..script import ScriptedResponse

__all__ = ["Fault", "FaultKind", "Faults"]


class FaultKind(Code):
    """What a receiver does instead of responding as usual."""

    UNAVAILABLE = "503", "503 Service Unavailable"
    TOO_MANY = "429", "429 Too Many Requests"
    BAD_REQUEST = "400", "400 Bad Request"
    TOO_LARGE = "413", "413 Payload Too Large"
    UNAUTHORIZED = "401", "401 Unauthorized"
    RESET = "reset", "Reset the connection"
    SLOW = "slow", "Respond slowly"
    LOST = "lost", "Take the events, lose the response"


@attrs.frozen
class Fault:
    """A fault that is on.

    Attributes:
        kind: what happens.
        left: how many more requests get it; None until it is switched off.
        seconds: the `Retry-After` of a 429, or how long a slow response takes.
    """

    kind: FaultKind
    left: int | None = None
    seconds: float = 0.0

    @property
    def response(self) -> ScriptedResponse:
        """The response that a request gets."""
        if self.kind is FaultKind.RESET:
            return ScriptedResponse("reset")
        if self.kind is FaultKind.LOST:
            return ScriptedResponse("reset", keep=True)
        if self.kind is FaultKind.SLOW:
            return ScriptedResponse("ok", delay=self.seconds)
        retry_after = self.seconds if self.kind is FaultKind.TOO_MANY else None
        return ScriptedResponse(int(self.kind.value), retry_after=retry_after)


class Faults:
    """The fault that is on, if any; it comes before the scripted responses."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fault: Fault | None = None

    def switch(self, values: Any) -> None:
        """Switch a fault on, or off with an empty kind.

        Args:
            values: a JSON object with `kind`, `times` (empty or null until it is switched off) and
                `seconds`.

        Raises:
            OptionError: a value is not valid.
        """
        fault = _fault(values)
        with self._lock:
            self._fault = fault

    def take(self) -> ScriptedResponse | None:
        """Return the response for one request, if a fault is on, and count it."""
        with self._lock:
            fault = self._fault
            if fault is None:
                return None
            if fault.left is not None:
                left = fault.left - 1
                self._fault = attrs.evolve(fault, left=left) if left else None
        return fault.response

    def to_dict(self) -> dict[str, Any] | None:
        """Return the fault that is on as a JSON object; None if there is none."""
        fault = self._fault
        if fault is None:
            return None
        return {"kind": fault.kind, "left": fault.left, "seconds": fault.seconds} | {
            "description": fault.kind.description
        }


def _fault(values: Any) -> Fault | None:
    if not isinstance(values, dict):
        raise OptionError("a fault is a JSON object with kind, times and seconds")
    kind, times, seconds = values.get("kind"), values.get("times"), values.get("seconds")
    if not kind:
        return None
    if kind not in [*FaultKind]:
        raise OptionError(f"kind must be one of {', '.join(FaultKind)}, or empty for no fault")
    if times in (None, ""):
        times = None
    elif type(times) is not int or not 1 <= times <= 1_000_000:
        raise OptionError("times must be a whole number from 1 to 1000000, or empty for no limit")
    seconds = 0 if seconds in (None, "") else seconds
    fault = Fault(FaultKind(kind), times, seconds)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds > 3600:
        raise OptionError("seconds must be a number from 0 to 3600")
    try:
        _ = fault.response
    except ScriptError as error:
        raise OptionError(f"seconds must be a number from 0 to 3600: {error}") from None
    return fault
