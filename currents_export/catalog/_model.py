"""Event types, their fields and schema versions."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

import attrs

__all__ = ["EventType", "Field", "JsonType", "Part", "SchemaVersion", "Status", "ValueRule"]

Part = Literal["user", "properties"]
JsonType = Literal["string", "integer", "number", "boolean", "object", "array<string>"]
Status = Literal["current", "beta", "documented", "legacy", "sampled"]


@attrs.frozen
class ValueRule:
    """The rule for a field's value, beyond its JSON type.

    Attributes:
        format: the name of a format, such as `uuid` or `e164`; empty when there is none.
        values: the values Braze is known to send; empty when they are not listed.
        open: whether values other than those listed may occur.
    """

    format: str = ""
    values: tuple[str, ...] = ()
    open: bool = True


@attrs.frozen
class Field:
    """A field of an event type, in one schema version.

    Attributes:
        name: the field's name.
        part: the part of the event that contains it, `user` or `properties`.
        json_type: its JSON type; `array<string>` is an array of strings and nulls.
        required: whether every event of the type must have it in this schema version.
        personal: whether it is personal data.
        since: the schema version that introduced it.
        optional_since: the schema version in which it became optional, if it was required before;
            otherwise None.
        rule: the rule for its values.
        description: one sentence on what it means.
    """

    name: str
    part: Part
    json_type: JsonType
    required: bool
    personal: bool
    since: int
    optional_since: int | None
    rule: ValueRule
    description: str

    @property
    def path(self) -> str:
        """The path of the field in an event, such as `properties.price`."""
        return f"{self.part}.{self.name}"

    def at(self, version: int) -> Field:
        """Return the field as it is in a schema version."""
        required = self.required
        if self.optional_since is not None:
            required = version < self.optional_since
        return self if required == self.required else attrs.evolve(self, required=required)


def _read_only(fields: Mapping[str, Field]) -> Mapping[str, Field]:
    return MappingProxyType(dict(fields))


@attrs.frozen
class EventType:
    """A type of event, with the fields that it has in one schema version.

    Attributes:
        name: the full name, such as `users.messages.email.Open`.
        family: `message_engagement`, `customer_behavior`, `user` or `agent_console`.
        since: the schema version that introduced it.
        status: `current`; `beta`; `documented` (described by Braze, but missing from its
            published samples); `legacy` (in the samples, no longer described); or `sampled` (only
            in the samples).
        description: one sentence on when it occurs.
        fields: its fields by path, those of `user` first.
    """

    name: str
    family: str
    since: int
    status: Status
    description: str
    fields: Mapping[str, Field] = attrs.field(converter=_read_only, repr=False, hash=False)

    def at(self, version: int) -> EventType:
        """Return the event type as it is in a schema version."""
        fields = {
            path: field.at(version) for path, field in self.fields.items() if field.since <= version
        }
        return attrs.evolve(self, fields=fields)

    # A read-only view cannot be pickled or copied; the underlying dict can.
    def __reduce__(self) -> tuple[Any, ...]:
        values = attrs.asdict(self, recurse=False) | {"fields": dict(self.fields)}
        return EventType, tuple(values.values())


@attrs.frozen
class SchemaVersion:
    """A version of the Currents schema.

    Attributes:
        number: 1 for the oldest.
        released: the day Braze released it.
        event_types: how many event types it has.
        fields: how many fields its event types have.
    """

    number: int
    released: datetime.date
    event_types: int
    fields: int
