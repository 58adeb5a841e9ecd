"""Rules of traffic that an answer key, or the world, shows more of than a stream does.

`currents_export.coherence` checks what a stream shows by itself. Each function here checks a rule,
and returns how many cases it met.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cached_property
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from currents_export.events import Event
from currents_export.simulation import KeyRecord, User, World

__all__ = ["DAY", "RULES", "Lived", "orphans"]

HOUR = 3_600
DAY = 24 * HOUR
MESSAGES = "users.messages."
#: At most so many messages in so many days of the user's calendar.
CAPS = {
    "email": ((5, 7),),
    "pushnotification": ((5, 7), (2, 1)),
    "sms": ((3, 7),),
    "whatsapp": ((3, 7),),
    "rcs": ((3, 7),),
    "line": ((3, 7),),
}
#: What all events of a message that have the field say alike.
SHARED = frozenset(
    {
        "campaign_id",
        "canvas_id",
        "content_card_id",
        "data_object_provenance",
        "locale_key",
        "message_variation_id",
        "send_id",
        "send_time",
        "subscription_group_id",
    }
)
#: What each type of behavior that converts is in the stream.
BEHAVIORS = {
    "Makes Any Purchase": "users.behaviors.Purchase",
    "Performs Custom Event": "users.behaviors.CustomEvent",
    "Starts Session": "users.behaviors.app.SessionStart",
    "Upgrades App": "users.behaviors.app.SessionStart",
    "Opens Email": "users.messages.email.Open",
    "Clicks Email": "users.messages.email.Click",
}


@attrs.define(slots=False)
class Lived:
    """What happened in a world, with its answer key."""

    world: World
    events: list[Event]
    key: list[KeyRecord]

    @cached_property
    def users(self) -> dict[str, User]:
        return {user.id: user for user in self.world.users}

    @cached_property
    def by_id(self) -> dict[str, Event]:
        return {event.id: event for event in self.events}

    @cached_property
    def pairs(self) -> list[tuple[Event, KeyRecord]]:
        return list(zip(self.events, self.key, strict=True))

    def local(self, event: Event) -> datetime:
        """Return the time on the clocks where the user lives."""
        zone = ZoneInfo(self.users[event.user["user_id"]].place.timezone)
        return datetime.fromtimestamp(event.time, UTC).astimezone(zone)

    def sends(self) -> Iterator[tuple[str, Event]]:
        """Yield the messages that were sent, each with its channel."""
        for event, record in self.pairs:
            name = event.event_type
            if name.startswith(MESSAGES) and name.endswith(".Send"):
                # An SMS that replaces an RCS message is not sent for itself.
                cause = self.by_id.get(record.cause or "")
                replaces = cause is not None and cause.event_type == "users.messages.rcs.Rejection"
                if not replaces and not record.before_start:
                    yield name.split(".")[2], event


def frequency_caps(lived: Lived) -> int:
    """Rule 9: no user gets more messages of a channel than its caps allow."""
    days: dict[tuple[str, str], list[int]] = defaultdict(list)
    for channel, event in lived.sends():
        days[channel, event.user["user_id"]].append(lived.local(event).toordinal())
    for (channel, _), sent in days.items():
        for most, period in CAPS.get(channel, ()):
            for day in set(sent):
                assert sum(day - period < each <= day for each in sent) <= most
    return sum(len(sent) > 2 for sent in days.values())


def quiet_hours(lived: Lived) -> int:
    """Rule 9: nothing that makes a sound goes out in the night."""
    hours = Counter(
        lived.local(event).hour
        for channel, event in lived.sends()
        if channel in CAPS and channel != "email"
    )
    assert all(8 <= hour < 21 for hour in hours)
    return hours.total()


def dispatches(lived: Lived) -> int:
    """Rule 6: a scheduled campaign has a dispatch for all users, others have one for each."""
    scheduled = {each.id for each in lived.world.campaigns if each.schedule}
    users: dict[str, set[str]] = defaultdict(set)
    campaigns: dict[str, set[str]] = defaultdict(set)
    days: dict[tuple[str, int], set[str]] = defaultdict(set)
    local = {each.id: each.schedule.local for each in lived.world.campaigns if each.schedule}
    capped = {
        (event.user["user_id"], event.properties.get("dispatch_id"))
        for event in lived.events
        if event.event_type.endswith(".Retry")
    }
    for channel, event in lived.sends():
        dispatch = event.properties.get("dispatch_id")
        campaign = event.properties.get("campaign_id")
        if dispatch is None:
            continue
        users[dispatch].add(event.user["user_id"])
        campaigns[dispatch].add(campaign or event.properties["canvas_step_id"])
        held = channel in CAPS and channel != "email"
        if campaign in scheduled and not held and (event.user["user_id"], dispatch) not in capped:
            day = lived.local(event).toordinal() if local[campaign] else event.time // DAY
            days[campaign, day].add(dispatch)
    assert all(len(each) == 1 for each in campaigns.values())
    for dispatch, there in users.items():
        if not campaigns[dispatch] <= scheduled:
            assert len(there) == 1
    assert all(len(each) == 1 for each in days.values()), "one dispatch for all recipients"
    return sum(len(there) > 1 for there in users.values())


def messages_agree(lived: Lived) -> int:
    """Rule 1: all events of a message say the same about it; rule 6: few have a send id."""
    said: dict[tuple[str, ...], dict[str, Any]] = {}
    sends = with_id = 0
    for event in lived.events:
        properties = event.properties
        name = event.event_type
        if not name.startswith(MESSAGES) or properties.get("dispatch_id") is None:
            continue
        step = properties.get("canvas_step_id", "")
        before = said.setdefault(
            (name.split(".")[2], event.user["user_id"], properties["dispatch_id"], step), {}
        )
        for field in SHARED & properties.keys():
            assert before.setdefault(field, properties[field]) == properties[field], (name, field)
        sends += name.endswith(".Send")
        with_id += name.endswith(".Send") and "send_id" in properties
    assert with_id <= max(5, 0.1 * sends)
    return with_id


def variations(lived: Lived) -> int:
    """Rule 6: a user stays in a variation of a campaign, and the control group gets nothing."""
    seen: dict[tuple[str, str], set[str]] = defaultdict(set)
    control, sent = set(), set()
    for event in lived.events:
        campaign = event.properties.get("campaign_id")
        if campaign is None or "message_variation_id" not in event.properties:
            continue
        where = (event.user["user_id"], campaign)
        seen[where].add(event.properties["message_variation_id"])
        if event.event_type == "users.campaigns.EnrollInControl":
            control.add(where)
        elif event.event_type.endswith((".Send", ".Impression")):
            sent.add(where)
    assert all(len(each) == 1 for each in seen.values())
    assert not control & sent
    return len(control)


def machine_opens(lived: Lived) -> int:
    """Rule 10: they come within minutes of the delivery, of messages that people open or not."""
    opens: dict[bool, set[tuple[str, str]]] = {True: set(), False: set()}
    for event, record in lived.pairs:
        if event.event_type == "users.messages.email.Open":
            by_machine = event.properties.get("machine_open") == "true"
            message = (event.user["user_id"], event.properties["dispatch_id"])
            opens[by_machine].add(message)
            cause = lived.by_id.get(record.cause or "")
            if by_machine and cause is not None:
                assert cause.event_type == "users.messages.email.Delivery"
                assert event.time - cause.time <= 15 * 60
    return min(len(opens[True] - opens[False]), len(opens[True] & opens[False]))


def bot_clicks(lived: Lived) -> int:
    """Rule 10: a bot visits each link of a message within seconds."""
    clicks: dict[tuple[str, str], list[Event]] = defaultdict(list)
    links: dict[str, set[str]] = defaultdict(set)
    for event, record in lived.pairs:
        if event.event_type == "users.messages.email.Click":
            links[_part(event)].add(event.properties["link_id"])
            if event.properties["is_suspected_bot_click"]:
                clicks[event.user["user_id"], event.properties["dispatch_id"]].append(event)
                cause = lived.by_id.get(record.cause or "")
                assert cause is None or event.time - cause.time <= 20
    for found in clicks.values():
        ids = [event.properties["link_id"] for event in found]
        assert len(ids) == len(set(ids)) > 1
        assert set(ids) == links[_part(found[0])]
        assert len({event.time for event in found}) == 1
    return len(clicks)


def _part(event: Event) -> str:
    """Return what tells the messages with the same links apart."""
    names = ("message_variation_id", "canvas_step_id", "canvas_variation_id")
    return ":".join(event.properties.get(name, "") for name in names)


def prices(lived: Lived) -> int:
    """Rule 11: prices are those of the products, and an order has one currency."""
    products = {product.id: product.prices for product in lived.world.products}
    orders: dict[str, set[str]] = defaultdict(set)
    for event in lived.events:
        if event.event_type == "users.behaviors.Purchase":
            properties = event.properties
            price = products[properties["product_id"]][properties["currency"]]
            assert abs(properties["price"]) == price
            orders[properties["purchase_properties"]["order_id"]].add(properties["currency"])
    assert all(len(each) == 1 for each in orders.values())
    return len(orders)


def refunds(lived: Lived) -> int:
    """Rule 11: a refund follows from a purchase of the same product and is not larger."""
    count = 0
    for event, record in lived.pairs:
        if event.event_type == "users.behaviors.Purchase" and event.properties["price"] < 0:
            assert record.cause is not None
            bought = lived.by_id.get(record.cause)
            assert (bought is None) == record.before_start
            if bought is not None:
                count += 1
                assert bought.event_type == event.event_type
                assert bought.time < event.time
                assert bought.properties["product_id"] == event.properties["product_id"]
                assert bought.properties["price"] >= -event.properties["price"]
                one, other = (
                    each.properties["purchase_properties"]["order_id"] for each in (bought, event)
                )
                assert one == other
    return count


def conversions(lived: Lived) -> int:
    """Rule 8: the behavior is in the stream at that moment, and converts once per receipt."""
    done: dict[tuple[str, int], set[str]] = defaultdict(set)
    for event in lived.events:
        if event.event_type in BEHAVIORS.values():
            done[event.user["user_id"], event.time].add(
                event.event_type + event.properties.get("name", "")
            )
    seen: set[tuple[str | None, str, int]] = set()
    for event, record in lived.pairs:
        if event.event_type in ("users.campaigns.Conversion", "users.canvas.Conversion"):
            properties = event.properties
            behavior = json.loads(properties["conversion_behavior"])
            name = BEHAVIORS[behavior["type"]] + behavior.get("custom_event_name", "")
            assert name in done[event.user["user_id"], event.time]
            what = (record.cause, event.event_type, properties["conversion_behavior_index"])
            assert record.cause is not None
            assert what not in seen
            seen.add(what)
            receipt = lived.by_id.get(record.cause)
            if receipt is not None:
                assert 0 <= event.time - receipt.time <= behavior["window"]
    return len(seen)


def pauses(lived: Lived) -> int:
    """Rule 5: sessions of a device are apart: more than 10 s, and half an hour on the web."""
    ended: dict[str, int] = {}
    count = 0
    for event in lived.events:
        if event.event_type == "users.behaviors.app.SessionEnd":
            ended[event.user["device_id"]] = event.time
        elif event.event_type == "users.behaviors.app.SessionStart":
            before = ended.pop(event.user["device_id"], None)
            if before is not None:
                least = 1_800 if event.properties["platform"] == "web" else 10
                assert event.time - before > least
                count += 1
    return count


def uninstalls(lived: Lived) -> int:
    """Rule 12: a silent push finds a removed app once a day; nothing happens on it afterwards."""
    gone: dict[str, int] = {}
    for event in lived.events:
        device = event.user.get("device_id", "")
        if event.event_type == "users.behaviors.Uninstall":
            assert 4 * HOUR <= event.time % DAY <= 6 * HOUR + 1
            gone[device] = event.time
        elif device in gone:
            assert not event.event_type.startswith("users.behaviors.app.")
            assert not event.event_type.endswith("pushnotification.Send")
    return len(gone)


def orphans(lived: Lived) -> int:
    """Rule 3: an anonymous profile becomes part of a known user's, who is in the world."""
    count = 0
    for event in lived.events:
        if event.event_type == "users.UserOrphan":
            count += 1
            assert lived.users[event.user["user_id"]].external_id is None
            assert lived.users[event.properties["orphaned_by_id"]].external_id is not None
    return count


