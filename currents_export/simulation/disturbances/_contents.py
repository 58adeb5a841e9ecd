"""Disturbances of what events contain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, ClassVar, Literal

import attrs

from ...catalog import FORMATS, Catalog, Field
from .._draws import mix, unit
from .._settings import Duration, TimePoint, to_duration, to_time_point
from .._structure import Problem
from ._base import Disturbance, Item, Patterns, to_patterns

__all__ = ["Drift", "MissingExternalUserId", "NullNames", "OpenBeforeSend"]

_HOUR = 3600
#: A campaign or Canvas is not renamed again within so many hours.
_APART = 25
#: The names that a rename changes.
_OWN_NAMES = ("campaign_name", "canvas_name")
#: What is recorded for events after a rename.
_RENAMED = "renamed"

#: The fields that are null for up to an hour after a campaign or Canvas was made or renamed.
_NAMES = frozenset(
    {
        "campaign_name",
        "canvas_name",
        "canvas_step_name",
        "canvas_variation_name",
        "conversion_behavior",
        "experiment_split_name",
        "message_variation_name",
    }
)


@attrs.frozen(kw_only=True)
class OpenBeforeSend(Disturbance):
    """A device's clock is slow: an open has a time before its message was sent.

    It happens to events whose record says when their message was sent.

    Attributes:
        event_types: the Open events of all channels by default.
        up_to: how long before the sending at most: 10 minutes by default.
    """

    kind: ClassVar[str] = "open_before_send"

    event_types: Patterns = attrs.field(
        default=Patterns(("users.messages.*.Open",)), converter=to_patterns
    )
    up_to: Duration = attrs.field(default=Duration(600), converter=to_duration)

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield the problems of settings that are valid by themselves."""
        if values.get("up_to") == 0:
            yield ("up_to",), "it must be longer than 0 seconds"

    def disturb(self, item: Item, key: int) -> Item | None:
        sent_at = item.record.sent_at
        if sent_at is not None:
            time = sent_at - 1 - int(unit(key) * self.up_to)
            item.event = attrs.evolve(item.event, time=time)
            self.mark(item)
        return None


