"""Rule 1: every follow-up has an earlier cause, which the table `causes.tsv` names."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from sys import intern
from typing import Any, Final

from ._causes_table import CauseRow
from ._context import Context, UserCheck
from ._finding import IncoherenceCode, IncoherenceFinding
from ._seen import DAY, HOUR, MINUTE, Kind, Seen

__all__ = ["Causes"]

#: Fields whose value belongs to one message, session or passage only.
_UNIQUE: Final = frozenset({"dispatch_id", "message_id", "session_id", "activity_id"})

#: How long to remember an effect without a cause, in case its cause comes later.
_WAIT: Final = DAY


class _Group:
    """Rows of one effect channel with the same causes and links: they share remembered causes."""

    __slots__ = ("causes", "key", "links", "longest", "missing", "number")

    def __init__(self, number: int, row: CauseRow, causes: tuple[str, ...]) -> None:
        self.number, self.causes = number, causes
        self.key, self.links = row.key, row.links
        self.longest = row.within
        self.missing = set(causes)


#: The values of the links of an event.
_Values = tuple[str | None, ...]

#: A remembered event: its time, id and values, and the one before it with the same key. Millions of
#: them can be remembered, and the garbage collector need not look at tuples.
_Cause = tuple[int, str | None, _Values, Any]

_Key = tuple[int, str]


class _State:
    __slots__ = ("causes", "orphans")

    def __init__(self) -> None:
        self.causes: dict[_Key, _Cause] = {}
        self.orphans: dict[_Key, list[tuple[Seen, _Values]]] = {}


class Causes(UserCheck[_State]):
    """Look for the cause of every effect."""

    def __init__(self, context: Context, rows: list[CauseRow]) -> None:
        super().__init__(context)
        # In a stream that begins in the middle, rows that demand nothing still show that an
        # effect precedes its cause.
        self._rows = rows
        self._groups: dict[tuple[tuple[str, ...], str, tuple[str, ...]], _Group] = {}
        self._effects: dict[str, list[tuple[CauseRow, _Group]]] = {}
        self._causes: dict[str, list[_Group]] = {}
        self._families: set[str] = set()
        # The groups, by their numbers, in which a type follows from another cause: what precedes
        # it may have followed from that one.
        self._later: dict[str, frozenset[int]] = {}

    def concerns(self, kind: Kind) -> bool:
        """Return whether a type is an effect or a cause."""
        rows, groups = self._rows_of(kind), self._groups_of(kind)
        return bool(rows or groups)

    def feed(self, event: Seen) -> Iterator[IncoherenceFinding]:
        """Find the event's causes, and remember it as a cause."""
        if event.user is None:
            return
        name = event.kind.name
        rows, groups = self._effects.get(name, ()), self._causes.get(name, ())
        later = self._later.get(name, ())
        state = self.states.get(event.user)
        if state is None:
            state = self.states[event.user] = _State()
        for row, group in rows:
            yield from self._check_effect(state, event, row, group)
        for group in groups:
            group.missing.discard(name)
            key = event.value(group.key)
            if key is None:
                continue
            at = (group.number, intern(key))
            values = _values(event, group.links)
            if state.orphans and at in state.orphans and group.number not in later:
                yield from _precedes(state, at, group, event, values)
            state.causes[at] = (event.time, event.id, values, state.causes.get(at))

    def forget(self, now: int) -> None:
        """Drop causes older than the longest delay of their effects."""
        oldest = {group.number: now - group.longest for group in self._groups.values()}
        for state in self.states.values():
            for at, cause in [*state.causes.items()]:
                left = _since(cause, oldest[at[0]])
                if left is None:
                    del state.causes[at]
                elif left is not cause:
                    state.causes[at] = left
            for at in [at for at, kept in state.orphans.items() if kept[-1][0].time < now - _WAIT]:
                del state.orphans[at]

    def _check_effect(
        self, state: _State, event: Seen, row: CauseRow, group: _Group
    ) -> Iterator[IncoherenceFinding]:
        key = event.value(row.key)
        if key is None or (row.unless and event.properties.get(row.unless) is True):
            return
        at = (group.number, key)
        values = _values(event, row.links)
        cause = state.causes.get(at)
        while cause is not None:
            time, _, linked, older = cause
            if event.time - time <= row.within and _fits(linked, values):
                return
            cause = older
        demanded = row.demanded and not group.missing
        if self.context.is_whole(event.user) or (
            demanded and self.context.knows(event.user, event.time, row.within)
        ):
            yield event.finding(
                row.code,
                f"no {_either(group.causes)} of the same {_noun(row.key)} and user precedes it",
                f"it comes at most {_span(row.within)} after one",
            )
        else:
            # Without an id to tell the repetitions of a message apart, nothing follows from order.
            unique = [link for link in (row.key, *row.links) if link in _UNIQUE]
            if any(event.value(link) for link in unique):
                state.orphans.setdefault(at, []).append((event.bare(), values))

    def _rows_of(self, kind: Kind) -> list[tuple[CauseRow, _Group]]:
        rows = self._effects.get(kind.name)
        if rows is None:
            rows = []
            for row in self._rows:
                if row.is_effect(kind.name):
                    rows.append((row, self._group(row, kind.name)))
            self._effects[kind.name] = rows
        return rows

    def _groups_of(self, kind: Kind) -> list[_Group]:
        groups = self._causes.get(kind.name)
        if groups is None:
            self._meet_family(kind.name)
            groups = self._causes[kind.name] = [
                group
                for group in self._groups.values()
                if any(fnmatchcase(kind.name, cause) for cause in group.causes)
            ]
            before = {
                cause
                for row in self._rows
                if row.is_effect(kind.name)
                for cause in row.causes_of(kind.name)
            }
            self._later[kind.name] = frozenset(
                group.number
                for group in groups
                if any(fnmatchcase(cause, each) for cause in before for each in group.causes)
            )
        return groups

    def _group(self, row: CauseRow, effect: str) -> _Group:
        causes = row.causes_of(effect)
        group = self._groups.get((causes, row.key, row.links))
        if group is None:
            group = _Group(len(self._groups), row, causes)
            self._groups[causes, row.key, row.links] = group
        group.longest = max(group.longest, row.within)
        return group

    def _meet_family(self, event_type: str) -> None:
        """Make the groups whose effects can follow a type, before its first event is kept."""
        family = event_type.rpartition(".")[0]
        for row in self._rows:
            # An effect of the same channel can have any name that the row's glob allows.
            effect_family, _, last = row.effect.rpartition(".")
            own = any("." not in cause for cause in row.causes)
            if not own:
                self._group(row, row.effect)
            elif fnmatchcase(family, effect_family):
                self._group(row, f"{family}.{last}")