def refreshed_tokens(lived: Lived) -> int:
    """Rule 12: a refresh is a pair of a removal and an addition at the same moment."""
    pairs: dict[tuple[str, int], list[Event]] = defaultdict(list)
    for event, record in lived.pairs:
        if record.journey == "token refresh":
            pairs[event.user["user_id"], event.time].append(event)
    for removed, added in pairs.values():
        one, other = removed.properties, added.properties
        assert one["push_token_state_change_type"] == "remove"
        assert other["push_token_state_change_type"] == "add"
        assert one["time_ms"] == other["time_ms"]
        assert one["push_token"] != other["push_token"]
        assert one["push_token_device_id"] == other["push_token_device_id"]
    return len(pairs)


def causes(lived: Lived) -> int:
    """Rule 1: what follows from a message has one earlier cause, of the same user and dispatch."""
    roots = ("Send", "Abort", "Retry", "Impression", "InboundReceive", "Response")
    count = 0
    for event, record in lived.pairs:
        name = event.event_type
        if not name.startswith(MESSAGES) or name.endswith(roots):
            continue
        assert record.cause is not None, name
        cause = lived.by_id.get(record.cause)
        assert (cause is None) == record.before_start
        if cause is not None:
            count += 1
            assert cause.time <= event.time
            assert cause.user["user_id"] == event.user["user_id"]
            assert cause.event_type.split(".")[:3] == name.split(".")[:3]
            one, other = cause.properties.get("dispatch_id"), event.properties.get("dispatch_id")
            assert None in (one, other) or one == other
    return count


