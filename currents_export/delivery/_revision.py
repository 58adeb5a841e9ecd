"""Apply an edited form to events that were accepted before the edit."""

from __future__ import annotations

import orjson

from ..current import Current
from ..events import Event
from ..payload import MAX_EVENT_BYTES
from ._admission import prepare
from ._batches import Queued
from .reasons import DropReason

__all__ = ["changes_events", "revise"]


def changes_events(before: Current, after: Current) -> bool:
    """Return whether an edit changes which events are sent, or what is in them."""
    return (
        before.selected != after.selected
        or before.field_transformations != after.field_transformations
        or before.destination.needs_external_user_id != after.destination.needs_external_user_id
    )


def revise(current: Current, queued: Queued) -> Queued | DropReason:
    """Return the event as the Current sends it, or why it does not send it any more."""
    event = Event.from_dict(orjson.loads(queued.original or queued.body))
    entries, _ = prepare(current, (event,))
    if not entries:
        return DropReason.DESELECTED
    _, _, body, original = entries[0]
    if len(body) > MAX_EVENT_BYTES:
        return DropReason.TOO_LARGE
    return queued._replace(body=body, original=original)
