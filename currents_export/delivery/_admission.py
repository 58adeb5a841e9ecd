"""Turn the events given to `send` into entries for the queues."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..current import Current
from ..errors import EventError
from ..events import Event
from ..payload import encode_event, encode_events, transform
from ._batches import Entry
from .reasons import FilterReason

__all__ = ["chunks", "is_large", "prepare"]

#: How many events are accepted under one lock.
_CHUNK = 100


def chunks(events: Iterable[Event]) -> Iterator[Sequence[Event]]:
    """Split a sequence into chunks; yield the events of another iterable one by one."""
    if isinstance(events, list | tuple):
        yield from (events[at : at + _CHUNK] for at in range(0, len(events), _CHUNK))
    else:
        yield from ((event,) for event in events)


def is_large(events: Iterable[Event], most: int) -> bool:
    """Return whether the JSON of the events is probably longer than `most` bytes, at low cost."""
    left = most
    values: list[Iterable[Any]] = []
    for event in events:
        if isinstance(event, Event):  # another object is refused later
            values += (event.properties.values(), event.user.values(), event.extra.values())
    while values:
        for each in values.pop():
            if isinstance(each, str | bytes):
                left -= len(each)
            elif isinstance(each, Mapping):
                values.append(each.values())
            elif isinstance(each, list | tuple):
                values.append(each)
            left -= 8
            if left < 0:
                return True
    return False


def prepare(
    current: Current, events: Sequence[Event]
) -> tuple[list[Entry], dict[int, EventError | FilterReason]]:
    """Return the entries for the queues, and why the other events have none, by index.

    The cause is an error if the event is not JSON, or the reason why the Current filters it.

    Source: Braze, RudderStack for Currents (`external_user_id` is required); Custom Currents
    export ("Include events from anonymous users").
    """
    selected, transformations = current.selected, current.field_transformations
    needs_external_user_id = current.destination.needs_external_user_id
    chosen: list[tuple[int, Event]] = []
    others: dict[int, EventError | FilterReason] = {}
    for index, event in enumerate(events):
        if not isinstance(event, Event):
            others[index] = EventError(
                f"send takes Event objects, not {type(event).__name__}; see Event.from_dict"
            )
        elif event.event_type not in selected and not current.selects(event.event_type):
            known = event.event_type in current.catalog
            others[index] = (
                FilterReason.NOT_SELECTED if known else FilterReason.NOT_IN_SCHEMA_VERSION
            )
        elif needs_external_user_id and not event.user.get("external_user_id"):
            others[index] = FilterReason.NO_EXTERNAL_USER_ID
        else:
            chosen.append((index, event))
    together = len(chosen) > 1 and not transformations
    if together and (bodies := encode_events([event for _, event in chosen])) is not None:
        return [
            (event.event_type, event.id, body, None)
            for (_, event), body in zip(chosen, bodies, strict=True)
        ], others
    entries: list[Entry] = []
    for index, event in chosen:
        try:
            changed = transform(event, transformations) if transformations else event
            original = None if changed is event else encode_event(event)
            entries.append((event.event_type, event.id, encode_event(changed), original))
        except EventError as error:
            others[index] = error
    # By index, as if each event had been looked at once.
    return entries, dict(sorted(others.items()))
