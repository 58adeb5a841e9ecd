"""`Catalog`: the event types of one schema version, by name."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, overload

import attrs

from .._redaction import shown
from .._suggestions import nearest, question
from ..errors import CatalogError, UnknownNameError
from ._load import load_tables
from ._model import EventType, Field, SchemaVersion

__all__ = ["Catalog"]

_Default = TypeVar("_Default")


@attrs.frozen(eq=False)
class Catalog(Mapping[str, EventType]):
    """The event types of one schema version: a mapping from names to `EventType`s.

    `Catalog.load()` returns the newest. Braze has never removed an event type or a field, so a
    version contains everything that it and earlier versions introduced. A catalog is loaded once in
    a process and equals only itself; copying or unpickling it returns the loaded one.

    >>> from currents_export import Catalog
    >>> catalog = Catalog.load()
    >>> catalog["users.messages.email.Open"].fields["properties.campaign_name"].json_type
    'string'
    >>> [each.name for each in catalog.select("email.*") if each.name.endswith("Click")]
    ['users.messages.email.Click']

    Attributes:
        schema_version: the version; 1 is the oldest.
        directory: the directory of its tables; None for the packaged ones.

    Source: Braze's event glossaries and the Currents changelog.
    """

    schema_version: int
    directory: Path | None
    _types: Mapping[str, EventType] = attrs.field(repr=False)

    @staticmethod
    def load(schema_version: int | None = None, directory: Path | str | None = None) -> Catalog:
        """Return the catalog of a schema version, by default of the newest.

        Args:
            schema_version: the version; None for the newest.
            directory: a directory of tables in place of the packaged ones, for a schema version
                that this package does not include yet. It contains changed copies of some packaged
                tables; the other tables are taken from the package. The tables are read once in a
                process.

        Raises:
            UnknownNameError: there is no such version.
            CatalogError: the directory does not exist, or its tables are wrong; the message lists
                every problem with file and line.
        """
        where = _resolved(directory)
        known = [each.number for each in load_tables(where).versions]
        version = known[-1] if schema_version is None else schema_version
        if type(version) is not int or version not in known:
            raise UnknownNameError(
                f"schema version {shown(version)} is not known; the known versions are {known[0]} "
                f"to {known[-1]}",
                name=shown(version),
            )
        found = _LOADED.get((version, where))
        return _LOADED.setdefault((version, where), _at(version, where)) if found is None else found

    @staticmethod
    def versions(directory: Path | str | None = None) -> tuple[SchemaVersion, ...]:
        """Return all schema versions, the oldest first.

        Raises:
            CatalogError: as in `load`.
        """
        return load_tables(_resolved(directory)).versions

    @property
    def released(self) -> datetime.date:
        """The day Braze released this schema version."""
        versions = load_tables(self.directory).versions
        return next(each.released for each in versions if each.number == self.schema_version)

    def __getitem__(self, name: str) -> EventType:
        """Return the event type of that name.

        Raises:
            UnknownNameError: there is none in this schema version.
        """
        try:
            return self._types[name]
        except KeyError:
            raise self._unknown(name, self._types) from None

    @overload
    def get(self, name: str, /) -> EventType | None: ...
    @overload
    def get(self, name: str, default: EventType | _Default, /) -> EventType | _Default: ...
    # Mapping.get would look for the nearest names before it returns the default.
    def get(self, name: str, default: Any = None, /) -> Any:
        """Return the event type of that name, or the default."""
        return self._types.get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in self._types

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)

    # Mapping compares items, and is not hashable.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __reduce__(self) -> tuple[Any, ...]:
        return Catalog.load, (self.schema_version, self.directory)

    @property
    def event_types(self) -> tuple[EventType, ...]:
        """All event types, by name."""
        return tuple(self._types.values())

    @property
    def families(self) -> tuple[str, ...]:
        """The families, without duplicates."""
        return tuple(sorted({each.family for each in self.event_types}))

    @property
    def fields(self) -> Mapping[str, tuple[Field, ...]]:
        """The fields of all event types, grouped by field name."""
        named: dict[str, list[Field]] = {}
        for each in self.event_types:
            for field in each.fields.values():
                named.setdefault(field.name, []).append(field)
        return {name: tuple(fields) for name, fields in sorted(named.items())}

    def newest(self) -> Catalog:
        """Return the catalog of the newest version in the same tables."""
        return Catalog.load(directory=self.directory)

    def select(self, *patterns: str) -> tuple[EventType, ...]:
        """Return the event types that match any of the patterns, each once, sorted by name.

        A pattern is a name, a family, or a glob such as `users.messages.email.*`. A glob may lack
        the first parts, as `email.*` does; it then matches the event types that end like that.

        Raises:
            UnknownNameError: a pattern matches no event type.
        """
        chosen: set[str] = set()
        for pattern in patterns:
            found = _matching(pattern, self._types)
            if not found:
                raise self._unknown(pattern, [*self._types, *self.families], globs=True)
            chosen.update(found)
        return tuple(each for each in self.event_types if each.name in chosen)

    def _unknown(
        self, name: str, known: Collection[str], *, globs: bool = False
    ) -> UnknownNameError:
        """Return the error for a name that is not known.

        Args:
            name: the name.
            known: the names to suggest.
            globs: whether a glob may be suggested for the middle of names, such as `email`.
        """
        if not isinstance(name, str):
            message = f"{shown(name)} is not the name of an event type"
            return UnknownNameError(message, name=shown(name))
        newest = self.newest()
        since = min((newest[each].since for each in _matching(name, newest)), default=0)
        if since > self.schema_version:
            return UnknownNameError(
                f"event type {name!r} was introduced in schema version {since}; this is version "
                f"{self.schema_version}",
                name=name,
            )
        if _is_glob(name):
            known = _globs(known)
        elif "." in name:  # no family has a dot
            known = self._types
        near = _globs_around(name, self._types) if globs and not _is_glob(name) else ()
        near = near or nearest(name, known)
        problem = "no event type matches" if _is_glob(name) else "unknown event type"
        return UnknownNameError(
            f"{problem} {shown(name, most=120)}{question(near)}",
            name=name,
            nearest=near,
        )


_LOADED: dict[tuple[int, Path | None], Catalog] = {}


def _at(version: int, directory: Path | None) -> Catalog:
    types = {
        each.name: each.at(version)
        for each in load_tables(directory).event_types
        if each.since <= version
    }
    return Catalog(version, directory, MappingProxyType(types))


def _resolved(directory: Path | str | None) -> Path | None:
    if directory is None:
        return None
    try:
        if str(directory):
            return Path(directory).resolve()
    except (OSError, TypeError, ValueError, RuntimeError) as error:
        message = f"it is not a valid directory name: {error}"
        raise CatalogError([("", message)], directory=shown(directory)) from error
    raise CatalogError([("", "the name of the directory is empty")], directory=shown(directory))


def _matching(pattern: str, types: Mapping[str, EventType]) -> list[str]:
    if pattern in types:
        return [pattern]
    found = [name for name in types if types[name].family == pattern or fnmatchcase(name, pattern)]
    if not found and _is_glob(pattern) and not pattern.startswith("."):
        found = [name for name in types if fnmatchcase(name, f"*.{pattern}")]
    return found


def _is_glob(pattern: str) -> bool:
    return any(sign in pattern for sign in "*?[")


def _globs(names: Collection[str]) -> list[str]:
    """Return the globs that name all event types with the same first parts."""
    prefixes = {name[:at] for name in names for at, sign in enumerate(name) if sign == "."}
    return [f"{prefix}.*" for prefix in sorted(prefixes)]


def _globs_around(name: str, types: Collection[str]) -> tuple[str, ...]:
    """Return the globs of the event types that have the name as a part before the last."""
    wanted = f".{name.lower()}.*"
    return tuple(each for each in _globs(types) if f".{each.lower()}".endswith(wanted))
