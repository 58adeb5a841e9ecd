"""Why an event is dropped or filtered.

Source: Braze, Custom Currents export, Event delivery semantics and Currents FAQ; RudderStack for
Currents.
"""

from __future__ import annotations

from .._codes import Code

__all__ = ["DropReason", "FilterReason"]


class DropReason(Code):
    """Why an accepted event will not be delivered.

    `TOO_LARGE` is decided before the event is sent. An event that the receiver rejects in a batch
    of its own, with 400 or 413, is `REJECTED_ALONE`; `Drop.response` has the response. An event
    that the outbox cannot return as it was stored is `DAMAGED`, and never sent; if it is gone, its
    id is empty.
    """

    TOO_LARGE = "too_large", "larger than 900 KB"
    REJECTED_ALONE = "rejected_alone", "rejected by the receiver in a batch of its own"
    DISABLED = "disabled", "sent while the Current was disabled"
    EXPIRED = "expired", "not delivered within 7 days after the Current was disabled"
    DAMAGED = "damaged", "damaged in the outbox"
    DESELECTED = "deselected", "no longer sent after the Current was edited"


class FilterReason(Code):
    """Why an event is not accepted."""

    NOT_SELECTED = "not_selected", "event type not selected"
    NOT_IN_SCHEMA_VERSION = "not_in_schema_version", "event type not in the schema version"
    NO_EXTERNAL_USER_ID = "no_external_user_id", "user without an external_user_id"
