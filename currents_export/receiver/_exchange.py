"""`Exchange`: what a receiver found in one request, for those who watch it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
from starlette.requests import Request

from ..catalog import Finding
from .script import ScriptedResponse

__all__ = ["Exchange", "exchange_of"]


def _no_fault() -> None:
    return None


@attrs.define
class Exchange:
    """What a receiver found in one request. The receiver fills it; a watcher reads it afterwards.

    Attributes:
        fault: returns the response that the request gets instead of the receiver's own, if any.
        body: the body, decoded; None if it was not read.
        refusal: why the receiver refused the request; empty if it did not.
        events: the events or messages in the body; None if they were not looked at.
        findings: the conformance findings of each event; None if nobody checked them.
        header_findings: what was wrong with the headers.
        taken: whether the events were taken.
        reset: whether the connection was reset instead of a response.
    """

    fault: Callable[[], ScriptedResponse | None] = _no_fault
    body: bytes | None = None
    refusal: str = ""
    events: Sequence[Any] | None = None
    findings: Sequence[Sequence[Finding]] | None = None
    header_findings: list[Finding] = attrs.field(factory=list)
    taken: bool = False
    reset: bool = False


def exchange_of(request: Request) -> Exchange:
    """Return the exchange of a request; one that nobody reads if it is not watched."""
    watched = getattr(request.state, "exchange", None)
    return watched if isinstance(watched, Exchange) else Exchange()
