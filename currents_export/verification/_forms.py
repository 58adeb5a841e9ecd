"""The forms of what arrives: events, messages of RudderStack, and rows of a warehouse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from ._columns import Columns
from ._content import Content, arrival, expected_of, message_content
from ._shapes import Shape

__all__ = ["Form", "form_of"]


@attrs.frozen
class Form:
    """How to read what arrives.

    Attributes:
        id_name: the name of the id.
        type_names: the names of the event type or the name of the message, the first one first.
        content: returns what is compared of a value that arrived.
        expected: returns what is compared of an event, or of a message made of it, which it may
            change.
        arrival: returns when a value arrived, in seconds since the epoch; None if it does not say
            so. None if no value does.
        path: returns the path of a field for people.
        absent: returns the paths of fields for which there is no place in this form.
    """

    id_name: str
    type_names: tuple[str, ...]
    content: Callable[[dict[str, Any]], Content]
    expected: Callable[[dict[str, Any]], Content]
    arrival: Callable[[dict[str, Any]], float | None] | None = None
    path: Callable[[str], str] = str
    absent: Callable[[], tuple[str, ...]] = tuple

    def shown(self, content: Content) -> dict[str, Any]:
        """Return the whole content for people."""
        value, timestamp = content
        found = {self.path(name): each for name, each in value.items()}
        return found if timestamp is None else found | {"timestamp": timestamp}


def form_of(shape: Shape) -> Form:
    """Return the form of what arrives in a shape."""
    if shape is Shape.EVENT:
        return Form("id", ("event_type",), _as_it_is, _as_it_is)
    if shape is Shape.MESSAGE:
        return Form("messageId", ("event",), message_content, expected_of, arrival)
    columns = Columns()
    return Form(
        "id",
        ("event_text", "event"),
        columns.content,
        columns.expected,
        columns.arrival,
        columns.name,
        lambda: tuple(sorted(columns.absent)),
    )


def _as_it_is(event: dict[str, Any]) -> Content:
    return event, None
