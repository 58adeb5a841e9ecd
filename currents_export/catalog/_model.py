"""What Braze can send, loaded from the packaged tables."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal, cast

import attrs

from .._redaction import shown
from .._suggestions import did_you_mean, nearest
from ..errors import UnknownNameError
from ._tables import read_table

__all__ = ["Catalog", "EventType", "Field", "SchemaVersion", "ValueRule"]

Part = Literal["user", "properties"]
JsonType = Literal["string", "integer", "number", "boolean", "object", "array<string>"]


@attrs.frozen
class ValueRule:
    """What a field's value looks like, beyond its JSON type.

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
    """A field of an event type.

    Attributes:
        name: the field's name.
        part: the sub-object of the event it sits in, `user` or `properties`.
        json_type: its JSON type; `array<string>` is an array of strings.
        required: whether every event of the type carries it.
        personal: whether it is personal data.
        since: the schema version that introduced it.
        rule: what its values look like.
        description: one sentence on what it means.
    """

    name: str
    part: Part
    json_type: JsonType
    required: bool
    personal: bool
    since: int
    rule: ValueRule
    description: str

    @property
    def path(self) -> str:
        """Where the field sits in an event, such as `properties.price`."""
        return f"{self.part}.{self.name}"


@attrs.frozen
class EventType:
    """A type of event, with the fields its schema version gives it.

    Attributes:
        name: the full name, such as `users.messages.email.Open`.
        family: `message_engagement`, `customer_behavior`, `user` or `agent_console`.
        since: the schema version that introduced it.
        status: `current`; `beta`; `documented` (described by Braze, but missing from its
            published samples); or `legacy` (the other way round).
        description: one sentence on when it occurs.
        fields: its fields by path, those of `user` first.
    """

    name: str
    family: str
    since: int
    status: Literal["current", "beta", "documented", "legacy"]
    description: str
    fields: Mapping[str, Field] = attrs.field(repr=False, hash=False)


@attrs.frozen
class SchemaVersion:
    """A version of the Currents schema.

    Attributes:
        number: 1 for the oldest.
        released: the day Braze released it.
        event_types: how many event types exist from it on.
        fields: how many fields exist from it on.
    """

    number: int
    released: datetime.date
    event_types: int
    fields: int


@attrs.frozen(eq=False)
class Catalog:
    """The event types of one schema version.

    `Catalog.load()` is the newest; it behaves as a mapping from names to `EventType`s. No event
    type or field was ever removed, so a version holds all that came up to it.

    Attributes:
        schema_version: the version, from 1 on.
        directory: the directory of its tables; None for the packaged ones.

    Source: Braze's event glossaries and the Currents changelog.
    """

    schema_version: int
    directory: Path | None
    _types: Mapping[str, EventType] = attrs.field(repr=False)

    @staticmethod
    def load(schema_version: int | None = None, directory: Path | str | None = None) -> Catalog:
        """The catalog of a schema version, by default of the newest; loaded once.

        Raises:
            UnknownNameError: there is no such version.
        """
        where = None if directory is None else Path(directory).resolve()
        known = _versions(where)
        version = known[-1].number if schema_version is None else schema_version
        if type(version) is not int or version not in [each.number for each in known]:
            raise UnknownNameError(
                f"schema version {shown(version)} is not known; versions {known[0].number} to "
                f"{known[-1].number} are",
                name=shown(version),
            )
        return _load(version, where)

    @staticmethod
    def versions(directory: Path | str | None = None) -> tuple[SchemaVersion, ...]:
        """All schema versions, the oldest first."""
        return _versions(None if directory is None else Path(directory).resolve())

    @property
    def released(self) -> datetime.date:
        """The day Braze released this schema version."""
        return _versions(self.directory)[self.schema_version - 1].released

    def __getitem__(self, name: str) -> EventType:
        """The event type of that name.

        Raises:
            UnknownNameError: there is none in this schema version.
        """
        try:
            return self._types[name]
        except KeyError:
            raise self._unknown(name, self._types) from None

    def __contains__(self, name: object) -> bool:
        return name in self._types

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)

    @property
    def event_types(self) -> tuple[EventType, ...]:
        """All event types, by name."""
        return tuple(self._types.values())

    @property
    def families(self) -> tuple[str, ...]:
        """The families, each once."""
        return tuple(sorted({each.family for each in self.event_types}))

    @property
    def fields(self) -> Mapping[str, tuple[Field, ...]]:
        """Every field name, with the fields that bear it across the event types."""
        named: dict[str, list[Field]] = {}
        for each in self.event_types:
            for field in each.fields.values():
                named.setdefault(field.name, []).append(field)
        return {name: tuple(fields) for name, fields in sorted(named.items())}

    def select(self, *patterns: str) -> tuple[EventType, ...]:
        """The event types that any of the patterns names, each once, in the catalog's order.

        A pattern is a name, a family, or a glob such as `users.messages.email.*`.

        Raises:
            UnknownNameError: a pattern names none.
        """
        chosen: set[str] = set()
        for pattern in patterns:
            found = _matching(pattern, self._types)
            if not found:
                raise self._unknown(pattern, [*self._types, *self.families])
            chosen.update(found)
        return tuple(each for each in self.event_types if each.name in chosen)

    def _unknown(self, name: str, known: Collection[str]) -> UnknownNameError:
        newest = Catalog.load(directory=self.directory)
        since = min((newest[each].since for each in _matching(name, newest)), default=0)
        if since > self.schema_version:
            return UnknownNameError(
                f"event type {name!r} came with schema version {since}; this is version "
                f"{self.schema_version}",
                name=name,
            )
        return UnknownNameError(
            f"unknown event type {shown(name, most=120)}{did_you_mean(name, known)}",
            name=name,
            nearest=nearest(name, known),
        )


