"""Find the users, devices and messages that the events of a type can have."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, overload

import attrs

from ..catalog import EventType
from ._traffic import AudienceRule, TrafficRule
from .fields import reader, source_of
from .people.model import Device, User
from .workspace.campaigns import REGIONS
from .workspace.channels import CAMPAIGN_FIELDS, CANVAS_FIELDS
from .workspace.model import Message, Workspace

__all__ = ["Audience", "Pool", "make_audience", "make_pools"]

_Kind = Literal["campaign", "canvas", "group"]

#: Fields that an event gets from a message, even if it does not name the message.
_MESSAGE_FIELDS = CAMPAIGN_FIELDS | CANVAS_FIELDS | {"dispatch_id", "send_id"}


@attrs.frozen
class Audience:
    """The users and devices that a type's events can have.

    Attributes:
        pairs: users and devices, in the order of the users.
        complete: whether all of them have the requested fields.
    """

    pairs: Sequence[tuple[User, Device]] = attrs.field(repr=False)
    complete: bool


class _Pairs(Sequence[tuple[User, Device]]):
    """Users and devices, which are looked for when they are needed."""

    def __init__(self, find: Callable[[], Iterator[tuple[User, Device]]]) -> None:
        self._find = find

    @cached_property
    def _found(self) -> Sequence[tuple[User, Device]]:
        return list(self._find())

    def __iter__(self) -> Iterator[tuple[User, Device]]:
        return self._find()

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, index: int) -> tuple[User, Device]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[tuple[User, Device]]: ...
    def __getitem__(
        self, index: int | slice
    ) -> tuple[User, Device] | Sequence[tuple[User, Device]]:
        return self._found[index]


@attrs.frozen
class Pool:
    """Messages that events of a type can belong to.

    Attributes:
        kind: the kind of the messages, such as `campaign`.
        share: the share of events that belong to one of them, between 0 and 1.
        messages: the messages by the region of the user, the most frequent first, each with the
            fields that an event takes from it; empty for events without a message.
    """

    kind: _Kind
    share: float
    messages: Mapping[str, Sequence[tuple[Message, Mapping[str, Any]]]]


def make_audience(users: Sequence[User], rule: AudienceRule, required: Collection[str]) -> Audience:
    """Return the users and devices that match a rule.

    `required` names more fields that they must have. If nobody has all of them, return everyone.
    """
    user_paths, device_paths = set(), set()
    for name in (*rule.user_has, *rule.device_has, *required):
        # Whether a user or device has a field does not depend on the event type.
        source = source_of("", name)
        if source and source.kind == "user":
            user_paths.add(source.path)
        elif source and source.kind == "device":
            device_paths.add(source.path)

    def match() -> Iterator[tuple[User, Device]]:
        for user in users:
            if _has(user, user_paths):
                for device in user.devices:
                    if (not rule.platforms or device.platform in rule.platforms) and _has(
                        device, device_paths
                    ):
                        yield user, device

    if any(True for _ in match()):
        return Audience(_Pairs(match), complete=True)
    return Audience(
        _Pairs(lambda: ((user, device) for user in users for device in user.devices)),
        complete=False,
    )


def _has(thing: User | Device, paths: Collection[str]) -> bool:
    return all(reader(path)(thing) is not None for path in paths)


def make_pools(
    event_type: EventType, workspace: Workspace, rule: TrafficRule, names: Sequence[str]
) -> list[Pool]:
    """Return the pools of messages for a type; `names` are the fields taken from a message."""
    known = {field.name for field in event_type.fields.values()}
    required = {field.name for field in event_type.fields.values() if field.required}
    campaign, canvas, neither = rule.belongs
    if not known & _MESSAGE_FIELDS:
        return []
    if (known & CANVAS_FIELDS and not known & CAMPAIGN_FIELDS) or required & CANVAS_FIELDS:
        campaign = 0.0
    if (known & CAMPAIGN_FIELDS and not known & CANVAS_FIELDS) or required & CAMPAIGN_FIELDS:
        canvas = 0.0
    kinds: list[tuple[_Kind, float]] = [("campaign", campaign), ("canvas", canvas)]
    pools = [
        Pool(kind, share, messages)
        for kind, share in kinds
        if share
        for messages in (_by_region(workspace, rule, names, kind),)
        if all(messages.values())
    ]
    if pools and neither:
        pools.append(Pool("group", neither, _by_region(workspace, rule, names, "group")))
    total = sum(pool.share for pool in pools)
    return [attrs.evolve(pool, share=pool.share / total) for pool in pools]


def _by_region(
    workspace: Workspace, rule: TrafficRule, names: Sequence[str], kind: _Kind
) -> Mapping[str, Sequence[tuple[Message, Mapping[str, Any]]]]:
    return {region: list(_messages(workspace, rule, names, kind, region)) for region in REGIONS}


def _messages(
    workspace: Workspace, rule: TrafficRule, names: Sequence[str], kind: _Kind, region: str
) -> Iterator[tuple[Message, Mapping[str, Any]]]:
    """Yield the messages of a kind that users in a region get, with the fields taken from each."""
    for message in workspace.messages:
        if message.kind == kind and message.region in (region, "Global"):
            values = {name: message.fields[name] for name in names if name in message.fields}
            if (values or kind != "group") and _fits(message, rule, workspace):
                yield message, values


def _fits(message: Message, rule: TrafficRule, workspace: Workspace) -> bool:
    if rule.messages == "entry":
        return message.first or message.channel == "entry"
    if rule.messages == "control":
        return message.control
    if not rule.channels:
        return message.channel in workspace.channel_names and not message.control
    return message.channel in rule.channels and (
        not message.control or message.channel == "experiment"
    )
