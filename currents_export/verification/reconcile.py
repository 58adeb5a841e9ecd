"""`reconcile`: compare sent events with what arrived, whatever their number and order."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import chain, islice
from pathlib import Path
from typing import Any

from ..current import Current
from ..delivery import FilterReason
from ..errors import OptionError, ReadError
from ..receiver.rudderstack import Loss, VanishReason
from ._collect import MAX_EXAMPLES, AgeCounter, Collector
from ._content import Content, arrival, content_of, differences, digest, shape
from ._expected import Expectation, expectation
from ._source import Input, OnUnreadable, Source
from ._store import Pair, Row, Store
from .findings import Altered, Caused, Findings
from .report import Report, Through

__all__ = ["reconcile"]

#: How many altered arrivals are compared field by field.
_MAX_EXAMINED = 10_000
_REASONS: tuple[FilterReason | VanishReason, ...] = (*FilterReason, *VanishReason)
_FILTERED = frozenset(each.value for each in FilterReason)


def reconcile(
    sent: Input,
    received: Input,
    *,
    through: Through | str | None = None,
    current: Current | None = None,
    mapping: Mapping[str, str] | None = None,
    late_after: float | None = None,
    exactly_once: bool = False,
    in_order: bool = False,
    on_unreadable: OnUnreadable | None = None,
    directory: Path | str | None = None,
) -> Report:
    """Compare sent events with what arrived.

    Memory does not grow with the number of events; the keys are in a database on disk.

    Args:
        sent: the events, as the name of a file or as values. An id that occurs several times is
            expected as many times.
        received: the events or the messages that arrived, in the same forms.
        through: what is between the two; by default, it follows from the first arrival.
        current: the Current, if `sent` is not what it sent but what it was given.
        mapping: the custom mapping of RudderStack's source.
        late_after: the age in seconds from which an event is late; None, the default, if none is.
        exactly_once: whether duplicates are wrong.
        in_order: whether reordered events are wrong.
        on_unreadable: called for each part of the input that cannot be used; by default, the first
            one is raised.
        directory: where the database is made; by default, where temporary files are.

    Raises:
        ReadError: an input cannot be read, or contains no events.
        OptionError: `through` is unknown, or no arrival has the id of a sent event.
    """
    on_unreadable = _raise if on_unreadable is None else on_unreadable
    with tempfile.TemporaryDirectory(prefix="currents-export-", dir=directory) as made:
        place = Path(made)
        sources = (
            Source(sent, name="sent", directory=place),
            Source(received, name="received", directory=place),
        )
        with closing(Store(place)) as store:
            work = _Comparison(sources, store, through, on_unreadable)
            work.read(current, mapping)
            work.compare(late_after)
            work.compare_order()
            return work.report(exactly_once=exactly_once, in_order=in_order)


def _raise(error: ReadError) -> None:
    raise error


class _Comparison:
    """The state of one comparison."""

    def __init__(
        self,
        sources: tuple[Source, Source],
        store: Store,
        through: Through | str | None,
        on_unreadable: OnUnreadable,
    ) -> None:
        self._sources = sources
        self._store = store
        self._through = _to_through(through)
        self._on_unreadable = on_unreadable
        self._expected: Expectation
        self._counts = [0, 0]
        self._without_id = 0
        self._types: dict[str, int] = {}
        self._type_names: list[str] = []
        self._matched = 0
        names = ("missing", "duplicated", "altered", "unexpected", "reordered", "late")
        self._found = {name: Collector() for name in names}
        self._explained = {reason: Collector() for reason in _REASONS}
        self._is_read = False
        self._reduced = {lost: Collector() for lost in Loss}
        self._ages = AgeCounter()
        #: The numbers of the sent event and of the arrival, where they differ.
        self._to_examine: list[tuple[int, int]] = []

    def read(self, current: Current | None, mapping: Mapping[str, str] | None) -> None:
        """Read both inputs into the store."""
        with closing(self._sources[1].read(self._on_unreadable)) as given:
            # The shape of the first arrival decides what is expected.
            arrivals = self._first_shape(given) if self._through is None else given
            through = self._through or Through.CURRENTS
            self._through = through
            self._expected = expectation(
                through, current=current, mapping=mapping, on_loss=self._count_loss
            )
            self._store.add_rows(self._received_rows(arrivals, through))
        self._store.add_rows(self._sent_rows())
        self._is_read = True
        for source, count in zip(self._sources, self._counts, strict=True):
            if not count:
                raise ReadError("it contains no events", source=source.name)

    def _first_shape(self, arrivals: Iterator[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
        head: list[tuple[int, Any]] = []
        for each in islice(arrivals, 1000):
            head.append(each)
            if (found := shape(each[1])) is not None:
                self._through = found
                break
        if self._through is None and head:
            what = "neither events nor messages of RudderStack's Braze source"
            raise ReadError(f"its first values are {what}", source=self._sources[1].name)
        return chain(head, arrivals)

    def _unusable(self, source: Source, number: int, what: str) -> None:
        self._on_unreadable(ReadError(f"value {number + 1} is {what}", source=source.name))

    def _received_rows(
        self, arrivals: Iterator[tuple[int, Any]], through: Through
    ) -> Iterator[Row]:
        id_name, type_name = (
            ("id", "event_type") if through is Through.CURRENTS else ("messageId", "event")
        )
        for number, value in arrivals:
            if shape(value) is not through:
                right = "an event" if through is Through.CURRENTS else "a message of RudderStack"
                self._unusable(self._sources[1], number, f"not {right}")
                continue
            self._counts[1] += 1
            event_type = _text(value.get(type_name)) or "?"
            event_id = _text(value.get(id_name))
            if not event_id:
                self._found["unexpected"].add("", event_type)
                continue
            content = content_of(value, through)
            kind, timestamp = self._kind(event_type), content.timestamp
            yield Row(
                *(event_id, 1, number, digest(content.value), timestamp, kind),
                *(None, None, arrival(value)),
            )

    def _sent_rows(self) -> Iterator[Row]:
        for number, value in self._sources[0].read(self._on_unreadable):
            if not isinstance(value, dict) or shape(value) is Through.RUDDERSTACK:
                self._unusable(self._sources[0], number, "not an event")
                continue
            self._counts[0] += 1
            event_id = _text(value.get("id"))
            if not event_id:
                self._without_id += 1
                continue
            made = self._expected(value)
            reason = None if isinstance(made, Content) else _REASONS.index(made)
            content = made if isinstance(made, Content) else None
            user, time = value.get("user"), value.get("time")
            yield Row(
                *(event_id, 0, number),
                None if content is None else digest(content.value),
                None if content is None else content.timestamp,
                self._kind(_text(value.get("event_type")) or "?"),
                reason,
                _user(user) if isinstance(user, dict) else None,
                time if type(time) is int and abs(time) < 2**53 else None,
            )

    def _count_loss(self, event: dict[str, Any], lost: Loss) -> None:
        if not self._is_read:  # events that are examined later were counted before
            self._reduced[lost].add(_text(event.get("id")), _text(event.get("event_type")))

    def _kind(self, event_type: str) -> int:
        kind = self._types.get(event_type)
        if kind is None:
            kind = self._types[event_type] = len(self._types)
            self._type_names.append(event_type)
        return kind

    def compare(self, late_after: float | None) -> None:
        """Compare the rows of each id, and keep those that arrived for their order."""
        self._store.add_pairs(self._compared(late_after))
        if not self._matched and all(self._counts):
            raise OptionError(
                "no arrival has the id of a sent event; are the two inputs from the same run?"
            )
        self._examine()

    def _compared(self, late_after: float | None) -> Iterator[Pair]:
        for rows in self._store.by_id():
            first = rows[0]
            cut = next((at for at, row in enumerate(rows) if row.is_arrival), len(rows))
            sent, arrivals = rows[:cut], rows[cut:]
            event_type = self._type_names[first.kind]
            expected = [row for row in sent if row.reason is None]
            self._matched += bool(sent and arrivals)
            for row in sent:
                if row.reason is not None:
                    self._explained[_REASONS[row.reason]].add(row.id, event_type)
            if not expected:
                if arrivals:
                    self._found["unexpected"].add(first.id, event_type, count=len(arrivals))
                continue
            if not arrivals:
                self._found["missing"].add(first.id, event_type, count=len(expected))
                continue
            if len(arrivals) > len(sent):
                more = len(arrivals) - len(sent)
                self._found["duplicated"].add(first.id, event_type, count=more)
            self._compare_contents(expected, arrivals, event_type)
            self._compare_times(expected[0], arrivals[0], event_type, late_after)
            if expected[0].user is not None:
                yield Pair(expected[0].user, expected[0].number, arrivals[0].number, first.kind)

    def _compare_contents(self, expected: list[Row], arrivals: list[Row], event_type: str) -> None:
        for row in arrivals:
            if not any(_is_same(each, row) for each in expected):
                self._found["altered"].add(row.id, event_type)
                if len(self._to_examine) < _MAX_EXAMINED:
                    self._to_examine.append((expected[0].number, row.number))

    def _compare_times(
        self, sent: Row, row: Row, event_type: str, late_after: float | None
    ) -> None:
        if sent.time is None or row.time is None:
            return
        age = row.time - sent.time
        self._ages.add(age)
        if late_after is not None and age > late_after:
            self._found["late"].add(
                row.id, event_type, field="time", expected=late_after, got=round(age, 3)
            )

    def _examine(self) -> None:
        """Read the contents of altered arrivals again, and compare them field by field."""
        self._by_field: Counter[str] = Counter()
        self._details = Collector()
        if not self._to_examine:
            return
        wanted = [{pair[side] for pair in self._to_examine} for side in (0, 1)]
        values = [
            {number: value for number, value in source.read_again() if number in numbers}
            for source, numbers in zip(self._sources, wanted, strict=True)
        ]
        through = self._through or Through.CURRENTS
        for sent, received in self._to_examine:
            event, arrived = values[0].get(sent), values[1].get(received)
            if not isinstance(event, dict) or not isinstance(arrived, dict):
                continue  # the file has changed meanwhile
            made, got = self._expected(event), content_of(arrived, through)
            if not isinstance(made, Content):
                continue
            found = [*differences(made, got)]
            self._by_field.update({path for path, _, _ in found})
            for path, before, after in found:
                self._details.add_example(
                    _text(event.get("id")),
                    _text(event.get("event_type")) or "?",
                    field=path,
                    expected=before,
                    got=after,
                )

    def compare_order(self) -> None:
        """Find the events that arrived before an earlier event of the same user."""
        found = self._found["reordered"]
        first: dict[int, str] = {}
        user, latest = None, -1
        for pair in self._store.by_user():
            if pair.user != user:
                user, latest = pair.user, -1
            if pair.received > latest:
                latest = pair.received
            elif pair.received < latest:
                found.add_count(self._type_names[pair.kind])
                if len(first) < MAX_EXAMPLES:
                    first[pair.sent] = self._type_names[pair.kind]
        for event_id, number in zip(self._store.ids(first), sorted(first), strict=True):
            found.add_example(event_id, first[number])

    def report(self, *, exactly_once: bool, in_order: bool) -> Report:
        """Return the report."""
        found = {name: collector.findings for name, collector in self._found.items()}
        altered = found["altered"]
        explained = _found(self._explained)
        return Report(
            through=self._through or Through.CURRENTS,
            sent=self._counts[0],
            received=self._counts[1],
            matched=self._matched,
            missing=_caused(found["missing"]),
            duplicated=_caused(found["duplicated"]),
            altered=Altered(
                altered.count,
                self._details.findings.examples,
                altered.by_event_type,
                by_field=dict(self._by_field.most_common()),
                examined=len(self._to_examine),
            ),
            filtered={code: each for code, each in explained.items() if code in _FILTERED},
            vanished={code: each for code, each in explained.items() if code not in _FILTERED},
            reduced=_found(self._reduced),
            without_id=self._without_id,
            ages=self._ages.delays,
            exactly_once=exactly_once,
            in_order=in_order,
            unexpected=found["unexpected"],
            reordered=found["reordered"],
            late=found["late"],
        )


def _found(collectors: Mapping[Any, Collector]) -> dict[str, Findings]:
    """Return the findings by code, where there are any."""
    return {code.value: each.findings for code, each in collectors.items() if each.count}


def _caused(findings: Findings) -> Caused:
    return Caused(findings.count, findings.examples, findings.by_event_type)


def _to_through(value: Through | str | None) -> Through | None:
    if value is None:
        return None
    try:
        return Through(value)
    except ValueError:
        names = " or ".join(Through)
        raise OptionError(f"through is {value!r}; it must be {names}") from None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else str(value)


def _user(user: dict[str, Any]) -> int | None:
    who = user.get("user_id") or user.get("external_user_id")
    return hash(who) if isinstance(who, str) else None


def _is_same(expected: Row, row: Row) -> bool:
    if expected.digest != row.digest:
        return False
    same = expected.timestamp == row.timestamp
    return same or Content({}, expected.timestamp).is_met_by(row.timestamp)