def _values(event: Seen, links: tuple[str, ...]) -> _Values:
    # Nearly all rows have one link or none.
    if len(links) == 1:
        return (event.value(links[0]),)
    return tuple([event.value(link) for link in links])


def _fits(cause: _Values, effect: _Values) -> bool:
    if cause == effect:
        return True
    for one, other in zip(cause, effect, strict=True):
        if one is not None and other is not None and one != other:
            return False
    return True


def _precedes(
    state: _State, at: _Key, group: _Group, cause: Seen, values: _Values
) -> Iterator[IncoherenceFinding]:
    """Yield the findings of earlier effects that belong to a cause."""
    left = []
    for effect, linked in state.orphans.pop(at):
        certain = group.key in _UNIQUE or any(
            link in _UNIQUE and one is not None and one == other
            for link, one, other in zip(group.links, values, linked, strict=True)
        )
        same_device = all(
            one == other
            for link, one, other in zip(group.links, values, linked, strict=True)
            if link == "device_id"
        )
        # What is seen was sent before, perhaps before the stream began.
        seen = cause.kind.last == "Impression" and any(
            each.endswith(".Send") for each in group.causes
        )
        if seen or not certain or not same_device or not _fits(values, linked):
            left.append((effect, linked))
        elif effect.time < cause.time and cause.time - effect.time <= _WAIT:
            yield effect.finding(
                IncoherenceCode.BEFORE_CAUSE,
                f"it precedes its {cause.kind.name} by {_span(cause.time - effect.time)}",
                f"it comes after the {cause.kind.last}",
                cause.id,
            )
    if left:
        state.orphans[at] = left


def _since(cause: _Cause, oldest: int) -> _Cause | None:
    """Return a cause and those before it, without the ones that are too old."""
    kept = []
    left: _Cause | None = cause
    while left is not None and left[0] >= oldest:
        kept.append(left)
        left = left[3]
    if left is None:
        return cause
    made: _Cause | None = None
    for time, event_id, values, _ in reversed(kept):
        made = (time, event_id, values, made)
    return made


def _either(causes: tuple[str, ...]) -> str:
    return " or ".join(causes)


def _noun(key: str) -> str:
    return key.removesuffix("_id").replace("_", " ")


def _span(seconds: int) -> str:
    for unit, size in (("day", DAY), ("hour", HOUR), ("minute", MINUTE)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {unit}{'' if seconds == size else 's'}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"