def _matching(pattern: str, types: Catalog | Mapping[str, EventType]) -> list[str]:
    if pattern in types:
        return [pattern]
    return [name for name in types if types[name].family == pattern or fnmatchcase(name, pattern)]


@cache
def _versions(directory: Path | None) -> tuple[SchemaVersion, ...]:
    return tuple(
        SchemaVersion(
            number=int(row["schema_version"]),
            released=datetime.date.fromisoformat(row["released"]),
            event_types=int(row["event_types"]),
            fields=int(row["fields"]),
        )
        for row in read_table("versions.tsv", directory)
    )


@cache
def _load(version: int, directory: Path | None) -> Catalog:
    # A row for one event type goes before the row for the field's name in general.
    rules = {
        (row["event_type"], row["field"]): ValueRule(
            format=row["format"],
            values=tuple(filter(None, row["values"].split("|"))),
            open=row["open"] == "yes",
        )
        for row in read_table("field_values.tsv", directory)
    }
    descriptions = {row["field"]: row["description"] for row in read_table("fields.tsv", directory)}
    fields: dict[str, list[Field]] = {}
    for row in read_table("event_fields.tsv", directory):
        if int(row["since"]) > version:
            continue
        event_type, name = row["event_type"], row["field"]
        general = rules.get(("", name), ValueRule())
        field = Field(
            name=name,
            part=cast("Part", row["part"]),
            json_type=cast("JsonType", row["json_type"]),
            required=row["required"] == "yes" or version < int(row["optional_since"] or 0),
            personal=row["pii"] == "yes",
            since=int(row["since"]),
            rule=rules.get((event_type, name), general),
            description=descriptions[name],
        )
        fields.setdefault(event_type, []).append(field)
    types = {
        row["event_type"]: EventType(
            name=row["event_type"],
            family=row["family"],
            since=int(row["since"]),
            status=cast('Literal["current", "beta", "documented", "legacy"]', row["status"]),
            description=row["description"],
            fields=MappingProxyType(
                {
                    field.path: field
                    for field in sorted(
                        fields.get(row["event_type"], ()),
                        key=lambda field: (field.part != "user", field.name),
                    )
                }
            ),
        )
        for row in read_table("event_types.tsv", directory)
        if int(row["since"]) <= version
    }
    return Catalog(version, directory, MappingProxyType(types))
