"""Fields of behavior, Canvas and profile events that are drawn for each event."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from . import _providers as providers
from ._ids import token_of, uuid_of
from ._scene import Drawn, Scene, pick

__all__ = ["DRAWN"]

_Values = Mapping[str, Any]

#: A pause of this many seconds ends a session; so long its id is kept here.
_SESSION_SECONDS = 1800

#: How long the events of one Live Activity, and of one passage through a Canvas, belong together.
_ACTIVITY_SECONDS, _PASSAGE_SECONDS = 4 * 3600, 7 * 86_400


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _session(scene: Scene) -> _Values:
    key = scene.the_device.session_key
    return {"session_id": uuid_of("session", key, scene.time // _SESSION_SECONDS)}


def _session_length(scene: Scene) -> _Values:
    # Most sessions are short: half of them end within 110 seconds.
    return {"duration": round(4 + (_SESSION_SECONDS - 60) * scene.random() ** 4, 1)}


def _viewed(scene: Scene) -> dict[str, Any]:
    product = pick(scene, scene.workspace.products)
    currency = scene.user.place.currency
    return {
        "product_id": product.id,
        "product_name": product.name,
        "category": product.category,
        "price": product.prices[currency],
        "currency": currency,
    }


def _searched(scene: Scene) -> dict[str, Any]:
    return {
        "Search Term": pick(scene, ("linen shirt", "boots", "gift", "jeans slim", "rain jacket")),
        "results": int(60 * scene.random() ** 2),
    }


def _checked_out(scene: Scene) -> dict[str, Any]:
    items = [_viewed(scene) for _ in range(1 + int(3 * scene.random() ** 2))]
    return {
        "order_id": _order_id(scene),
        "total": round(sum(item["price"] for item in items), 2),
        "currency": items[0]["currency"],
        "items": items,
        "utm.source": pick(scene, ("braze", "google", "direct")),
    }


def _order_id(scene: Scene) -> str:
    return f"ORD-{1_000_000 + int(9_000_000 * scene.random())}"


#: Custom events, with their properties, where they have some; those most frequent stand first.
_CUSTOM_EVENTS: tuple[tuple[str, Callable[[Scene], dict[str, Any]] | None], ...] = (
    ("Product Viewed", _viewed),
    ("Product Searched", _searched),
    ("Added to Cart", lambda scene: {**_viewed(scene), "quantity": 1 + int(2 * scene.random())}),
    ("Wishlist Updated", _viewed),
    ("Checkout Started", _checked_out),
    ("Size Guide Opened", None),
    ("Checkout Completed", _checked_out),
    ("Store Finder Used", lambda scene: {"city": scene.user.place.city, "radius_km": 25}),
    (
        "Review Submitted",
        lambda scene: {
            "product_id": pick(scene, scene.workspace.products).id,
            "rating": 1 + int(5 * scene.random() ** 0.5),
            "verified buyer": True,
        },
    ),
    ("Logged Out", None),
)


def _custom_event(scene: Scene) -> _Values:
    name, properties = _CUSTOM_EVENTS[int(len(_CUSTOM_EVENTS) * scene.random() ** 1.8)]
    if scene.whole:
        name, properties = "Checkout Completed", _checked_out
    return {"name": name, "custom_properties": properties(scene)} if properties else {"name": name}


_WITHOUT_SIZE = ("Accessories", "Bags", "Gift Cards")


def _purchase(scene: Scene) -> _Values:
    products = scene.workspace.products
    product = products[int(len(products) * scene.random() ** 1.5)]
    currency = scene.user.place.currency
    price = product.prices[currency]
    refund = not scene.whole and scene.random() < 0.02
    properties: dict[str, Any] = {
        "order_id": _order_id(scene),
        "category": product.category,
        "Gift Wrap": scene.random() < 0.1,
    }
    if product.category not in _WITHOUT_SIZE:
        sizes = ("37", "39", "41", "43") if product.category == "Shoes" else ("S", "M", "L", "XL")
        properties["size"] = pick(scene, sizes)
    if refund:
        properties["refund_reason"] = pick(scene, ("not as expected", "damaged", "changed mind"))
    values: dict[str, Any] = {
        "product_id": product.id,
        "price": -price if refund else price,
        "currency": currency,
    }
    if scene.chance(0.8):
        values["purchase_properties"] = properties
    return values


def _attribution(scene: Scene) -> _Values:
    store = "Apple Search Ads" if scene.the_device.platform == "ios" else "Google Play"
    return {"source": pick(scene, ("Organic", "Facebook Ads", "Google Ads", "TikTok", store))}


def _location(scene: Scene) -> _Values:
    place, random = scene.user.place, scene.random
    values = {
        # Somewhere within some 15 km of the center.
        "latitude": round(place.latitude + (random() - random()) * 0.13, 6),
        "longitude": round(place.longitude + (random() - random()) * 0.13, 6),
        "ll_accuracy": round(4 + 60 * random() ** 3, 1),
    }
    if scene.chance(0.8):
        values["altitude"] = round(2 + 120 * random(), 1)
        values["alt_accuracy"] = round(3 + 12 * random(), 1)
    return values


def _orphaned_by(scene: Scene) -> _Values:
    # The profile it was merged into is as old as anyone's, and is not this one.
    return {"orphaned_by_id": f"{scene.user.id[:8]}{scene.bits(64):016x}"}


def _token_change(scene: Scene) -> _Values:
    time = scene.time
    chance = scene.random()
    change = "add" if chance < 0.5 else "update" if chance < 0.85 else "remove"
    created = scene.the_device.push_token_created_at or time
    return {
        "push_token_state_change_type": change,
        "push_token_created_at": time if change == "add" else min(created, time),
        "push_token_updated_at": time,
        "time_ms": _milliseconds(scene),
    }


def _milliseconds(scene: Scene) -> int:
    return scene.time * 1000 + int(1000 * scene.random())


_ACTIVITIES = ("OrderTrackingAttributes", "DeliveryAttributes", "FlashSaleAttributes")


def _push_to_start(scene: Scene) -> _Values:
    return {
        "activity_attributes_type": pick(scene, _ACTIVITIES),
        "push_token_state_change_type": pick(scene, ("add", "add", "update", "remove")),
    }


def _activity(scene: Scene) -> dict[str, Any]:
    """The Live Activity that runs on the device; the same for some hours."""
    key = scene.the_device.session_key
    window = scene.time // _ACTIVITY_SECONDS
    return {
        "activity_id": uuid_of("activity", key, window),
        "update_token": token_of("activity", key, window),
        "activity_attributes_type": _ACTIVITIES[(key + window) % len(_ACTIVITIES)],
    }


def _update_token(scene: Scene) -> _Values:
    return {
        **_activity(scene),
        "push_token_state_change_type": pick(scene, ("add", "add", "update", "remove")),
    }


def _live_activity(scene: Scene) -> _Values:
    values = _activity(scene)
    kind = "update" if scene.whole else pick(scene, ("start", "update", "update", "end"))
    values["live_activity_event_type"] = kind
    if kind == "start":
        # It has no id and no token of its own yet.
        del values["activity_id"], values["update_token"]
        values["push_to_start_token"] = scene.the_device.push_to_start_token
    failed = not scene.whole and scene.random() < 0.05
    values["live_activity_event_outcome"] = (
        pick(scene, providers.LIVE_ACTIVITY_FAILURES) if failed else "Success"
    )
    return values


#: Channels, as subscription events name them.
_CHANNELS = {"pushnotification": "push"}


def _channel(scene: Scene, otherwise: str) -> str:
    channel = scene.message.channel if scene.message else otherwise
    return _CHANNELS.get(channel, channel)


def _source(scene: Scene) -> str:
    if scene.device:
        return "SDK"
    return "REST API" if scene.message else pick(scene, ("REST API", "REST API", "Dashboard"))


def _address(scene: Scene, channel: str) -> dict[str, Any]:
    """Under what the user is known on a channel."""
    user = scene.user
    match channel:
        case "email":
            return {"channel_identifier": user.email, "email_address": user.email}
        case "push":
            return {"channel_identifier": scene.device.push_token} if scene.device else {}
        case _:
            return {"channel_identifier": user.phone, "phone_number": user.phone}


def _global_state(scene: Scene) -> _Values:
    channel = _channel(scene, pick(scene, ("email", "email", "push")))
    return {
        "channel": channel,
        "state_change_source": _source(scene),
        "subscription_status": pick(
            scene,
            ("Unsubscribed", "Unsubscribed", "Unsubscribed", "Subscribed", "Opted In"),
        ),
        **_address(scene, channel),
    }


def _group_state(scene: Scene) -> _Values:
    channel = _channel(scene, pick(scene, ("email", "email", "sms", "whatsapp", "rcs")))
    groups = scene.workspace.subscription_groups
    group = pick(scene, [group for group in groups if group.channel == channel])
    return {
        "channel": group.channel,
        "subscription_group_id": group.id,
        "state_change_source": _source(scene),
        "subscription_status": pick(scene, ("Subscribed", "Subscribed", "Unsubscribed")),
        **_address(scene, group.channel),
    }


def _conversion(scene: Scene) -> _Values:
    goals = scene.the_message.goals
    index = int(len(goals) * scene.random() ** 2)
    return {"conversion_behavior": goals[index], "conversion_behavior_index": index}


def _progression(scene: Scene) -> _Values:
    message = scene.the_message
    values: dict[str, Any] = {"is_canvas_entry": message.first}
    if message.next_step_id and scene.chance(0.85):
        return values | {"progression_type": "advance", "next_step_id": message.next_step_id}
    reason = "reached_end"
    if message.next_step_id:
        reason = pick(scene, ("exit_criteria_met", "failed_audience_conditions", "message_aborted"))
    return values | {"progression_type": "exit", "exit_reason": reason}


def _passage(scene: Scene) -> _Values:
    canvas = scene.the_message.fields["canvas_id"]
    window = scene.time // _PASSAGE_SECONDS
    return {"canvas_entry_id": uuid_of("entry", scene.user.id, canvas, window)}


def _optimized(scene: Scene) -> _Values:
    return {
        "channel": _channel(scene, "email"),
        "combination_token": "_".join(str(int(3 * scene.random())) for _ in range(3)),
    }


def _profile(scene: Scene) -> _Values:
    user, place = scene.user, scene.user.place
    always = {
        "time_ms": _milliseconds(scene),
        "update_source": "SDK" if scene.device else pick(scene, ("REST", "REST", "Dashboard")),
    }
    attributes = pick(
        scene,
        (
            {"loyalty_tier": pick(scene, ("bronze", "silver", "gold"))},
            {"favorite_category": pick(scene, scene.workspace.products).category},
            {"lifetime_orders": 1 + int(40 * scene.random() ** 3), "newsletter": True},
        ),
    )
    changes: tuple[dict[str, Any], ...] = (
        {"custom_attributes": _compact(attributes)},
        {"email_address": user.email},
        {"phone_number": user.phone},
        {"home_city": place.city, "country": place.country, "language": place.language},
        {"first_name": user.first_name, "last_name": user.last_name},
        {"dob": user.dob, "gender": user.gender},
    )
    if scene.whole:
        changed = {name: value for each in changes for name, value in each.items()}
        return {**always, **changed, "archived": False}
    # Custom attributes change most.
    return {**always, **changes[int(len(changes) * scene.random() ** 3)]}


_CHANGED = "push_token_created_at push_token_updated_at push_token_state_change_type time_ms"
_STATE = "channel channel_identifier email_address state_change_source subscription_status"
_PROFILE = (
    "archived country custom_attributes dob email_address first_name gender home_city language "
    "last_name phone_number time_ms update_source"
)
_LIVE_ACTIVITY = (
    "activity_attributes_type activity_id live_activity_event_outcome live_activity_event_type "
    "push_to_start_token update_token"
)

DRAWN = (
    Drawn.of("users.behaviors.app.*", "session_id", _session),
    Drawn.of("*.SessionEnd", "duration", _session_length),
    Drawn.of("*.CustomEvent", "name custom_properties", _custom_event),
    Drawn.of("*.Purchase", "currency price product_id purchase_properties", _purchase),
    Drawn.of("*.InstallAttribution", "source", _attribution),
    Drawn.of("*.Location", "alt_accuracy altitude latitude ll_accuracy longitude", _location),
    Drawn.of("*.UserOrphan", "orphaned_by_id", _orphaned_by),
    Drawn.of("*.TokenStateChange", _CHANGED, _token_change),
    Drawn.of(
        "*.PushToStartTokenChange",
        "activity_attributes_type push_token_state_change_type",
        _push_to_start,
    ),
    Drawn.of(
        "*.UpdateTokenChange",
        "activity_id push_token_state_change_type update_token",
        _update_token,
    ),
    Drawn.of("users.messages.liveactivity.*", _LIVE_ACTIVITY, _live_activity),
    Drawn.of("*.GlobalStateChange", _STATE, _global_state),
    Drawn.of(
        "*.subscriptiongroup.StateChange",
        f"{_STATE} phone_number subscription_group_id",
        _group_state,
    ),
    Drawn.of("*.Conversion", "conversion_behavior conversion_behavior_index", _conversion),
    Drawn.of(
        "*.Progression", "exit_reason is_canvas_entry next_step_id progression_type", _progression
    ),
    Drawn.of("*.Progression", "canvas_entry_id", _passage),
    Drawn.of("*.costep.Send", "channel combination_token", _optimized),
    Drawn.of("users.profile.Update", _PROFILE, _profile),
)
