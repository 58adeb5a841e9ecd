"""Read the fields of events from the attributes of users and devices, as values and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import orjson

from .people.model import Device, User

__all__ = ["Owners", "Paths", "Reader", "Readers", "compiled", "json_fields"]

#: The name of each field, and the path of its attribute, such as `place.timezone`.
Paths = tuple[tuple[str, str], ...]


@cache
def compiled(parameters: str, paths: Paths) -> Callable[..., dict[str, Any]]:
    """Return what makes a dict of fields, given the name of each field and its expression."""
    # A dict display is several times as fast as `attrgetter` and `zip`. The expressions are made
    # from the package's own tables.
    fields = ", ".join(f"{name!r}: {path}" for name, path in paths)
    read: Callable[..., dict[str, Any]] = eval(  # noqa: S307 - see above
        f"lambda {parameters}: {{{fields}}}"
    )
    return read


def _known(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values without those that are None."""
    if None in values.values():
        return {name: value for name, value in values.items() if value is not None}
    return values


class Reader:
    """Reads some fields from the attributes of a user and a device; without those that are None.

    Args:
        of_user: the fields that are read from the user.
        of_device: the fields that are read from the device.
    """

    __slots__ = ("_read_both", "_read_device", "_read_user")

    def __init__(self, of_user: Paths, of_device: Paths) -> None:
        user = tuple((name, f"user.{path}") for name, path in of_user)
        device = tuple((name, f"device.{path}") for name, path in of_device)
        self._read_user = compiled("user", user)
        self._read_device = compiled("device", device)
        self._read_both = compiled("user, device", user + device)

    def values(self, user: User | None, device: Device | None) -> dict[str, Any]:
        """Return the fields of a user on a device; either may be None."""
        if device is None:
            return {} if user is None else _known(self._read_user(user))
        return _known(self._read_device(device) if user is None else self._read_both(user, device))


#: How many users on devices are kept for each kind of event: those of a thousand users. More would
#: take much memory, and be forgotten before they are needed again.
_KEPT = 2_048

#: What is kept of a user on a device: both; the JSON from the fields of `user` to the first
#: properties, with a comma after each of these; and the names of these properties.
Entry = tuple[User, Device | None, bytes, frozenset[str]]


class Owners:
    """The JSON of what events of some types have from their user and device.

    Args:
        who: reads the fields of `user`.
        more: reads properties.

    Attributes:
        entries: what is kept, by the identity of the device, or of the user if there is none. To
            compare users and devices, or to hash them, would take longer than to read them.
    """

    __slots__ = ("_more", "_names", "_who", "entries")

    def __init__(self, who: Reader, more: Reader) -> None:
        self._who = who
        self._more = more
        self._names: dict[frozenset[str], frozenset[str]] = {}
        self.entries: dict[int, Entry] = {}

    def add(self, user: User, device: Device | None) -> Entry:
        """Keep the JSON of a user on a device."""
        if len(self.entries) >= _KEPT:
            self.entries.clear()
        values = self._more.values(user, device)
        who = orjson.dumps(self._who.values(user, device))
        json = b'%b,"properties":{%b' % (who, json_fields(values))
        # Most users share the same set of names.
        there = frozenset(values)
        names = self._names.setdefault(there, there)
        entry = self.entries[id(device or user)] = user, device, json, names
        return entry


def json_fields(values: Mapping[str, Any]) -> bytes:
    """Return the fields as in a JSON object, with a comma after each."""
    return orjson.dumps(values)[1:-1] + b"," if values else b""


class Readers:
    """The readers of a world: types with the same fields share them."""

    def __init__(self) -> None:
        self._readers: dict[tuple[Paths, Paths], Reader] = {}
        self._owners: dict[tuple[Reader, Reader], Owners] = {}

    def get(self, of_user: Paths, of_device: Paths) -> Reader:
        """Return the reader of some fields."""
        key = (of_user, of_device)
        if key not in self._readers:
            self._readers[key] = Reader(of_user, of_device)
        return self._readers[key]

    def owners(self, who: Reader, more: Reader) -> Owners:
        """Return the JSON of what two readers read."""
        if (who, more) not in self._owners:
            self._owners[who, more] = Owners(who, more)
        return self._owners[who, more]
