"""Windows of the requests and events that are kept, filtered."""

from __future__ import annotations

import fnmatch
import glob
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import attrs

from ._lines import visible
from ._personal import Masks
from ._store import EventRow, RequestRow, Store, worst_of

__all__ = ["Filter", "event_summary", "events_window", "request_summary", "requests_window"]

#: The most rows of a window, and of a timeline.
MOST_ROWS, MOST_MOMENTS = 200, 500
#: How many events are searched for one window, so that other requests need not wait long for it.
MOST_SEARCHED = 25_000
#: A number in the reason of a refusal that may be a phone number.
_DIGITS = re.compile(r"\d{7,}")


@attrs.frozen
class Filter:
    """Which events to show; an empty text means any.

    Attributes:
        type: a part of the type, or a glob such as `users.messages.*.Open`.
        user: a part of an id of the user, or the tag that stands for the user.
        campaign: a part of the id or the name of the campaign or Canvas.
        finding: `error`, `warning`, `any`, or a part of a finding's code or field.
        text: what the event's JSON contains; upper and lower case are the same.
        request: the number of the request.
    """

    type: str = ""
    user: str = ""
    campaign: str = ""
    finding: str = ""
    text: str = ""
    request: str = ""

    def test(self) -> Callable[[EventRow], bool]:
        """Return the function that accepts the events to show."""
        tests: list[Callable[[EventRow], bool]] = []
        if self.type:
            tests.append(_type_test(self.type.strip().lower()))
        if self.user:
            wanted_user = self.user.strip()
            tests.append(lambda row: wanted_user in row.users_text)
        if self.campaign:
            tests.append(_campaign_test(self.campaign.strip().lower()))
        if self.finding:
            tests.append(_finding_test(self.finding.strip().lower()))
        if self.request.isdecimal():
            number = int(self.request[:18])
            tests.append(lambda row: row.request == number)
        if self.text:
            tests.append(_text_test(self.text))
        if len(tests) == 1:
            return tests[0]
        return lambda row: all(test(row) for test in tests)


def _type_test(wanted: str) -> Callable[[EventRow], bool]:
    pattern = wanted if any(each in wanted for each in "*?[") else f"*{glob.escape(wanted)}*"
    matches = re.compile(fnmatch.translate(pattern), re.IGNORECASE).match

    @lru_cache(4096)
    def is_wanted(event_type: str) -> bool:
        return matches(event_type) is not None

    return lambda row: is_wanted(row.event_type)


def _campaign_test(wanted: str) -> Callable[[EventRow], bool]:
    @lru_cache(4096)
    def is_wanted(campaign: str, name: str) -> bool:
        return wanted in campaign.lower() or wanted in name.lower()

    return lambda row: is_wanted(row.campaign, row.campaign_name)


def _finding_test(wanted: str) -> Callable[[EventRow], bool]:
    if wanted == "any":
        return lambda row: bool(row.findings)
    if wanted in ("error", "warning"):
        return lambda row: any(each.level == wanted for each in row.findings)
    return lambda row: any(
        wanted in each.code.value or wanted in each.field.lower() for each in row.findings
    )


def _text_test(text: str) -> Callable[[EventRow], bool]:
    if text.isascii():
        wanted = text.lower().encode()
        return lambda row: wanted in row.data.lower()
    # To decode every event would take too long, so these are the usual ways to write it.
    written = {text, text.lower(), text.upper(), text.capitalize(), text.title()}
    forms = [each.encode(errors="replace") for each in sorted(written)]
    part = max(re.split(r"[^\x00-\x7f]+", text.lower()), key=len).encode()

    def has_text(row: EventRow) -> bool:
        data = row.data
        return part in data.lower() and any(form in data for form in forms)

    return has_text


