"""What the page shows of one event, and of one request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from ..rudderstack import VanishReason, transformed
from ._lines import findings_of, lines_of
from ._personal import Masks
from ._queries import event_summary, request_summary
from ._secrets import Secrets, shown_headers, shown_path
from ._store import EventRow, RequestRow, Store

__all__ = ["event_details", "request_details"]

#: The most bytes of a body that the page shows; the download has all of them.
_SHOWN_BYTES = 64 * 1024


def event_details(
    store: Store,
    row: EventRow,
    *,
    mapping: Mapping[str, str] | None,
    is_message: bool,
    masks: Masks | None,
    secrets: Secrets,
) -> dict[str, Any]:
    """Return the lines of an event, what RudderStack makes of it, and its request.

    Args:
        store: keeps the request.
        row: the event.
        mapping: the custom mapping of RudderStack's source.
        is_message: whether it is a message that RudderStack made.
        masks: mask personal data; None to show it.
        secrets: the credentials that must not be shown.
    """
    value = orjson.loads(row.data)
    request = store.requests.get(row.request)
    source = None if request is None else request_details(request, masks=masks, secrets=secrets)
    return {
        **event_summary(store, row, masks),
        "lines": lines_of(value, row.findings, masks=masks),
        "all_findings": findings_of(row.findings, masks=masks),
        "made": None if is_message else _made_of(value, mapping, masks),
        "source": source,
    }


def _made_of(value: Any, mapping: Mapping[str, str] | None, masks: Masks | None) -> dict[str, Any]:
    """Return what RudderStack makes of an event."""
    made = transformed(value, mapping)
    if isinstance(made, VanishReason):
        return {"vanished": made.description, "lines": []}
    return {"vanished": None, "lines": lines_of(made, masks=masks)}


def request_details(row: RequestRow, *, masks: Masks | None, secrets: Secrets) -> dict[str, Any]:
    """Return the headers and the beginning of the body of a request.

    Args:
        row: the request.
        masks: mask personal data, and leave out the body; None to show it.
        secrets: the credentials that must not be shown.
    """
    text = None
    if row.body is not None and masks is None:
        shown = secrets.hide_bytes(row.body)[:_SHOWN_BYTES]
        text = _readable(shown.decode(errors="backslashreplace"))
    return {
        **request_summary(row, masks),
        "method": row.method,
        "path": shown_path(row.path, row.query),
        "headers": shown_headers(row.headers),
        "findings": findings_of(row.findings, masks=masks),
        "has_body": row.body is not None,
        "body_bytes": None if row.body is None else len(row.body),
        "text": text,
        "cut": row.body is not None and len(row.body) > _SHOWN_BYTES,
    }


def _readable(text: str) -> str:
    """Return a text with invisible characters as escapes, but its lines and tabs as they are."""
    if text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(
        each if each.isprintable() or each in "\n\t" else each.encode("unicode_escape").decode()
        for each in text
    )
