"""What should arrive of an event that was sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..current import Current
from ..delivery import FilterReason
from ..errors import EventError
from ..events import Event
from ..payload import transform as apply_transformations
from ..receiver.rudderstack import Loss, VanishReason, loss, transformed
from ._content import Content
from ._forms import Form
from .report import Through

__all__ = ["Expectation", "expectation"]

#: Return what should arrive of an event, or why nothing should.
Expectation = Callable[[dict[str, Any]], Content | FilterReason | VanishReason]


def expectation(
    through: Through,
    form: Form,
    *,
    current: Current | None,
    mapping: Mapping[str, str] | None,
    on_loss: Callable[[dict[str, Any], Loss], None],
) -> Expectation:
    """Return the function that says what should arrive of an event.

    Args:
        through: what is between the sender and what is received.
        form: how what arrived is read.
        current: the Current that sent the events, if they are not what it sent but what it was
            given: it filters events, and transforms fields.
        mapping: the custom mapping of RudderStack's source.
        on_loss: called for an event of which RudderStack's source loses something.
    """

    def made(event: dict[str, Any]) -> Content | FilterReason | VanishReason:
        message = transformed(event, mapping)
        if isinstance(message, VanishReason):
            return message
        if (lost := loss(event, message)) is not None:
            on_loss(event, lost)
        return form.expected(message)

    arrived: Expectation = made if through is Through.RUDDERSTACK else form.expected
    if current is None:
        return arrived

    def expected(event: dict[str, Any]) -> Content | FilterReason | VanishReason:
        sent = _sent(current, event)
        return sent if isinstance(sent, FilterReason) else arrived(sent)

    return expected


def _sent(current: Current, value: dict[str, Any]) -> dict[str, Any] | FilterReason:
    """Return what a Current sends of an event, or why it sends nothing."""
    try:
        event = Event.from_dict(value)
    except EventError:
        return value
    if not current.selects(event.event_type):
        known = event.event_type in current.catalog
        return FilterReason.NOT_SELECTED if known else FilterReason.NOT_IN_SCHEMA_VERSION
    needed = current.destination.needs_external_user_id
    if needed and not event.user.get("external_user_id"):
        return FilterReason.NO_EXTERNAL_USER_ID
    if current.field_transformations:
        return apply_transformations(event, current.field_transformations).to_dict()
    return value