def events_window(
    store: Store,
    wanted: Filter,
    *,
    before: int | None = None,
    after: int = -1,
    limit: int,
    masks: Masks | None,
) -> dict[str, Any]:
    """Return the newest events that pass the filter, and where the next window begins.

    A window may have fewer events than its limit although there are more, because only so many
    are searched for it.

    Args:
        store: the events.
        wanted: the filter.
        before: only events with smaller numbers; None for all.
        after: only events with larger numbers.
        limit: the most events.
        masks: mask personal data; None to show it.
    """
    accept = wanted.test()
    found: list[EventRow] = []
    more = None
    rows = store.events.newest_first(before, after, MOST_SEARCHED)
    for row in rows:
        if accept(row):
            found.append(row)
            if len(found) == min(limit, MOST_ROWS):
                break
    last = found[-1] if len(found) == min(limit, MOST_ROWS) else rows[-1] if rows else None
    if last is not None and last.number > store.events.first:
        more = last.number
    return {
        "events": [event_summary(store, each, masks) for each in found],
        "more": more,
        "next": store.events.next,
        "kept": store.events.next - store.events.first,
        "dropped": store.events.first,
    }


def requests_window(
    store: Store,
    *,
    failed: bool,
    before: int | None = None,
    after: int = -1,
    limit: int,
    masks: Masks | None,
) -> dict[str, Any]:
    """Return the newest requests, and where the next window begins.

    Args:
        store: the requests.
        failed: whether to return only those whose status is not 2XX.
        before: only requests with smaller numbers; None for all.
        after: only requests with larger numbers.
        limit: the most requests.
        masks: mask personal data; None to show it.
    """
    found: list[RequestRow] = []
    more = None
    for row in store.requests.newest_first(before, after):
        if failed and row.status.startswith("2"):
            continue
        if len(found) == min(limit, MOST_ROWS):
            more = found[-1].number
            break
        found.append(row)
    return {
        "requests": [request_summary(each, masks) for each in found],
        "more": more,
        "next": store.requests.next,
        "kept": store.requests.next - store.requests.first,
        "dropped": store.requests.first,
    }


def timeline(store: Store, *, user: str, campaign: str, masks: Masks | None) -> dict[str, Any]:
    """Return the last events of a user, in the order in which they happened.

    Args:
        store: the events.
        user: the tag, or an id, of the user.
        campaign: the id of a campaign or Canvas, for one journey; empty for all events.
        masks: mask personal data; None to show it.
    """
    found: list[EventRow] = []
    more = False
    for row in store.events.newest_first():
        if (row.tag == user or user in row.users) and campaign in ("", row.campaign):
            if len(found) == MOST_MOMENTS:
                more = True
                break
            found.append(row)
    found.sort(key=lambda row: (row.time if row.time is not None else row.at, row.number))
    shown = ""
    if found:
        shown = found[0].tag if masks else found[0].users[0]
    return {
        "user": shown or user,
        "events": [event_summary(store, each, masks) for each in found],
        "more": more,
    }


def event_summary(store: Store, row: EventRow, masks: Masks | None) -> dict[str, Any]:
    """Return what a list shows of an event."""
    return {
        "id": f"{store.run}-{row.number}",
        "number": row.number,
        "request": row.request,
        "at": row.at,
        "time": row.time,
        "event_id": row.event_id,
        "type": row.event_type,
        "tag": row.tag,
        "user": row.tag if masks else (row.users[0] if row.users else ""),
        "campaign": row.campaign,
        "campaign_name": row.campaign_name,
        "findings": len(row.findings),
        "worst": worst_of(row.findings),
        "taken": row.taken,
    }


def request_summary(row: RequestRow, masks: Masks | None) -> dict[str, Any]:
    """Return what a list shows of a request."""
    return {
        "number": row.number,
        "at": row.at,
        "status": row.status,
        "ms": round(row.milliseconds, 1),
        "bytes": row.wire_bytes,
        "events": row.events,
        "taken": row.taken,
        "retry_of": row.retry_of,
        "fault": row.fault,
        "resent": row.resent,
        "worst": row.worst,
        "reason": visible(row.reason if masks is None else _without_values(row.reason)),
    }


def _without_values(reason: str) -> str:
    """Return why a request was refused, without the values that the end of the text may quote."""
    return _DIGITS.sub("•••", reason.partition(";")[0])