@attrs.frozen(kw_only=True)
class NullNames(Disturbance):
    """The names of a campaign or Canvas are null after it was made or renamed.

    A campaign that goes out once is made shortly before, so the names in its first events are null.
    Others are renamed in the course of the stream: afterwards, their name ends with `v2`, `v3` and
    so on, and the events are recorded as `renamed`.

    Attributes:
        share: the share of the hours in which each campaign and Canvas is renamed, from 0 to 1; it
            is not renamed again within a day.
        lasting: how long the names are null: an hour by default, and at most.
    """

    kind: ClassVar[str] = "null_names"

    lasting: Duration = attrs.field(default=Duration(_HOUR), converter=to_duration)

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield the problems of settings that are valid by themselves."""
        if not 0 < values.get("lasting", _HOUR) <= _HOUR:
            yield ("lasting",), "it must be longer than 0 seconds, and at most an hour"

    def apply(self, item: Item, key: int) -> Item | None:
        """Disturb an event if its campaign or Canvas was made or renamed."""
        record, context = item.record, item.context
        owner = record.campaign or record.canvas
        if owner is None:
            return None
        made = context.made.get(owner)
        if made is not None and 0 <= item.arrival - made < self.lasting:
            self._clear(item)
            return None
        hour, second = divmod(item.arrival - context.start, _HOUR)
        renames = _renames_of(mix(key, owner), self.share, made and (made - context.start) // _HOUR)
        count, is_renamed = renames.until(hour)
        if is_renamed and second < self.lasting:
            self._clear(item)
        elif count:
            self._rename(item, count)
        return None

    def _clear(self, item: Item) -> None:
        properties = item.event.properties
        names = [name for name in properties if name in _NAMES and properties[name] is not None]
        if names:
            item.event = attrs.evolve(item.event, properties=properties | dict.fromkeys(names))
            self.mark(item)

    def _rename(self, item: Item, count: int) -> None:
        properties = item.event.properties
        names = {
            name: f"{value} v{count + 1}"
            for name in _OWN_NAMES
            if (value := properties.get(name)) is not None
        }
        if names:
            item.event = attrs.evolve(item.event, properties=properties | names)
            item.kinds += (_RENAMED,)


class _Renames:
    """When a campaign or Canvas is renamed, by the hours of the stream.

    Args:
        key: what is drawn by.
        share: the share of the hours.
        made: the hour in which it was made; None if that was long ago.
    """

    def __init__(self, key: int, share: float, made: int | None) -> None:
        self._key = key
        self._share = share
        self._counts: list[int] = []
        self._last = -_APART if made is None else made

    def until(self, hour: int) -> tuple[int, bool]:
        """Return how often it was renamed until the end of an hour, and whether in that hour."""
        counts = self._counts
        while len(counts) <= hour:
            number = len(counts)
            count = counts[-1] if counts else 0
            # What is null again too soon looks as if it was null all the time.
            if abs(number - self._last) >= _APART and unit(mix(self._key, number)) < self._share:
                self._last = number
                count += 1
            counts.append(count)
        if hour < 0:
            return 0, False
        return counts[hour], counts[hour] > (counts[hour - 1] if hour else 0)


#: Kept while streams pass, since each hour depends on the one before.
_renames_of = lru_cache(maxsize=4096)(_Renames)


@attrs.frozen(kw_only=True)
class MissingExternalUserId(Disturbance):
    """An event lacks the `external_user_id` of its user."""

    kind: ClassVar[str] = "missing_external_user_id"

    def disturb(self, item: Item, key: int) -> Item | None:  # noqa: ARG002 - nothing more to draw
        user = dict(item.event.user)
        if user.pop("external_user_id", None) is not None:
            item.event = attrs.evolve(item.event, user=user)
            self.mark(item)
        return None


@attrs.frozen(kw_only=True)
class Drift(Disturbance):
    """The schema changes while events arrive.

    Attributes:
        change: what changes. `field`: events have a field that no schema version knows.
            `event_type`: they have a type that none knows. `version`: they have the fields that
            newer schema versions added to their type; if no table knows a newer one, an unknown
            field.
        at: since when: a time, or how long after the start.
        name: the name of the unknown field or event type; by default `new_field`, or the type's
            name with `V2` appended.
    """

    kind: ClassVar[str] = "drift"

    change: Literal["field", "event_type", "version"] = attrs.field(
        default="field", validator=attrs.validators.in_(("field", "event_type", "version"))
    )
    at: TimePoint = attrs.field(default=TimePoint(), converter=to_time_point)
    name: str | None = None

    def disturb(self, item: Item, key: int) -> Item | None:
        event = item.event
        if item.arrival < self.at.at(item.context.start):
            return None
        if self.change == "event_type":
            name = self.name or f"{event.event_type}V2"
            item.event = attrs.evolve(event, event_type=name)
        else:
            added: Mapping[str, Any] = {}
            if self.change == "version":
                fields = _newer_properties(item.context.catalog, event.event_type)
                added = {field.name: _example(field) for field in fields}
            added = added or {self.name or "new_field": f"{key:016x}"}
            # The fields that an event has already stay as they are.
            item.event = attrs.evolve(event, properties={**added, **event.properties})
        if item.event != event:
            self.mark(item)
        return None


@lru_cache(maxsize=1024)
def _newer_properties(catalog: Catalog, event_type: str) -> tuple[Field, ...]:
    """Return the properties that newer schema versions add to an event type."""
    newest = catalog.newest().get(event_type)
    return tuple(
        field
        for field in (newest.fields.values() if newest else ())
        if field.since > catalog.schema_version and field.part == "properties"
    )


def _example(field: Field) -> Any:
    """Return a value that conforms to a field."""
    if field.rule.values and field.json_type in ("string", "integer"):
        value = field.rule.values[0]
        return int(value) if field.json_type == "integer" else value
    known = FORMATS.get(field.rule.format)
    if known and field.json_type in known.json_types:
        return known.example
    match field.json_type:
        case "string":
            return field.name
        case "integer":
            return 1
        case "number":
            return 1.5
        case "boolean":
            return True
        case "object":
            return {}
        case _:
            return [field.name]
