"""Helpers that select from a stream of events."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from currents_export.catalog import Catalog, EventType
from currents_export.events import Event
from currents_export.simulation import Device, User

NEWEST = Catalog.load()
VERSIONS = [version.number for version in Catalog.versions()]

#: Types that fewer than one user in a thousand has in a month.
RARE = {
    "users.messages.email.MarkAsSpam",
    "users.messages.newsfeedcard.Abort",
    "users.UserDeleteRequest",
}

CAMPAIGN = {"campaign_id", "campaign_name", "message_variation_id", "message_variation_name"}
CANVAS = {
    "canvas_id",
    "canvas_name",
    "canvas_step_id",
    "canvas_step_message_variation_api_id",
    "canvas_step_name",
    "canvas_variation_id",
    "canvas_variation_name",
}


def of_type(events: Iterable[Event], glob: str) -> list[Event]:
    """Return the events whose type matches, of which there must be some."""
    found = [event for event in events if fnmatchcase(event.event_type, glob)]
    assert found, f"no event of {glob}"
    return found


def every(events: Iterable[Event], name: str) -> list[Any]:
    """Return the values of a property, in the events that have it."""
    return [event.properties[name] for event in events if name in event.properties]


def channel_of(event: Event) -> str:
    """Return the channel in the name of a message event's type."""
    return event.event_type.split(".")[2]


def device_of(event: Event, owners: dict[str, User]) -> Device | None:
    """Return the device an event names; None when it names none."""
    if "device_id" not in event.user:
        return None
    owner = owners[event.user["user_id"]]
    # The phone of the user before can be handed over.
    before = [each for each in owners.values() if each.number == owner.number - 1]
    devices = {each.id: each for one in (*before, owner) for each in one.devices}
    return devices[event.user["device_id"]]


def filled(event: Event) -> set[str]:
    """Return the paths of the fields that an event has a value for."""
    return {
        f"{part}.{name}"
        for part, values in (("user", event.user), ("properties", event.properties))
        for name, value in values.items()
        if value is not None
    }


def unfilled(event_type: EventType, *events: Event) -> set[str]:
    """Return the paths of the fields that none of the events has a value for."""
    return event_type.fields.keys() - set().union(*map(filled, events))
