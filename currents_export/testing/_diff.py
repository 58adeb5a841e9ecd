"""Describe how received events differ from the expected ones."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from .._redaction import shown

__all__ = ["describe_differences"]

T = TypeVar("T")

#: How many events of a kind, and how many fields of an event, a description lists.
_MOST_EVENTS, _MOST_FIELDS = 10, 12
#: Among how many events the nearest one is looked for.
_MOST_CANDIDATES = 1000
#: The longest value that is shown.
_MOST_TEXT = 120
_MISSING = object()

_Event = Mapping[str, Any]


def describe_differences(
    expected: Iterable[_Event], received: Iterable[Any], *, allow_others: bool
) -> str | None:
    """Return what is missing, extra and changed, in several lines; None if nothing is.

    Events are matched by their ids; it does not matter how many times one occurs, or in which
    order.

    Args:
        expected: the events, as JSON objects with ids.
        received: what was received, as JSON values.
        allow_others: whether other events may be received, too.
    """
    wanted = {each["id"]: each for each in expected}
    got: dict[str, list[_Event]] = {}
    extra: list[Any] = []
    for each in received:
        event_id = each.get("id") if isinstance(each, dict) else None
        if isinstance(event_id, str) and event_id in wanted:
            got.setdefault(event_id, []).append(each)
        else:
            extra.append(each)
    missing = [each for event_id, each in wanted.items() if event_id not in got]
    changed = [
        (wanted[event_id], changes)
        for event_id, arrivals in got.items()
        if (changes := [*_of_first_changed(wanted[event_id], arrivals)])
    ]
    counts = {"missing": len(missing), "changed": len(changed)}
    if not allow_others:
        counts["extra"] = len(extra)
    if not any(counts.values()):
        return None
    found = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    lines = [f"of {len(wanted):,} expected events: {found}"]
    lines += _listed(missing, lambda event: _missing(event, extra))
    lines += _listed(changed, lambda pair: [_title("changed", pair[0]), *_fields(pair[1])])
    if not allow_others:
        lines += _listed(extra, lambda event: [_title("extra", event)])
    return "\n".join(lines)


def _listed(things: Collection[T], describe: Callable[[T], Iterable[str]]) -> Iterator[str]:
    for each in [*things][:_MOST_EVENTS]:
        yield from describe(each)
    if len(things) > _MOST_EVENTS:
        yield f"  and {len(things) - _MOST_EVENTS:,} more"


def _title(kind: str, event: Any) -> str:
    if not isinstance(event, Mapping):
        return f"  {kind}: {shown(event)}, which is not an event"
    return f"  {kind}: {event.get('event_type')} {event.get('id')}"


def _missing(event: _Event, extra: Iterable[Any]) -> Iterator[str]:
    yield _title("missing", event)
    same_type = [
        each
        for each in extra
        if isinstance(each, dict) and each.get("event_type") == event["event_type"]
    ]
    if not same_type:
        return
    compared = [
        (each, [change for change in _changes(event, each) if change[0] != "id"])
        for each in same_type[:_MOST_CANDIDATES]
    ]
    nearest, changes = min(compared, key=lambda pair: len(pair[1]))
    how = "differs in" if changes else "differs only in its id"
    yield f"    the nearest received event, {nearest.get('id')}, {how}"
    yield from _fields(changes)


def _fields(changes: Collection[tuple[str, object, object]]) -> Iterator[str]:
    for path, before, after in [*changes][:_MOST_FIELDS]:
        yield f"    {path}: expected {_value(before)}, got {_value(after)}"
    if len(changes) > _MOST_FIELDS:
        yield f"    and {len(changes) - _MOST_FIELDS} more fields"


def _value(value: object) -> str:
    return "nothing" if value is _MISSING else shown(value, most=_MOST_TEXT)


def _of_first_changed(
    expected: _Event, arrivals: Iterable[_Event]
) -> Iterator[tuple[str, object, object]]:
    """Yield the changes of the first arrival that has changes."""
    for each in arrivals:
        if changes := [*_changes(expected, each)]:
            yield from changes
            return


def _changes(expected: object, got: object, path: str = "") -> Iterator[tuple[str, object, object]]:
    """Yield the paths at which two JSON values differ, with both values."""
    if isinstance(expected, dict) and isinstance(got, dict):
        for name in dict.fromkeys((*expected, *got)):
            inner = f"{path}.{name}" if path else str(name)
            yield from _changes(expected.get(name, _MISSING), got.get(name, _MISSING), inner)
    elif isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        for index, (one, other) in enumerate(zip(expected, got, strict=True)):
            yield from _changes(one, other, f"{path}[{index}]")
    # True equals 1 in Python, but not in JSON.
    elif expected != got or isinstance(expected, bool) is not isinstance(got, bool):
        yield path, expected, got