def silence(lived: Lived) -> int:
    """Rule 3: a user who was deleted or became part of another has no more events."""
    gone: set[str] = set()
    for event in lived.events:
        assert event.user.get("user_id") not in gone
        if event.event_type in ("users.UserDeleteRequest", "users.UserOrphan"):
            gone.add(event.user["user_id"])
    return len(gone)


def caps_and_canvases(lived: Lived) -> int:
    """Rules 7 and 9: whoever gets no message because of a cap goes on to the next step."""
    steps = {
        canvas.id: {step.id: number for number, step in enumerate(canvas.steps)}
        for canvas in lived.world.canvases
    }
    capped: list[Event] = []
    latest: dict[tuple[str, str], int] = {}
    for event in lived.events:
        canvas, step = (event.properties.get(f"canvas{each}_id") for each in ("", "_step"))
        if canvas is None or step is None:
            continue
        if event.properties.get("abort_type") == "frequency_capped":
            capped.append(event)
        where = (event.user["user_id"], canvas)
        latest[where] = max(latest.get(where, 0), steps[canvas][step])
    return sum(
        latest[event.user["user_id"], event.properties["canvas_id"]]
        > steps[event.properties["canvas_id"]][event.properties["canvas_step_id"]]
        for event in capped
    )


def order_of_time(lived: Lived) -> int:
    """Without disturbances, a stream is ordered and ids are unique."""
    assert all(one.time <= other.time for one, other in pairwise(lived.events))
    assert len(lived.by_id) == len(lived.events)
    return len(lived.events)


RULES: list[Callable[[Lived], int]] = [
    bot_clicks,
    caps_and_canvases,
    causes,
    conversions,
    dispatches,
    frequency_caps,
    machine_opens,
    messages_agree,
    order_of_time,
    orphans,
    pauses,
    prices,
    quiet_hours,
    refreshed_tokens,
    refunds,
    silence,
    uninstalls,
    variations,
]
