"""Plan how events of one type are made: once, so that making each event is fast."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import accumulate
from typing import Any

import attrs

from ..catalog import EventType, Field
from ..events import Event
from ._audience import Audience, Pool, make_pools
from ._data import read_rows
from ._traffic import TrafficRule
from .fields import (
    MAKERS,
    Draft,
    FieldMaker,
    UnhandledValues,
    default_maker,
    is_needed,
    pick,
    reader,
    source_of,
    unhandled_values,
)
from .people.model import Device, User
from .workspace.model import Message, Workspace

__all__ = ["Plan", "make_plan"]

#: The attributes that every user and every device has.
_CERTAIN = frozenset({"id", "app.id", "app.platform", "place.country", "place.timezone"})

_Makes = tuple[tuple[str, Callable[[Draft], Any]], ...]


#: Makes a dict of fields from the attributes of a user or a device; without those that are None.
_Reads = Callable[[Any], dict[str, Any]]


@cache
def _reads(paths: tuple[tuple[str, str], ...]) -> _Reads:
    """Return what reads fields from attributes, given the name of each field and its path."""
    # A dict display is several times as fast as `attrgetter` and `zip`. The paths are of the
    # package's own tables.
    fields = ", ".join(f"{name!r}: it.{path}" for name, path in paths)
    read: _Reads = eval(f"lambda it: {{{fields}}}")  # noqa: S307 - see above

    def read_known(it: Any) -> dict[str, Any]:
        values = read(it)
        if None in values.values():
            return {name: value for name, value in values.items() if value is not None}
        return values

    return read_known if paths else read


#: The same from the attributes of a user and a device together.
_ReadsBoth = Callable[[Any, Any], dict[str, Any]]


@cache
def _reads_both(
    user_paths: tuple[tuple[str, str], ...], device_paths: tuple[tuple[str, str], ...]
) -> _ReadsBoth:
    """Return what reads fields from the attributes of a user and of a device at once."""
    parts = [f"{name!r}: user.{path}" for name, path in user_paths]
    parts += [f"{name!r}: device.{path}" for name, path in device_paths]
    fields = ", ".join(parts)
    read: _ReadsBoth = eval(f"lambda user, device: {{{fields}}}")  # noqa: S307 - as above

    def read_known(user: Any, device: Any) -> dict[str, Any]:
        values = read(user, device)
        if None in values.values():
            return {name: value for name, value in values.items() if value is not None}
        return values

    return read_known if parts else read


@attrs.frozen
class _Variant:
    """How to make an event of which some properties are given.

    Attributes:
        given: the names of the given properties that the type has.
        all_given: whether the type has all given properties.
        plain: whether nothing is made, so that the event has only what is given, and what the
            message, the user and the device have.
        made: the field makers that are still needed, with the names of the properties that are
            taken from each.
        user_defaults: the default makers of the fields of `user` that no source fills.
        defaults: the default makers of the properties that no source fills.
        user_fallbacks: what makes the required fields of `user` whose source may have no value.
        fallbacks: the same for the required properties.
        unhandled: the listed values that no source chooses, by field.
    """

    given: tuple[str, ...]
    all_given: bool
    plain: bool
    made: tuple[tuple[FieldMaker, frozenset[str]], ...]
    user_defaults: _Makes
    defaults: _Makes
    user_fallbacks: _Makes
    fallbacks: _Makes
    unhandled: tuple[UnhandledValues, ...]


@attrs.frozen
class Plan:
    """How an event of one type is made.

    Attributes:
        event_type: the type.
        names: the names of its fields.
        needs_device: whether a required field comes from a device.
        on_device: the probability that the device is known, where no journey decides.
        user_with_message: whether only an event that belongs to a message has a user.
        constants: properties that are the same in every event.
        of_user: the fields of `user` that are read from the user.
        of_device: the fields of `user` that are read from the device.
        more_of_user: the properties that are read from the user.
        more_of_device: the properties that are read from the device.
        of_both: the fields of `user` that are read from the user and the device.
        more_of_both: the properties that are read from the user and the device.
        of_message: the names of the properties that are taken from the message.
        nulls: the names of the properties that are null, not left out, if they are given as None.
        whole: how to make an event of which no property is given.
        audience: the users and devices that a sample can have.
        channels: the channels of the messages that it can belong to; empty for all.
        pools: the messages that it can belong to, each pool with its share of the events.
        shares: the cumulative shares of the pools, without the last one, which would be 1.
    """

    event_type: EventType
    names: frozenset[str]
    needs_device: bool
    on_device: float
    user_with_message: bool
    constants: Mapping[str, Any]
    of_user: _Reads
    of_device: _Reads
    more_of_user: _Reads
    more_of_device: _Reads
    of_both: _ReadsBoth
    more_of_both: _ReadsBoth
    of_message: frozenset[str]
    nulls: frozenset[str]
    whole: _Variant
    audience: Sequence[tuple[User, Device]]
    channels: tuple[str, ...]
    pools: tuple[Pool, ...]
    shares: tuple[float, ...]
    _variants: dict[tuple[str, ...], _Variant] = attrs.field(factory=dict, repr=False)
    _taken: dict[int, Mapping[str, Any]] = attrs.field(factory=dict, repr=False)

    def make(self, draft: Draft, facts: Mapping[str, Any], event_id: str) -> Event:
        """Make the event of a draft; see `fill`.

        Args:
            draft: when it happens, to whom, on which device, in which message.
            facts: properties that are known.
            event_id: its id.
        """
        who, properties = self.fill(draft, facts)
        return Event(self.event_type.name, draft.time, who, properties, event_id)

    # One long function, without extra calls or dicts, because it runs for every event.
    def fill(  # noqa: PLR0912 - see above
        self, draft: Draft, facts: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the `user` and the `properties` of the event of a draft.

        Args:
            draft: when it happens, to whom, on which device, in which message.
            facts: properties that are known; those that the type does not have are left out. None
                stands for a property that the event does not have, or that is null.
        """
        variant = self._variants.get(given := tuple(facts)) or self._add_variant(given)
        draft.event_type, draft.names, draft.facts = self.event_type, self.names, facts
        user, device, message = draft.user, draft.device, draft.message
        if device is None and self.needs_device:
            device = draft.device = user.devices[0]
        taken = self._taken.get(id(message)) or self._take(message)
        if message is None and self.user_with_message:
            who = {} if device is None else self.of_device(device)
            read = {} if device is None else self.more_of_device(device)
        elif device is None:
            who, read = self.of_user(user), self.more_of_user(user)
        else:
            who, read = self.of_both(user, device), self.more_of_both(user, device)
        if variant.plain and None not in facts.values():
            return who, {**taken, **read, **facts}
        properties = {**taken, **read}
        for maker, wanted in variant.made:
            values = maker(draft)
            if wanted.issuperset(values):
                properties.update(values)
            else:
                properties.update(each for each in values.items() if each[0] in wanted)
        for name, make in variant.user_defaults:
            who[name] = make(draft)
        for name, make in variant.defaults:
            properties[name] = make(draft)
        if variant.all_given and None not in facts.values():
            properties.update(facts)
        else:
            for name in variant.given:
                if (value := facts[name]) is not None:
                    properties[name] = value
                elif name in self.nulls:
                    properties[name] = None
                else:
                    properties.pop(name, None)
        for name, make in variant.fallbacks:
            if properties.get(name) is None:
                properties[name] = make(draft)
        for name, make in variant.user_fallbacks:
            if who.get(name) is None:
                who[name] = make(draft)
        for each in variant.unhandled:
            values = who if each.part == "user" else properties
            if values.get(each.name) is not None and draft.random() < each.share:
                values[each.name] = pick(draft, each.values)
        return who, properties

    def _take(self, message: Message | None) -> Mapping[str, Any]:
        """Return the constants, and the fields that an event takes from a message."""
        fields = message.fields.items() if message else ()
        taken = {**self.constants, **{name: _ for name, _ in fields if name in self.of_message}}
        self._taken[id(message)] = taken
        return taken

    def _add_variant(self, given: tuple[str, ...]) -> _Variant:
        """Leave out what makes the given properties."""
        kept = {name for name in given if f"properties.{name}" in self.event_type.fields}
        whole = self.whole
        wanted = ((maker, names - kept) for maker, names in whole.made if is_needed(maker, given))
        made = tuple((maker, names) for maker, names in wanted if names)
        defaults = _without(whole.defaults, kept)
        more = (whole.user_defaults, whole.user_fallbacks, whole.fallbacks, whole.unhandled)
        variant = _Variant(
            given=tuple(name for name in given if name in kept),
            all_given=kept.issuperset(given),
            plain=kept.issuperset(given) and not any((made, defaults, *more)),
            made=made,
            user_defaults=whole.user_defaults,
            defaults=defaults,
            user_fallbacks=whole.user_fallbacks,
            fallbacks=whole.fallbacks,
            unhandled=whole.unhandled,
        )
        self._variants[given] = variant
        return variant


