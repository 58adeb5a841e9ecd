"""Recognize what a value is by its shape."""

from __future__ import annotations

from typing import Any

from .._codes import Code
from .report import Through

__all__ = ["THROUGH", "Shape", "shape_of"]


class Shape(Code):
    """What the values of an input are."""

    EVENT = "event", "an event"
    RECORD = "record", "a line of a sender's record"
    KEY = "key", "a line of an answer key"
    MESSAGE = "message", "a message of RudderStack"
    COLUMNS = "columns", "a row of a warehouse's tracks table"


#: What is between the sender and what was received, by its shape.
THROUGH = {
    Shape.EVENT: Through.CURRENTS,
    Shape.MESSAGE: Through.RUDDERSTACK,
    Shape.COLUMNS: Through.RUDDERSTACK,
}
_COLUMNS = ("event_text", "anonymous_id", "received_at")


def shape_of(value: Any) -> Shape | None:
    """Return what a value is; None if it is nothing that can be compared."""
    if type(value) is not dict:
        return None
    if "event_type" in value:
        if "user" in value or "properties" in value or "time" in value:
            return Shape.EVENT
        if "dropped" in value or "filtered" in value:
            return Shape.RECORD
        return Shape.KEY if isinstance(value.get("id"), str) else Shape.EVENT
    if "messageId" in value and "event" in value:
        return Shape.MESSAGE
    if "attempt" in value and type(value.get("event")) is dict:
        return Shape.RECORD
    if "id" in value and any(name in value for name in _COLUMNS):
        return Shape.COLUMNS
    return None
