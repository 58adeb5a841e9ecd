"""Fields of sessions, installs, locations and profiles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._data import read_data
from .._ids import uuid_of
from .draft import Draft, pick, pick_early
from .registry import field_maker

__all__ = ["milliseconds"]

_WORDING = read_data("fields", "wording.toml")

#: A pause of this many seconds ends a session; its id is kept that long.
_SESSION_SECONDS = 1800


@field_maker
def session(draft: Draft) -> Mapping[str, Any]:
    """Make the id of a session, which its events share."""
    key = draft.the_device.session_key
    return {"session_id": uuid_of("session", key, draft.time // _SESSION_SECONDS)}


@field_maker
def session_length(draft: Draft) -> Mapping[str, Any]:
    """Make the length of a session, in seconds."""
    # Most sessions are short: half of them end within 110 seconds.
    return {"duration": round(4 + (_SESSION_SECONDS - 60) * draft.random() ** 4, 1)}


@field_maker
def attribution(draft: Draft) -> Mapping[str, Any]:
    """Make the attribution of an install."""
    sources = list(_WORDING["install_sources"])
    if store := _WORDING.get(f"store_{draft.the_device.platform}"):
        sources.append(store)
    return {"source": pick(draft, sources)}


@field_maker
def location(draft: Draft) -> Mapping[str, Any]:
    """Make a position within about 15 km of the center of the user's city."""
    place, random = draft.user.place, draft.random
    values = {
        "latitude": round(place.latitude + (random() - random()) * 0.13, 6),
        "longitude": round(place.longitude + (random() - random()) * 0.13, 6),
        "ll_accuracy": round(4 + 60 * random() ** 3, 1),
    }
    if draft.chance(0.8):
        values["altitude"] = round(2 + 120 * random(), 1)
        values["alt_accuracy"] = round(3 + 12 * random(), 1)
    return values


@field_maker
def orphaned_by(draft: Draft) -> Mapping[str, Any]:
    """Make the id of the profile that the user was merged into."""
    # The id has the user's creation time, but is a different one.
    return {"orphaned_by_id": f"{draft.user.id[:8]}{draft.bits(64):016x}"}


def milliseconds(draft: Draft) -> int:
    """Return the time of the event in milliseconds."""
    return draft.time * 1000 + int(1000 * draft.random())


@field_maker
def profile(draft: Draft) -> Mapping[str, Any]:
    """Make a change to a profile; in a sample, all changes at once."""
    user, place = draft.user, draft.user.place
    always = {
        "time_ms": milliseconds(draft),
        "update_source": "SDK" if draft.device else pick(draft, ("REST", "REST", "Dashboard")),
    }
    attributes = pick(
        draft,
        (
            {"loyalty_tier": pick(draft, _WORDING["loyalty_tiers"])},
            {"favorite_category": pick(draft, draft.workspace.products).category},
            {"lifetime_orders": 1 + int(40 * draft.random() ** 3), "newsletter": True},
            {"recently viewed": [pick(draft, draft.workspace.products).id], "store.visits": 2},
        ),
    )
    # The most frequent first.
    changes: tuple[dict[str, Any], ...] = (
        {"custom_attributes": attributes},
        {"email_address": user.email},
        {"phone_number": user.phone},
        {"home_city": place.city, "country": place.country, "language": place.language},
        {"first_name": user.first_name, "last_name": user.last_name},
        {"dob": user.dob, "gender": user.gender},
        {"archived": not draft.whole and draft.random() < 0.5},
    )
    if draft.whole:
        return {name: value for each in (always, *changes) for name, value in each.items()}
    return {**always, **pick_early(draft, changes, 3)}