def _without(makes: _Makes, names: Iterable[str]) -> _Makes:
    return tuple(each for each in makes if each[0] not in set(names))


def make_plan(
    event_type: EventType, workspace: Workspace, rule: TrafficRule, audience: Audience
) -> Plan:
    """Make the plan for a type."""
    return _Planner(event_type, workspace, rule, audience).make()


class _Planner:
    """Sort the fields of a type by what fills them."""

    def __init__(
        self,
        event_type: EventType,
        workspace: Workspace,
        rule: TrafficRule,
        audience: Audience,
    ) -> None:
        self._event_type = event_type
        self._workspace = workspace
        self._rule = rule
        self._audience = audience
        self._paths: dict[tuple[str, str], dict[str, str]] = {}
        self._constants: dict[str, Any] = {}
        self._makers: dict[str, set[str]] = {}
        self._of_message: dict[str, Field] = {}
        self._defaults: dict[str, dict[str, Callable[[Draft], Any]]] = {
            "user": {},
            "properties": {},
        }

    def make(self) -> Plan:
        for field in self._event_type.fields.values():
            self._sort(field)
        pools = make_pools(self._event_type, self._workspace, self._rule, list(self._of_message))
        self._drop_unknown(pools)
        needs_device = self._needs_device()
        return Plan(
            event_type=self._event_type,
            names=frozenset(field.name for field in self._event_type.fields.values()),
            needs_device=needs_device,
            on_device=1.0 if needs_device else self._rule.on_device,
            user_with_message=self._rule.user_with_message,
            constants=self._constants,
            of_user=self._reads("user", "user"),
            of_device=self._reads("user", "device"),
            more_of_user=self._reads("properties", "user"),
            more_of_device=self._reads("properties", "device"),
            of_both=self._reads_both("user"),
            more_of_both=self._reads_both("properties"),
            of_message=frozenset(self._of_message),
            nulls=frozenset(
                row["field"]
                for row in read_rows("fields", "nulls.tsv")
                if row["event_type"] == self._event_type.name
            ),
            whole=_Variant(
                given=(),
                all_given=True,
                plain=False,
                made=tuple((MAKERS[name], frozenset(self._makers[name])) for name in self._makers),
                user_defaults=tuple(self._defaults["user"].items()),
                defaults=tuple(self._defaults["properties"].items()),
                user_fallbacks=tuple(self._fallbacks("user")),
                fallbacks=tuple(self._fallbacks("properties")),
                unhandled=tuple(self._unhandled()),
            ),
            audience=self._audience.pairs,
            channels=self._rule.channels,
            pools=tuple(pools),
            shares=tuple(accumulate(pool.share for pool in pools))[:-1],
        )

    def _sort(self, field: Field) -> None:
        source = source_of(self._event_type.name, field.name)
        if source is None or (field.part == "user" and source.kind not in ("user", "device")):
            self._defaults[field.part][field.name] = default_maker(field)
            return
        match source.kind:
            case "user" | "device":
                paths = self._paths.setdefault((field.part, source.kind), {})
                paths[field.name] = source.path
            case "workspace":
                self._constants[field.name] = reader(source.path)(self._workspace)
            case "constant":
                self._constants[field.name] = source.path
            case "chance":
                self._defaults[field.part][field.name] = _chance(float(source.path))
            case "message":
                self._of_message[field.name] = field
            case "maker":
                self._makers.setdefault(source.path, set()).add(field.name)

    def _drop_unknown(self, pools: Iterable[Pool]) -> None:
        """Give the default maker to fields that no message has."""
        found = {
            name
            for pool in pools
            for messages in pool.messages.values()
            for _, values in messages
            for name in values
        }
        for name, field in self._of_message.items():
            if name not in found:
                self._defaults["properties"][name] = default_maker(field)

    def _reads(self, part: str, kind: str) -> _Reads:
        return _reads(tuple(self._paths.get((part, kind), {}).items()))

    def _reads_both(self, part: str) -> _ReadsBoth:
        of_user, of_device = (self._paths.get((part, kind), {}) for kind in ("user", "device"))
        return _reads_both(tuple(of_user.items()), tuple(of_device.items()))

    def _needs_device(self) -> bool:
        """Return whether a required field comes from the device."""
        of_device = {
            name
            for part in ("user", "properties")
            for name in self._paths.get((part, "device"), ())
        }
        required = {each.name for each in self._event_type.fields.values() if each.required}
        return bool(of_device & required)

    def _fallbacks(self, part: str) -> Iterable[tuple[str, Callable[[Draft], Any]]]:
        certain = {*self._constants, *self._defaults[part]}
        for kind in ("user", "device"):
            paths = self._paths.get((part, kind), {})
            certain.update(name for name, path in paths.items() if path in _CERTAIN)
        for field in self._event_type.fields.values():
            if field.required and field.part == part and field.name not in certain:
                yield field.name, default_maker(field)

    def _unhandled(self) -> Iterable[UnhandledValues]:
        for field in self._event_type.fields.values():
            if field.name not in self._defaults[field.part]:
                found = unhandled_values(self._event_type.name, field)
                if found:
                    yield found


def _chance(probability: float) -> Callable[[Draft], bool]:
    return lambda draft: draft.random() < probability
