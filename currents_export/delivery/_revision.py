"""Apply an edited form to events that were accepted before the edit."""

from __future__ import annotations

import hashlib

import orjson

from ..current import Current
from ..events import Event
from ..payload import MAX_EVENT_BYTES
from ._admission import prepare
from ._batches import Queued
from .reasons import DropReason

__all__ = ["form_of", "revise"]


def form_of(current: Current) -> bytes:
    """Return a digest of what decides which events a Current sends, and what is in them."""
    parts = (
        sorted(current.selected),
        current.unknown_event_types,
        sorted(current.field_transformations.items()),
        current.destination.needs_external_user_id,
    )
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).digest()


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
