"""Plan how events of one type are made: once, so that making each event is fast."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

import attrs
import orjson

from ..catalog import EventType, Field
from ..events import Event
from ._audience import Audience, Pool, make_pools
from ._data import read_rows
from ._ids import uuid_text
from ._readers import Reader, Readers
from ._traffic import TrafficRule
from ._variants import Makes, Variant
from .fields import (
    MAKERS,
    Draft,
    FieldMaker,
    UnhandledValues,
    default_maker,
    is_needed,
    reader,
    source_of,
    unhandled_values,
)
from .people.model import Device, User
from .workspace.model import Workspace

__all__ = ["Plan", "make_plan"]

#: The attributes that every user and every device has.
_CERTAIN = frozenset({"id", "app.id", "app.platform", "place.country", "place.timezone"})


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
        paths: the paths of the fields that are read, by their part, and by whose they are.
        of_message: the names of the properties that are taken from the message.
        nulls: the names of the properties that are null, not left out, if they are given as None.
        made: the field makers with the names of the properties that are taken from each.
        user_defaults: the default makers of the fields of `user` that no source fills.
        defaults: the default makers of the properties that no source fills.
        user_fallbacks: what makes the required fields of `user` whose source may have no value.
        fallbacks: the same for the required properties.
        unhandled: the listed values that no source chooses, by field.
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
    paths: Mapping[tuple[str, str], Mapping[str, str]]
    of_message: frozenset[str]
    nulls: frozenset[str]
    made: tuple[tuple[FieldMaker, frozenset[str]], ...]
    user_defaults: Makes
    defaults: Makes
    user_fallbacks: Makes
    fallbacks: Makes
    unhandled: tuple[UnhandledValues, ...]
    audience: Sequence[tuple[User, Device]]
    channels: tuple[str, ...]
    pools: tuple[Pool, ...]
    shares: tuple[float, ...]
    _readers: Readers = attrs.field(repr=False)
    _variants: dict[tuple[str, ...], Variant] = attrs.field(factory=dict, repr=False)

    def make(self, draft: Draft, facts: Mapping[str, Any], event_id: str) -> Event:
        """Make the event of a draft.

        Args:
            draft: when it happens, to whom, on which device, in which message; what else is known
                about the event is overwritten.
            facts: properties that are known; those that the type does not have are left out. None
                stands for a property that the event does not have, or that is null.
            event_id: its id.
        """
        who, properties = self._variant(draft, facts).fill(draft, facts)
        return Event(self.event_type.name, draft.time, who, properties, event_id)

    # One long function, without extra calls, because it runs for every event. It puts together what
    # is kept as JSON, which takes half as long as to make the dicts and encode them.
    def render(self, draft: Draft, facts: Mapping[str, Any], number: int) -> bytes:
        """Return the JSON of the same event, whose id has a number, faster."""
        given = tuple(facts)
        variant = self._variants.get(given) or self._add_variant(given)
        user, device, message = draft.user, draft.device, draft.message
        if variant.rare or (message is None and self.user_with_message):
            return _encoded(self.make(draft, facts, uuid_text(number)))
        if device is None and self.needs_device:
            device = draft.device = user.devices[0]
        owners = variant.owners
        entry = owners.entries.get(id(device or user))
        if entry is None or entry[0] is not user or entry[1] is not device:
            entry = owners.add(user, device)
        base, _, fallbacks = variant.taken.get(id(message)) or variant.take(message)
        made = facts if variant.choose is None else variant.choose(facts)
        if None in made.values():
            made = variant.without_unknown(made)
        if variant.draws:
            draft.event_type, draft.names, draft.facts = self.event_type, self.names, facts
            made = variant.make(draft, made)
        for name, make in fallbacks:
            if name not in entry[3] and made.get(name) is None:
                made = {**made, name: make(draft)}
        digits = "%032x" % number  # noqa: UP031 - as `uuid_text`
        head = (
            f"{variant.head}{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
            f'","time":{draft.time},"user":'
        ).encode()
        if made:  # each property before these has a comma after it
            return b"".join((head, entry[2], base, orjson.dumps(made)[1:], b"}"))
        return b"".join((head, entry[2], base[:-1], b"}}"))

    def fields_of(self, user: User, device: Device) -> frozenset[str]:
        """Return which of the fields a user and a device have."""
        who, more = self._reader("user"), self._reader("properties")
        return frozenset((*who.values(user, device), *more.values(user, device)))

    def _variant(self, draft: Draft, facts: Mapping[str, Any]) -> Variant:
        draft.event_type, draft.names, draft.facts = self.event_type, self.names, facts
        given = tuple(facts)
        return self._variants.get(given) or self._add_variant(given)

    def _reader(self, part: str, kept: Collection[str] = ()) -> Reader:
        of_user, of_device = (
            tuple(each for each in self.paths.get((part, kind), {}).items() if each[0] not in kept)
            for kind in ("user", "device")
        )
        return self._readers.get(of_user, of_device)

    def _add_variant(self, given: tuple[str, ...]) -> Variant:
        """Leave out what makes the given properties."""
        kept = {name for name in given if f"properties.{name}" in self.event_type.fields}
        wanted = ((maker, names - kept) for maker, names in self.made if is_needed(maker, given))
        who, more = self._reader("user"), self._reader("properties", kept)
        variant = self._variants[given] = Variant(
            event_type=self.event_type.name,
            given=tuple(name for name in given if name in kept),
            all_given=kept.issuperset(given),
            nulls=self.nulls,
            needs_device=self.needs_device,
            user_with_message=self.user_with_message,
            constants=self.constants,
            of_message=self.of_message,
            who=who,
            more=more,
            made=tuple((maker, names) for maker, names in wanted if names),
            user_defaults=self.user_defaults,
            defaults=tuple(each for each in self.defaults if each[0] not in kept),
            user_fallbacks=self.user_fallbacks,
            fallbacks=self.fallbacks,
            unhandled=self.unhandled,
            owners=self._readers.owners(who, more),
        )
        return variant


def _encoded(event: Event) -> bytes:
    return orjson.dumps(event.to_dict())


def make_plan(
    event_type: EventType,
    workspace: Workspace,
    rule: TrafficRule,
    audience: Audience,
    readers: Readers,
) -> Plan:
    """Make the plan for a type; its events share the readers of a world."""
    return _Planner(event_type, workspace, rule, audience).make(readers)


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

    def make(self, readers: Readers) -> Plan:
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
            paths=self._paths,
            of_message=frozenset(self._of_message),
            nulls=frozenset(
                row["field"]
                for row in read_rows("fields", "nulls.tsv")
                if row["event_type"] == self._event_type.name
            ),
            made=tuple((MAKERS[name], frozenset(self._makers[name])) for name in self._makers),
            user_defaults=tuple(self._defaults["user"].items()),
            defaults=tuple(self._defaults["properties"].items()),
            user_fallbacks=tuple(self._fallbacks("user")),
            fallbacks=tuple(self._fallbacks("properties")),
            unhandled=tuple(self._unhandled()),
            audience=self._audience.pairs,
            channels=self._rule.channels,
            pools=tuple(pools),
            shares=tuple(accumulate(pool.share for pool in pools))[:-1],
            readers=readers,
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
