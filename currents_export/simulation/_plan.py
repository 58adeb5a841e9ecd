"""Plan how events of one type are made: once, so that making each event is fast."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any, TypeVar

import attrs

from ..catalog import EventType, Field
from ..events import Event
from ._audience import Audience, Pool, make_pools
from ._ids import uuid4
from ._traffic import TrafficRule
from .fields import (
    MAKERS,
    Draft,
    FieldMaker,
    UnhandledValues,
    default_maker,
    pick,
    reader,
    source_of,
    unhandled_values,
)
from .people.model import Device, User
from .workspace.model import Message, Workspace

__all__ = ["Plan", "make_plan"]

T = TypeVar("T")

_Read = Callable[[Any], Any]
_Reads = tuple[tuple[str, _Read], ...]
_Makes = tuple[tuple[str, Callable[[Draft], Any]], ...]

#: A sample picks its user from this many of the most active ones.
_CANDIDATES = 60


@attrs.frozen
class Plan:
    """How an event of one type is made.

    Attributes:
        event_type: the type.
        names: the names of its fields.
        on_device: the probability that the device is known.
        user_with_message: whether only an event that belongs to a message has a user.
        constants: properties that are the same in every event.
        of_user: the fields of `user` that are read from the user.
        of_device: the fields of `user` that are read from the device.
        more_of_user: the properties that are read from the user.
        more_of_device: the properties that are read from the device.
        made: the field makers, with the names of the properties that are taken from each.
        user_defaults: the default makers of the fields of `user` that no source fills.
        defaults: the default makers of the properties that no source fills.
        user_fallbacks: what makes the required fields of `user` whose source may have no value.
        fallbacks: the same for the required properties.
        unhandled: the listed values that no source chooses, by field.
        audience: the users and devices it can happen to.
        channels: the channels of the messages that it can belong to; empty for all.
        pools: the messages that it can belong to, each pool with its share of the events.
        shares: the cumulative shares of the pools, without the last one, which would be 1.
    """

    event_type: EventType
    names: frozenset[str]
    on_device: float
    user_with_message: bool
    constants: Mapping[str, Any]
    of_user: _Reads
    of_device: _Reads
    more_of_user: _Reads
    more_of_device: _Reads
    made: tuple[tuple[FieldMaker, frozenset[str]], ...]
    user_defaults: _Makes
    defaults: _Makes
    user_fallbacks: _Makes
    fallbacks: _Makes
    unhandled: tuple[UnhandledValues, ...]
    audience: Sequence[tuple[User, Device]]
    channels: tuple[str, ...]
    pools: tuple[Pool, ...]
    shares: tuple[float, ...]

    def draw(self, draft: Draft, time: int) -> Event:
        """Draw an event as in real traffic; `draft` is overwritten."""
        random = draft.random
        share = random()
        # Squares make the first ones more frequent: some users are more active than others, some
        # campaigns larger.
        user, device = self.audience[int(len(self.audience) * share * share)]
        on_device = self.on_device
        known = device if on_device == 1.0 or random() < on_device else None
        properties: dict[str, Any] = {}
        message = None
        if self.pools:
            pool = self.pools[bisect(self.shares, random())].messages[user.place.region]
            if pool:
                share = random()
                message, values = pool[int(len(pool) * share * share)]
                properties.update(values)
        draft.time, draft.user, draft.device, draft.message = time, user, known, message
        return self._finish(draft, properties)

    def draw_sample(
        self, draft: Draft, time: int, *, beside: frozenset[str] = frozenset()
    ) -> Event:
        """Draw an event with every field that can occur together; `draft` is overwritten.

        `beside` names the fields of the other sample of the type. If fields exclude each other,
        this sample has those that the other one lacks.
        """
        user, device = _fullest(
            draft, self.audience[:_CANDIDATES], lambda pair: self._fields_of(*pair), beside
        )
        properties: dict[str, Any] = {}
        message = None
        if self.pools:
            pool = self.pools[0]
            if draft.canvas_side:
                pool = next((each for each in self.pools if each.kind == "canvas"), pool)
            choices = pool.messages[user.place.region]
            if channel := self._sample_channel(draft, choices):
                choices = [each for each in choices if each[0].channel == channel]
            message, values = _fullest(draft, choices, self._message_fields_of, beside)
            properties.update(values)
        draft.time, draft.user, draft.device, draft.message = time, user, device, message
        return self._finish(draft, properties)

    def _sample_channel(
        self, draft: Draft, choices: Sequence[tuple[Message, Mapping[str, Any]]]
    ) -> str | None:
        """Return the channel of a sample: the first one or, on the Canvas side, the second."""
        there = {message.channel for message, _ in choices}
        channels = [channel for channel in self.channels if channel in there]
        return channels[: 1 + draft.canvas_side][-1] if channels else None

    def fill(self, event: Event, draft: Draft, *, others: Event) -> None:
        """Fill the fields that neither of two samples has; `draft` belongs to `event`."""
        for field in self.event_type.fields.values():
            values = getattr(event, field.part)
            if (
                values.get(field.name) is None
                and getattr(others, field.part).get(field.name) is None
            ):
                values[field.name] = default_maker(field)(draft)

    def _fields_of(self, user: User, device: Device) -> frozenset[str]:
        """Return which of the fields a user and a device have."""
        return frozenset(
            name
            for thing, reads in (
                (user, (*self.of_user, *self.more_of_user)),
                (device, (*self.of_device, *self.more_of_device)),
            )
            for name, read in reads
            if read(thing) is not None
        )

    def _message_fields_of(self, choice: tuple[Message, Mapping[str, Any]]) -> frozenset[str]:
        message, values = choice
        more = ["send_id"] if message.send_key else []
        more += ["next_step_id"] if message.next_step_id else []
        return frozenset((*values, *more))

    # One long function, without extra calls or dicts, because it runs for every event.
    def _finish(self, draft: Draft, properties: dict[str, Any]) -> Event:  # noqa: PLR0912
        """Complete the event of a draft; `properties` has what comes from the message."""
        draft.event_type = self.event_type
        draft.names = self.names
        user, device = draft.user, draft.device
        who: dict[str, Any] = {}
        if draft.message is not None or not self.user_with_message:
            for name, read in self.of_user:
                if (value := read(user)) is not None:
                    who[name] = value
            for name, read in self.more_of_user:
                if (value := read(user)) is not None:
                    properties[name] = value
        if device is not None:
            for name, read in self.of_device:
                who[name] = read(device)
            for name, read in self.more_of_device:
                if (value := read(device)) is not None:
                    properties[name] = value
        properties.update(self.constants)
        for maker, wanted in self.made:
            for name, value in maker(draft).items():
                if name in wanted:
                    properties[name] = value  # noqa: PERF403
        for name, make in self.user_defaults:
            who[name] = make(draft)
        for name, make in self.defaults:
            properties[name] = make(draft)
        for name, make in self.fallbacks:
            if properties.get(name) is None:
                properties[name] = make(draft)
        for name, make in self.user_fallbacks:
            if who.get(name) is None:
                who[name] = make(draft)
        for each in self.unhandled:
            values = who if each.part == "user" else properties
            if values.get(each.name) is not None and draft.random() < each.share:
                values[each.name] = pick(draft, each.values)
        return Event(self.event_type.name, draft.time, who, properties, uuid4(draft.bits))


def _fullest(
    draft: Draft,
    things: Sequence[T],
    fields_of: Callable[[T], frozenset[str]],
    beside: frozenset[str],
) -> T:
    """Return one of the things with the most fields outside `beside`, then the most fields."""
    fields = [fields_of(thing) for thing in things]
    best = max(fields, key=lambda each: (len(each - beside), len(each)))
    return pick(draft, [thing for thing, each in zip(things, fields, strict=True) if each == best])


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
        self._reads: dict[tuple[str, str], dict[str, _Read]] = {}
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
        return Plan(
            event_type=self._event_type,
            names=frozenset(field.name for field in self._event_type.fields.values()),
            on_device=self._on_device(),
            user_with_message=self._rule.user_with_message,
            constants=self._constants,
            of_user=self._of("user", "user"),
            of_device=self._of("user", "device"),
            more_of_user=self._of("properties", "user"),
            more_of_device=self._of("properties", "device"),
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
        )

    def _sort(self, field: Field) -> None:
        source = source_of(self._event_type.name, field.name)
        if source is None or (field.part == "user" and source.kind not in ("user", "device")):
            self._defaults[field.part][field.name] = default_maker(field)
            return
        match source.kind:
            case "user" | "device":
                reads = self._reads.setdefault((field.part, source.kind), {})
                reads[field.name] = reader(source.path)
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

    def _of(self, part: str, kind: str) -> _Reads:
        return tuple(self._reads.get((part, kind), {}).items())

    def _on_device(self) -> float:
        """Return the probability that the device is known: 1 if a required field comes from it."""
        of_device = {
            *(name for name, _ in self._of("user", "device")),
            *(name for name, _ in self._of("properties", "device")),
        }
        required = {each.name for each in self._event_type.fields.values() if each.required}
        return 1.0 if of_device & required else self._rule.on_device

    def _fallbacks(self, part: str) -> Iterable[tuple[str, Callable[[Draft], Any]]]:
        certain = {*self._constants, *self._defaults[part]}
        if self._audience.complete:
            for kind in ("user", "device"):
                certain.update(name for name, _ in self._of(part, kind))
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
