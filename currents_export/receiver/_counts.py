"""Count what a receiver sees: requests, events, and conformance findings."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from ..catalog import Finding, FindingCode

__all__ = ["MAX_IDS", "MAX_KINDS", "Counts", "FindingCount", "Ids", "Recorder", "cut"]

#: The largest number of kinds of findings, and of event types, that are counted separately.
MAX_KINDS = 1000
#: The largest number of ids that are kept to find duplicates; each takes about 70 bytes.
MAX_IDS = 1_000_000
#: The longest text that is kept; event types and field names come from the clients.
_MAX_LENGTH = 300


@attrs.frozen
class FindingCount:
    """How many times events or requests differed from the catalog in the same way.

    Attributes:
        level: `error` or `warning`.
        event_type: the type of the events; None for findings about requests.
        field: the path of the field, or the name of the header.
        problem: what was wrong, the first time.
        expected: what would be right.
        count: how many times it was found.
        code: what kind of difference it is.
    """

    level: str
    event_type: str | None
    field: str
    problem: str
    expected: str
    count: int
    code: FindingCode


@attrs.frozen
class Counts:
    """What a receiver has seen so far, in bounded memory.

    Attributes:
        requests: requests that got a response or were reset.
        by_status: the requests by status; `reset` for those that were reset.
        events: events that were taken, duplicates included.
        duplicates: events whose id is one of the last 1,000,000 different ids that were taken.
        by_event_type: the events that were taken, by type; `?` for those without one. Of more than
            1,000 types, the later ones are counted together, as `other`.
        errors: conformance errors in events, those in refused requests included.
        warnings: conformance warnings in events and requests.
        findings: errors and warnings by kind, the most frequent first. Of more than 1,000 kinds,
            the later ones are only part of `errors` and `warnings`.

    Texts of more than 300 characters are cut short.
    """

    requests: int
    by_status: Mapping[str, int]
    events: int
    duplicates: int
    by_event_type: Mapping[str, int]
    errors: int
    warnings: int
    findings: tuple[FindingCount, ...]

    def to_dict(self, *, values: bool = True) -> dict[str, Any]:
        """Return the counts as a JSON object.

        Args:
            values: whether to include each finding's `problem`, which quotes values of events.
        """
        findings = [attrs.asdict(each) | {"code": each.code.value} for each in self.findings]
        if not values:
            for each in findings:
                del each["problem"]
        return attrs.asdict(self) | {"findings": findings}


class Ids:
    """Find ids that were seen before among the last ones, by their hashes.

    Args:
        most: the largest number of ids to keep.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: set[int] = set()
        self._in_order: deque[int] = deque()

    def add(self, event_id: str) -> bool:
        """Add an id; return whether it was known."""
        # 60 bits are the most that Python keeps in its small integers.
        digest = hash(event_id) & 0xFFF_FFFF_FFFF_FFFF
        if digest in self._known:
            return True
        if len(self._in_order) >= self._most:
            self._known.remove(self._in_order.popleft())
        self._known.add(digest)
        self._in_order.append(digest)
        return False


class Recorder:
    """Count requests, events and findings as they come; the caller holds the lock.

    Args:
        max_ids: the largest number of ids to keep.
    """

    def __init__(self, *, max_ids: int = MAX_IDS) -> None:
        self._ids = Ids(max_ids)
        self._by_status: Counter[str] = Counter()
        self._by_event_type: Counter[str] = Counter()
        self._duplicates = 0
        self._levels: Counter[str] = Counter()
        self._findings: dict[tuple[str, str | None, str, str], FindingCount] = {}

    @property
    def counts(self) -> Counts:
        """What was recorded so far."""
        return Counts(
            requests=self._by_status.total(),
            by_status=dict(sorted(self._by_status.items())),
            events=self._by_event_type.total(),
            duplicates=self._duplicates,
            by_event_type=dict(sorted(self._by_event_type.items())),
            errors=self._levels["error"],
            warnings=self._levels["warning"],
            findings=tuple(sorted(self._findings.values(), key=lambda each: -each.count)),
        )

    def record_status(self, status: str) -> None:
        """Record a request by the status of its response, or `reset`."""
        self._by_status[status] += 1

    def record_events(self, events: Iterable[Any]) -> None:
        """Record events that were taken, which may be any JSON values."""
        for event in events:
            values = event if isinstance(event, dict) else {}
            event_type, event_id = values.get("event_type"), values.get("id")
            name = cut(event_type) if isinstance(event_type, str) else "?"
            if name not in self._by_event_type and len(self._by_event_type) >= MAX_KINDS:
                name = "other"
            self._by_event_type[name] += 1
            if isinstance(event_id, str):
                self._duplicates += self._ids.add(event_id)

    def record_findings(self, findings: Iterable[Finding]) -> None:
        """Record conformance findings by kind."""
        for each in findings:
            self._levels[each.level] += 1
            event_type = None if each.event_type is None else cut(each.event_type)
            field, expected = cut(each.field), cut(each.expected)
            kind = (each.level, event_type, field, expected)
            known = self._findings.get(kind)
            if known is not None:
                self._findings[kind] = attrs.evolve(known, count=known.count + 1)
            elif len(self._findings) < MAX_KINDS:
                self._findings[kind] = FindingCount(
                    each.level, event_type, field, cut(each.problem), expected, 1, each.code
                )


def cut(text: str) -> str:
    """Return a text that came from a client, cut short if it is very long."""
    return text if len(text) <= _MAX_LENGTH else f"{text[: _MAX_LENGTH - 3]}..."
