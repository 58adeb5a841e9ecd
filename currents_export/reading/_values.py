"""JSON values and the events in them, with the place they were read from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .._json import number_error
from ..errors import EventError, ReadError
from ..events import Event

__all__ = ["Located", "is_body", "located", "read_events"]


class Located(NamedTuple):
    """A JSON value with the place it was read from.

    Attributes:
        value: the value: the object of an event, unless the input contains something else.
        source: the name of the file.
        line: the line it begins on, counted from 1.
    """

    value: Any
    source: str
    line: int


def read_events(values: Iterable[Located | ReadError]) -> Iterator[Event | ReadError]:
    """Yield the values as events; one that is not an event becomes a `ReadError` with its place."""
    for item in values:
        if isinstance(item, ReadError):
            yield item
            continue
        try:
            yield Event.from_dict(item.value)
        except EventError as error:
            yield ReadError(str(error), source=item.source, line=item.line)


def located(value: Any, suspect: bool, source: str, line: int) -> Iterator[Located | ReadError]:
    """Yield the events in a value of `parse`: those of a body or an array, or the value itself.

    An event with a number that does not fit becomes a `ReadError`.
    """
    for event in _events_in(value):
        if suspect and (problem := number_error(event)):
            yield ReadError(str(problem), source=source, line=line)
        else:
            yield Located(event, source, line)


def _events_in(value: Any) -> Iterator[Any]:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if is_body(each):
            each = each["events"]
        if isinstance(each, list):
            waiting.extend(reversed(each))
        else:
            yield each


def is_body(value: Any) -> bool:
    """Return whether a JSON value is a request body rather than an event."""
    return (
        isinstance(value, dict)
        and "event_type" not in value
        and isinstance(value.get("events"), list)
    )
