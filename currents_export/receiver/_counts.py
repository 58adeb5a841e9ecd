"""Count what a receiver sees: requests, events, and conformance findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from ..catalog import Finding, FindingCode

__all__ = ["Counts", "FindingCount", "Recorder"]

#: The largest number of kinds of findings that are counted separately.
_MAX_KINDS = 1000


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
    """What a receiver has seen so far.

    Attributes:
        requests: requests that got a response or were reset.
        by_status: the requests by status; `reset` for those that were reset.
        events: events that were taken, duplicates included.
        duplicates: events whose id had been taken before.
        by_event_type: the events that were taken, by type.
        errors: conformance errors in events, those in refused requests included.
        warnings: conformance warnings in events and requests.
        findings: errors and warnings by kind, the most frequent first. After the first 1,000 kinds,
            other kinds are counted only in `errors` and `warnings`.
    """

    requests: int
    by_status: Mapping[str, int]
    events: int
    duplicates: int
    by_event_type: Mapping[str, int]
    errors: int
    warnings: int
    findings: tuple[FindingCount, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as a JSON object."""
        findings = [attrs.asdict(each) | {"code": each.code.value} for each in self.findings]
        return attrs.asdict(self) | {"findings": findings}


class Recorder:
    """Count requests, events and findings as they arrive; the caller holds the lock."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
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
            self._by_event_type[event_type if isinstance(event_type, str) else "?"] += 1
            if isinstance(event_id, str):
                self._duplicates += event_id in self._ids
                self._ids.add(event_id)

    def record_findings(self, findings: Iterable[Finding]) -> None:
        """Record conformance findings by kind."""
        for each in findings:
            self._levels[each.level] += 1
            kind = (each.level, each.event_type, each.field, each.expected)
            known = self._findings.get(kind)
            if known is None and len(self._findings) >= _MAX_KINDS:
                continue
            self._findings[kind] = FindingCount(
                each.level,
                each.event_type,
                each.field,
                known.problem if known else each.problem,
                each.expected,
                known.count + 1 if known else 1,
                each.code,
            )
