"""How an event of one type is made: worked out once, then followed fast."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import accumulate
from typing import Any, TypeVar

import attrs

from ..catalog import EventType
from ..events import Event
from ._fields import DEVICE_FIELDS, DRAWN, USER_FIELDS, WORKSPACE_FIELDS
from ._ids import uuid4
from ._messages import MESSAGE_FIELDS
from ._messaging import CHANNELS, REGIONS
from ._mix import Setting, setting_of
from ._model import Device, Message, User, Workspace
from ._scene import Scene, pick

__all__ = ["Plan", "make_audience", "make_plan", "unmade_fields"]

T = TypeVar("T")

#: Users and the devices on which a type's events can happen to them, the most active users first.
Audience = Sequence[tuple[User, Device]]

#: Campaigns, Canvases and subscription groups, with the fields a type's events take from them.
_Pool = Sequence[tuple[Message, Mapping[str, Any]]]

_Read = Callable[[Any], Any]

#: The fields of which one puts an event down to a campaign, or to a Canvas.
_CAMPAIGN_FIELDS = frozenset({"campaign_id", "campaign_name"})
_CANVAS_FIELDS = frozenset({"canvas_id", "canvas_step_id", "canvas_variation_id"})

#: Of so many of the most active users a whole event picks one with all its fields.
_CANDIDATES = 60


@attrs.frozen
class Plan:
    """How an event of one type is made.

    Attributes:
        event_type: the name of the type.
        fields: the names of its fields.
        setting: to whom, on what and as part of what it happens.
        constants: properties that are the same in every event.
        of_user: the fields of `user` that are read off the user.
        of_device: the fields of `user` that are read off the device.
        more_of_user: the properties that are read off the user.
        more_of_device: the properties that are read off the device.
        drawn: the draws, with the names of the properties that are taken from each.
        audience: whom it happens to.
        pools: what it can belong to: campaigns, Canvases, or subscription groups; of each kind
            what there is in each region. An empty one is for events that belong to nothing.
        shares: how often it belongs to one of the first pool, of the first two, and so on; of
            all but the last.
    """

    event_type: str
    fields: frozenset[str]
    setting: Setting
    constants: Mapping[str, Any]
    of_user: tuple[tuple[str, _Read], ...]
    of_device: tuple[tuple[str, _Read], ...]
    more_of_user: tuple[tuple[str, _Read], ...]
    more_of_device: tuple[tuple[str, _Read], ...]
    drawn: tuple[tuple[Callable[[Scene], Mapping[str, Any]], frozenset[str]], ...]
    audience: Audience
    pools: tuple[Mapping[str, _Pool], ...]
    shares: tuple[float, ...]

    def draw(self, scene: Scene, time: int) -> Event:
        """An event as real traffic has it; `scene` is written over."""
        random = scene.random
        share = random()
        # Squares, so that what stands first comes up often: some users are more active than
        # others, some campaigns larger.
        user, device = self.audience[int(len(self.audience) * share * share)]
        on_device = self.setting.on_device
        known = device if on_device == 1.0 or random() < on_device else None
        properties: dict[str, Any] = {}
        message = None
        if self.pools and (pool := self.pools[bisect(self.shares, random())][user.place.region]):
            share = random()
            message, values = pool[int(len(pool) * share * share)]
            properties.update(values)
        scene.time, scene.user, scene.device, scene.message = time, user, known, message
        return self._finish(scene, properties)

    def draw_whole(self, scene: Scene, time: int) -> Event:
        """An event with every field that can hold together; `scene` is written over."""
        user, device = _best(
            scene, self.audience[:_CANDIDATES], lambda pair: self._fields_of(*pair)
        )
        properties: dict[str, Any] = {}
        message = None
        if self.pools:
            pool = self.pools[0][user.place.region]
            first = self.setting.channels[0]
            message, values = _best(
                scene,
                [each for each in pool if each[0].channel == first] or pool,
                lambda each: bool(each[0].send_key) + len(self.fields & each[0].fields.keys()),
            )
            properties.update(values)
        scene.time, scene.user, scene.device, scene.message = time, user, device, message
        return self._finish(scene, properties)

    def _fields_of(self, user: User, device: Device) -> int:
        """How many of the fields a user and a device have."""
        return sum(
            read(thing) is not None
            for thing, reads in (
                (user, (*self.of_user, *self.more_of_user)),
                (device, (*self.of_device, *self.more_of_device)),
            )
            for _, read in reads
        )

    def _finish(self, scene: Scene, properties: dict[str, Any]) -> Event:
        """The event of a scene; `properties` has what comes from the message."""
        scene.event_type = self.event_type
        scene.fields = self.fields
        user, device = scene.user, scene.device
        who: dict[str, Any] = {}
        if scene.message is not None or not self.setting.user_with_message:
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
        for draw, wanted in self.drawn:
            made = draw(scene)
            properties.update({name: made[name] for name in made if name in wanted})
        return Event(self.event_type, scene.time, who, properties, uuid4(scene.bits))


def _best(scene: Scene, things: Sequence[T], count: Callable[[T], int]) -> T:
    """One of the things for which `count` is largest."""
    counts = [count(thing) for thing in things]
    most = max(counts)
    return pick(scene, [thing for thing, each in zip(things, counts, strict=True) if each == most])


def unmade_fields(event_type: EventType) -> list[str]:
    """The paths of the fields that nothing makes; of a shipped catalog, none."""
    made = USER_FIELDS.keys() | DEVICE_FIELDS.keys() | WORKSPACE_FIELDS.keys() | MESSAGE_FIELDS
    for row in DRAWN:
        if fnmatchcase(event_type.name, row.event_types):
            made |= row.fields
    return [path for path, field in event_type.fields.items() if field.name not in made]


def make_audience(users: tuple[User, ...], setting: Setting) -> Audience:
    """The users and devices that have what a setting asks for."""
    return [
        (user, device)
        for user in users
        if all(getattr(user, name) is not None for name in setting.user_has)
        for device in user.devices
        if device.platform in setting.platforms
        and all(getattr(device, name) is not None for name in setting.device_has)
    ]


def make_plan(event_type: EventType, workspace: Workspace, audience: Audience) -> Plan:
    """The plan for a type; `audience` is that of the type's setting.

    Raises:
        LookupError: nothing makes one of the type's fields.
    """
    if missing := unmade_fields(event_type):
        raise LookupError(
            f"nothing in currents_export.simulation makes {', '.join(missing)} of "
            f"{event_type.name}; add it to USER_FIELDS, DEVICE_FIELDS, MESSAGE_FIELDS or DRAWN"
        )
    fields = event_type.fields.values()
    who = {field.name for field in fields if field.part == "user"}
    left = [field.name for field in fields if field.part == "properties"]
    drawn = []
    for row in DRAWN:
        wanted = row.fields.intersection(left)
        if wanted and fnmatchcase(event_type.name, row.event_types):
            drawn.append((row.draw, wanted))
            left = [name for name in left if name not in wanted]
    of_message = [name for name in left if name in MESSAGE_FIELDS]
    left = [name for name in left if name not in MESSAGE_FIELDS]
    setting = setting_of(event_type.name)
    pools = _pools(event_type, workspace, setting, of_message)
    return Plan(
        event_type=event_type.name,
        fields=frozenset(field.name for field in fields),
        setting=setting,
        constants={
            name: WORKSPACE_FIELDS[name](workspace) for name in left if name in WORKSPACE_FIELDS
        },
        of_user=_reads(USER_FIELDS, who),
        of_device=_reads(DEVICE_FIELDS, who),
        more_of_user=_reads(USER_FIELDS, left),
        more_of_device=_reads(DEVICE_FIELDS, left),
        drawn=tuple(drawn),
        audience=audience,
        pools=tuple(pool for _, pool in pools),
        shares=tuple(accumulate(share for share, _ in pools))[:-1],
    )


def _reads(table: Mapping[str, _Read], names: Collection[str]) -> tuple[tuple[str, _Read], ...]:
    return tuple((name, read) for name, read in table.items() if name in names)


def _pools(
    event_type: EventType, workspace: Workspace, setting: Setting, names: Sequence[str]
) -> list[tuple[float, Mapping[str, _Pool]]]:
    """What an event can belong to, with the share that does."""
    required = {field.name for field in event_type.fields.values() if field.required}
    known = {field.name for field in event_type.fields.values()}
    campaign, canvas, neither = setting.belongs
    if not known & _CAMPAIGN_FIELDS or required & _CANVAS_FIELDS:
        campaign = 0.0
    if not known & _CANVAS_FIELDS or required & _CAMPAIGN_FIELDS:
        canvas = 0.0
    if not campaign + canvas:
        return []
    return [
        (
            share / (campaign + canvas + neither),
            {region: list(_pool(workspace, setting, names, kind, region)) for region in REGIONS},
        )
        for kind, share in (("campaign", campaign), ("canvas", canvas), ("group", neither))
        if share
    ]


def _pool(
    workspace: Workspace, setting: Setting, names: Sequence[str], kind: str, region: str
) -> Iterator[tuple[Message, Mapping[str, Any]]]:
    """The messages of a kind that users in a region get, with what is taken from each."""
    for message in workspace.messages:
        if message.kind == kind and message.region in (region, "Global"):
            values = {name: message.fields[name] for name in names if name in message.fields}
            if values and _fits(message, setting):
                yield message, values


def _fits(message: Message, setting: Setting) -> bool:
    if setting.which == "entry":
        return message.first or message.channel == "entry"
    if setting.which == "control":
        return message.control
    if "*" in setting.channels:
        return message.channel in CHANNELS and not message.control
    return message.channel in setting.channels and (
        not message.control or message.channel == "experiment"
    )
