"""The forms of what arrives: events, messages of RudderStack, and rows of a warehouse."""

from __future__ import annotations

from typing import Any

from ._columns import Columns
from ._content import Content, arrival, expected_of, message_content
from ._shapes import Shape

__all__ = ["Form", "form_of"]


class Form:
    """How to read what arrives; this is the form of messages.

    Attributes:
        id_name: the name of the id.
        type_names: the names of the event type or the name of the message, the first one first.
    """

    id_name = "messageId"
    type_names: tuple[str, ...] = ("event",)

    def content(self, value: dict[str, Any]) -> Content:
        """Return what is compared of a value that arrived."""
        return message_content(value)

    def expected(self, made: dict[str, Any]) -> Content:
        """Return what is compared of an event, or of a message made of it; it may be changed."""
        return expected_of(made)

    def arrival(self, value: dict[str, Any]) -> float | None:
        """Return when a value arrived, in seconds since the epoch; None if it does not say so."""
        return arrival(value)

    def path(self, path: str) -> str:
        """Return the path of a field for people."""
        return path

    def shown(self, content: Content) -> dict[str, Any]:
        """Return the whole content for people."""
        value, timestamp = content
        found = {self.path(name): each for name, each in value.items()}
        return found if timestamp is None else found | {"timestamp": timestamp}

    @property
    def absent(self) -> tuple[str, ...]:
        """The paths of fields for which there is no place in this form."""
        return ()


class _EventForm(Form):
    """The form of events."""

    id_name = "id"
    type_names = ("event_type",)

    def content(self, value: dict[str, Any]) -> Content:
        return value, None

    def expected(self, made: dict[str, Any]) -> Content:
        return made, None

    def arrival(self, value: dict[str, Any]) -> float | None:  # noqa: ARG002 - events do not say it
        return None


class _ColumnsForm(Form):
    """The form of rows of a warehouse's table."""

    id_name = "id"
    type_names = ("event_text", "event")

    def __init__(self) -> None:
        self._columns = Columns()

    def content(self, value: dict[str, Any]) -> Content:
        return self._columns.content(value)

    def expected(self, made: dict[str, Any]) -> Content:
        return self._columns.expected(made)

    def arrival(self, value: dict[str, Any]) -> float | None:
        return self._columns.arrival(value)

    def path(self, path: str) -> str:
        return self._columns.name(path)

    @property
    def absent(self) -> tuple[str, ...]:
        return tuple(sorted(self._columns.absent))


def form_of(shape: Shape) -> Form:
    """Return the form of what arrives in a shape."""
    if shape is Shape.COLUMNS:
        return _ColumnsForm()
    return _EventForm() if shape is Shape.EVENT else Form()
