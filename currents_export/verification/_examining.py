"""Read altered events again, and compare them field by field."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from heapq import nsmallest
from typing import Any

from ._collect import Collector, found_by_code
from ._comparing import MAX_EXAMINED
from ._content import Content, differences
from ._forms import Form
from ._rows import id_of, name_of
from ._source import Source
from .findings import Altered, FindingKind, Findings, Pair

__all__ = ["Examiner"]

#: How many fields that differ are counted separately, and what counts the others.
_MAX_FIELDS = 1000
_OTHERS = "(others)"
#: How many altered events a report has as a whole.
_MAX_PAIRS = 5
_TIMES = frozenset({"timestamp", "time"})
_NAMES = frozenset({"event", "event_text"})
_REMOVED = "[REDACTED]"


class Examiner:
    """Find the fields that differ, and why.

    Args:
        sent: what was sent.
        received: what arrived.
        event_of: returns the event in a sent value.
        expected: returns what should arrive of an event, or why nothing should.
        form: how what arrived is read.
    """

    def __init__(
        self,
        sent: Source,
        received: Source,
        *,
        event_of: Callable[[dict[str, Any]], dict[str, Any]],
        expected: Callable[[dict[str, Any]], Content | Any],
        form: Form,
    ) -> None:
        self._sources = (sent, received)
        self._event_of = event_of
        self._expected = expected
        self._form = form
        self._by_field: Counter[str] = Counter()
        self._details = Collector()
        self._causes = {
            kind: Collector()
            for kind in (
                FindingKind.WRONG_TIME,
                FindingKind.UNMAPPED_NAMES,
                FindingKind.CLEAR_PERSONAL_DATA,
                FindingKind.CHANGED,
            )
        }
        self._pairs: list[Pair] = []
        self._shifts: set[float | None] = set()
        self._examined = 0

    def examine(self, numbers: Iterable[tuple[str, int, int]]) -> None:
        """Compare arrivals with what was expected of them.

        Args:
            numbers: the id, the number of the sent event, and the number of the arrival, of each.
        """
        chosen = nsmallest(MAX_EXAMINED, numbers)
        if not chosen:
            return
        self._examined = len(chosen)
        sent = self._values(self._sources[0], {number for _, number, _ in chosen})
        received = self._values(self._sources[1], {number for _, _, number in chosen})
        for _, first, second in chosen:
            if first in sent and second in received:  # the file has not changed meanwhile
                self._compare(self._event_of(sent[first]), received[second])

    def _values(self, source: Source, numbers: set[int]) -> dict[int, dict[str, Any]]:
        found = {}
        for number, value in source.read_again():
            if number in numbers and type(value) is dict:
                found[number] = value
                if len(found) == len(numbers):
                    break
        return found

    def _compare(self, event: dict[str, Any], arrived: dict[str, Any]) -> None:
        expected, got = self._expected(event), self._form.content(arrived)
        if not isinstance(expected, tuple):
            return
        event_id, event_type = id_of(event.get("id")), name_of(event.get("event_type"))
        found = [
            (self._form.path(path), before, after)
            for path, before, after in differences(expected, got)
        ]
        for path in {path for path, _, _ in found}:
            is_counted = path in self._by_field or len(self._by_field) < _MAX_FIELDS
            self._by_field[path if is_counted else _OTHERS] += 1
        by_cause: dict[FindingKind, tuple[str, Any, Any]] = {}
        for difference in found:
            path, before, after = difference
            self._details.add_example(event_id, event_type, field=path, expected=before, got=after)
            cause = self._cause(event_type, *difference)
            by_cause.setdefault(cause, difference)
        for cause, (path, before, after) in by_cause.items():
            self._causes[cause].add(event_id, event_type, field=path, expected=before, got=after)
        if found and len(self._pairs) < _MAX_PAIRS:
            fields = tuple(dict.fromkeys(path for path, _, _ in found))
            whole = self._form.shown(expected), self._form.shown(got)
            self._pairs.append(Pair(event_id, event_type, *whole, fields))

    def _cause(self, event_type: str, path: str, expected: Any, got: Any) -> FindingKind:
        if path in _TIMES:
            self._shifts.add(_shift(expected, got))
            return FindingKind.WRONG_TIME
        if path in _NAMES and event_type in (expected, got):
            return FindingKind.UNMAPPED_NAMES
        if _is_in_clear(expected, got):
            return FindingKind.CLEAR_PERSONAL_DATA
        return FindingKind.CHANGED

    def altered(self, found: Findings) -> Altered:
        """Return the altered arrivals, with what was found about those that were examined."""
        shift = next(iter(self._shifts)) if len(self._shifts) == 1 else None
        return Altered(
            found.count,
            self._details.findings.examples,
            found.by_event_type,
            found_by_code(self._causes),
            dict(self._by_field.most_common()),
            self._examined,
            tuple(self._pairs),
            shift,
        )


def _shift(expected: Any, got: Any) -> float | None:
    """Return by how many seconds a time is later than another; None if that is not known."""
    before, after = _moment(expected), _moment(got)
    return None if before is None or after is None else round(after - before, 3)


def _moment(value: Any) -> float | None:
    if type(value) is int or type(value) is float:
        return float(value)
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment.timestamp() if moment.tzinfo else None


def _is_in_clear(expected: Any, got: Any) -> bool:
    """Return whether a text arrived that should have been removed or hashed."""
    if type(expected) is not str or type(got) is not str or expected == got:
        return False
    hashed = hashlib.sha256(got.encode("utf-8", "surrogatepass")).hexdigest()
    return expected in (_REMOVED, hashed)
