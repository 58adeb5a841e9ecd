"""The totals that the page shows on top."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._counts import Counts, FindingCount
from .._endpoint import Endpoint
from ..receiver import Receiver
from ..rudderstack import GatewayCounts, MessageCounts, RudderStack, WebhookDestination
from ._lines import visible
from ._store import Store

__all__ = ["summary"]

#: The most types and findings that are listed.
_MOST_TYPES, _MOST_FINDINGS = 100, 50


def summary(receiver: Endpoint, store: Store, *, now: float) -> dict[str, Any]:
    """Return totals, rates, response times and findings by kind, as a JSON object.

    Args:
        receiver: counts the events.
        store: keeps the last requests.
        now: the time in seconds since the Unix epoch.
    """
    value = store.totals(now)
    findings = value.pop("findings")
    value |= _totals(receiver)
    value["finding_kinds"] = len(findings)
    value["findings"] = _grouped(findings)[:_MOST_FINDINGS]
    value["next_event"], value["next_request"] = store.events.next, store.requests.next
    value["run"] = store.run
    return value


def _grouped(findings: Iterable[FindingCount]) -> list[dict[str, Any]]:
    """Return findings by level, code and field, with the event types in which they were found."""
    groups: dict[tuple[str, str, str], dict[str, Any]] = {}
    for each in findings:
        key = each.level, each.code.value, each.field
        group = groups.setdefault(
            key,
            {
                "level": each.level,
                "code": each.code.value,
                "text": each.code.description,
                "field": visible(each.field),
                "expected": visible(each.expected),
                "types": [],
                "count": 0,
            },
        )
        group["count"] += each.count
        if each.event_type is not None:
            group["types"].append(visible(each.event_type))
    return sorted(groups.values(), key=lambda group: -group["count"])


def _totals(receiver: Endpoint) -> dict[str, Any]:
    if not isinstance(receiver, Receiver | RudderStack | WebhookDestination):
        return {"events": 0, "duplicates": 0, "by_type": [], "more": {}}
    counts: Counts | MessageCounts = receiver.counts
    by_type = counts.by_event_type if isinstance(counts, Counts) else counts.by_event
    ordered = sorted(by_type.items(), key=lambda pair: (-pair[1], pair[0]))
    more: dict[str, int] = {}
    if isinstance(counts, GatewayCounts):
        more = {
            "messages": counts.messages,
            "vanished": sum(counts.vanished.values()),
            "suppressed": counts.suppressed,
            "forwarded": counts.delivered,
            "waiting": counts.waiting,
            "given up": counts.given_up,
        }
    taken = counts.messages if isinstance(counts, MessageCounts) else counts.events
    return {
        "events": counts.events if isinstance(counts, GatewayCounts) else taken,
        "duplicates": counts.duplicates,
        "by_type": [[visible(name), count] for name, count in ordered[:_MOST_TYPES]],
        "types": len(by_type),
        "more": more,
    }
