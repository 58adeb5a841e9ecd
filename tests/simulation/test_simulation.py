"""The promises of `currents_export.simulation`: coherent, conforming, repeatable traffic."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from itertools import islice, pairwise
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import attrs
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from currents_export.catalog import Catalog, EventType, check_event
from currents_export.errors import OptionError, UnknownNameError
from currents_export.events import Event
from currents_export.payload import encode_event
from currents_export.simulation import SAMPLE_TIME, Device, User, World
from currents_export.simulation._plan import make_plan, unmade_fields

NEWEST = Catalog.load()
VERSIONS = [version.number for version in Catalog.versions()]
START = SAMPLE_TIME

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

#: What a sample lacks, because something else in it excludes it: event type, fields, which one.
EXCLUDED = (
    # iOS alone, against a browser's three keys.
    (
        "users.behaviors.pushnotification.TokenStateChange",
        {"ios_push_token_apns_gateway", "push_token_provisionally_opted_in"},
    ),
    # A subscription group has one channel.
    ("users.behaviors.subscriptiongroup.StateChange", {"phone_number"}),
    # A user who goes on does not leave.
    ("users.canvasstep.Progression", {"exit_reason"}),
    ("users.canvasstep.Progression", {"next_step_id"}),
    # A browser has no advertising id, an app no browser.
    ("users.messages.banner.Abort", {"browser"}),
    ("users.messages.banner.Click", {"browser"}),
    ("users.messages.banner.Dismiss", {"browser"}),
    ("users.messages.banner.Impression", {"browser"}),
    # One message is text, or a picture, or a form, or a pressed button, or about a product.
    ("users.messages.line.InboundReceive", {"media_id"}),
    (
        "users.messages.whatsapp.InboundReceive",
        {"catalog_id", "media_urls", "product_id", "quick_reply_text"},
    ),
    # A running activity has a token of its own.
    ("users.messages.liveactivity.Outcome", {"push_to_start_token"}),
    ("users.messages.liveactivity.Send", {"push_to_start_token"}),
)


@pytest.fixture(scope="module")
def world() -> World:
    return World(7, users=300)


@pytest.fixture(scope="module")
def traffic(world: World) -> list[Event]:
    """Traffic of all types as it comes, and then some of every type."""
    mixed = list(islice(world.events(start=START), 8_000))
    each = [
        event
        for name in world.catalog
        for event in islice(world.events(event_types=[name], start=START, rate=0.01), 120)
    ]
    return mixed + each


@pytest.fixture(scope="module")
def owners(world: World) -> dict[str, User]:
    return {user.id: user for user in world.users}


def of_type(events: list[Event], glob: str) -> list[Event]:
    names = {each.name for each in NEWEST.select(glob)}
    found = [event for event in events if event.event_type in names]
    assert found, f"no event of {glob}"
    return found


def device_of(event: Event, owners: dict[str, User]) -> Device | None:
    if "device_id" not in event.user:
        return None
    (device,) = (
        each for each in owners[event.user["user_id"]].devices if each.id == event.user["device_id"]
    )
    return device


def every(events: list[Event], name: str) -> list[Any]:
    return [event.properties[name] for event in events if name in event.properties]


# Conformance


@pytest.mark.parametrize("version", VERSIONS)
def test_every_event_of_every_type_and_version_conforms(version: int) -> None:
    catalog = Catalog.load(version)
    world = World(version, users=25, schema_version=version)
    for name in catalog:
        events = [world.sample(name), *islice(world.events(event_types=[name], start=START), 25)]
        for event in events:
            assert event.event_type == name
            assert check_event(catalog, event) == []


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(-(2**70), 2**70),
    users=st.integers(1, 8),
    start=st.integers(1, 2**32 - 2**20),
    rate=st.floats(0.001, 1e6),
)
def test_any_world_makes_events_that_conform(
    seed: int, users: int, start: int, rate: float
) -> None:
    world = World(seed, users=users)
    for event in islice(world.events(start=start, rate=rate), 40):
        assert check_event(NEWEST, event) == []
        assert Event.from_dict(orjson.loads(encode_event(event))) == event
    for each in NEWEST.select("users.messages.*"):
        assert check_event(NEWEST, world.sample(each, time=start)) == []


def test_traffic_conforms(traffic: list[Event]) -> None:
    assert [finding for event in traffic for finding in check_event(NEWEST, event)] == []


# Every field has a maker


@pytest.mark.parametrize("event_type", NEWEST.event_types, ids=lambda each: each.name)
def test_every_catalog_field_is_made(event_type: EventType) -> None:
    missing = unmade_fields(event_type)
    assert not missing, (
        f"{event_type.name} has fields that the simulation does not make: {', '.join(missing)}; "
        "add them to USER_FIELDS or DEVICE_FIELDS in _fields.py, to MESSAGE_FIELDS in "
        "_messages.py, or to DRAWN in a _draw_ module"
    )


def test_every_field_comes_up_in_traffic(traffic: list[Event]) -> None:
    seen: dict[str, set[str]] = defaultdict(set)
    for event in traffic:
        seen[event.event_type].update(f"user.{name}" for name in event.user)
        seen[event.event_type].update(f"properties.{name}" for name in event.properties)
    # These are in samples alone: they come up too seldom, or a profile never comes back.
    rare = {"properties.archived"}
    unseen = {
        f"{each.name}: {path}"
        for each in NEWEST.event_types
        for path in each.fields
        if path not in seen[each.name] | rare
    }
    assert not unseen


def test_a_field_that_nothing_makes_is_named() -> None:
    event_type = NEWEST["users.behaviors.Purchase"]
    field = attrs.evolve(event_type.fields["properties.price"], name="mood")
    stranger = attrs.evolve(event_type, fields={**event_type.fields, field.path: field})
    assert unmade_fields(stranger) == ["properties.mood"]
    workspace = World(users=1)._workspace
    with pytest.raises(LookupError, match=r"properties\.mood of users\.behaviors\.Purchase"):
        make_plan(stranger, workspace, [])


# Repeatability


def digest(world: World, count: int = 400) -> str:
    events = [*islice(world.events(start=START), count), *map(world.sample, world.catalog)]
    return hashlib.sha256(b"".join(map(encode_event, events))).hexdigest()


def test_same_arguments_same_bytes() -> None:
    assert digest(World(5, users=20)) == digest(World(5, users=20))
    assert digest(World(5, users=20)) != digest(World(6, users=20))


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_same_bytes_in_another_process(hash_seed: str) -> None:
    code = "from tests.test_simulation import World, digest\nprint(digest(World(5, users=20)))"
    out = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": "Asia/Tokyo"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert out.stdout.strip() == digest(World(5, users=20))


def test_samples_do_not_depend_on_what_was_asked_before() -> None:
    fresh, used = World(3, users=30), World(3, users=30)
    list(islice(used.events(start=START), 50))
    for name in reversed(list(used.catalog)):
        used.sample(name, time=5_000_000)
    for name in fresh.catalog:
        assert fresh.sample(name) == used.sample(name) == used.sample(NEWEST[name])


def test_a_sample_at_another_time_has_another_id() -> None:
    world = World(users=5)
    first = world.sample("users.behaviors.Purchase")
    second = world.sample("users.behaviors.Purchase", time=SAMPLE_TIME + 1)
    assert (first.time, second.time) == (SAMPLE_TIME, SAMPLE_TIME + 1)
    assert first.id != second.id
    assert first.properties == second.properties


def test_streams_are_independent() -> None:
    world = World(2, users=10)
    alone = list(islice(world.events(start=START), 60))
    one, two = world.events(start=START), world.events(start=START + 1)
    woven = [(next(one), next(two)) for _ in range(60)]
    assert [pair[0] for pair in woven] == alone
    other = list(islice(world.events(start=START, event_types=["users.behaviors.*"]), 60))
    ids = [event.id for event in (*alone, *other, *(pair[1] for pair in woven))]
    assert len(set(ids)) == len(ids)


def test_version_and_number_of_users_change_nobody() -> None:
    small, large = World(4, users=10, schema_version=1), World(4, users=60)
    assert large.users[:10] == small.users
    assert large.campaigns == small.campaigns
    assert large.canvases == small.canvases


def test_an_order_of_types_or_a_double_makes_no_difference() -> None:
    world = World(users=10)
    names = ["users.behaviors.Purchase", "users.messages.email.Send"]
    expected = list(islice(world.events(event_types=names, start=START), 30))
    twice: list[EventType | str] = [*reversed(names), NEWEST[names[0]]]
    assert list(islice(world.events(event_types=twice, start=START), 30)) == expected


# Time and mix


@pytest.mark.parametrize("rate", [0.5, 10, 400.0])
def test_time_moves_on_at_the_rate(world: World, rate: float) -> None:
    times = [event.time for event in islice(world.events(start=START, rate=rate), 4000)]
    assert times[0] == START
    assert all(before <= after for before, after in pairwise(times))
    assert all(type(time) is int for time in times)
    assert math.isclose((times[-1] - START) * rate, 4000, rel_tol=0.1)


def test_a_stream_ends_where_ids_cannot_count() -> None:
    events = list(World(users=1).events(start=2**32 - 2, rate=1.0))
    assert {event.time for event in events} <= {2**32 - 2, 2**32 - 1}


def test_the_mix_is_plausible(world: World) -> None:
    counts = Counter(
        event.event_type.removeprefix("users.messages.")
        for event in islice(world.events(start=START), 40_000)
    )
    assert counts["email.Send"] > counts["email.Open"] > counts["email.Click"] * 2
    assert counts["email.Click"] > counts["email.Bounce"]
    assert counts["sms.Send"] > counts["sms.ShortLinkClick"] > 0
    assert counts["users.behaviors.CustomEvent"] > counts["users.behaviors.Purchase"] * 5
    agents = sum(count for name, count in counts.items() if name.startswith("agentconsole."))
    assert 0 < agents < 400
    assert len(counts) > 70


def test_some_users_are_more_active(world: World) -> None:
    counts = Counter(
        event.user.get("user_id") for event in islice(world.events(start=START), 20_000)
    )
    busiest = sum(count for _, count in counts.most_common(30))
    assert busiest > 20_000 * 0.25
    assert len(counts) > 250


def test_only_what_was_selected(world: World) -> None:
    globs = ["users.messages.email.*", "agent_console"]
    names = {event.event_type for event in islice(world.events(event_types=globs, start=1), 2000)}
    assert names <= {each.name for each in NEWEST.select(*globs)}
    assert len(names) > 8


# People


def test_users_hang_together(world: World) -> None:
    timezones = available_timezones()
    for user in world.users:
        assert re.fullmatch(r"[0-9a-f]{24}", user.id)
        assert user.place.timezone in timezones
        assert 1 <= len(user.devices) <= 3
        assert user.user_agent.startswith("Mozilla/5.0 ")
        if user.external_id is None:
            known = (user.email, user.phone, user.first_name, user.dob, user.email_domain)
            assert known == (None,) * 5
        else:
            assert user.email is not None
            assert user.phone is not None
            assert user.dob is not None
            assert user.email_domain in {
                *("example.com", "example.org", "example.net"),
                *("mail.example", "inbox.example"),
            }
            assert user.email.isascii()
            if user.mailbox_provider == "iCloud":
                assert any(device.platform == "ios" for device in user.devices)
            assert "1949" < user.dob[:4] < "2010"


def test_most_users_are_known(world: World) -> None:
    anonymous = [user for user in world.users if user.external_id is None]
    assert 1 <= len(anonymous) <= 24
    assert world.users[0].external_id


def test_addresses_are_made_of_names(world: World) -> None:
    for user in world.users:
        if user.email and user.place.country in ("US", "GB"):
            assert user.last_name is not None
            plain = re.sub(r"[^a-z]", "", user.last_name.lower())
            assert plain in user.email.replace(".", "")


PHONES = {
    "US": r"\+1\d{3}55501\d\d",
    "CA": r"\+1\d{3}55501\d\d",
    "GB": r"\+447700900\d{3}",
    "IE": r"\+3532091\d{5}",
    "FR": r"\+3363998\d{4}",
    "DE": r"\+49176040690\d\d",
    "SE": r"\+467017406\d\d",
    "AU": r"\+6149157\d{4}",
    "JP": r"\+81900000\d{4}",
    "BR": r"\+55119000\d{5}",
    "MX": r"\+52550000\d{4}",
}


def test_phones_ring_nowhere(world: World) -> None:
    for user in world.users:
        if user.phone:
            assert re.fullmatch(PHONES[user.place.country], user.phone)
    phones = [user.phone for user in world.users if user.phone and user.place.country != "AU"]
    assert len(set(phones)) == len(phones)


AD_ID_TYPES = {
    "ios": "ios_idfa",
    "tvos": "ios_idfa",
    "android": "google_ad_id",
    "roku": "roku_ad_id",
    "kindle": None,
    "web": None,
}


def test_devices_hang_together() -> None:
    devices = [device for user in World(1, users=600).users for device in user.devices]
    assert {device.platform for device in devices} == set(AD_ID_TYPES)
    for device in devices:
        assert device.ad_id_type in (AD_ID_TYPES[device.platform], None)
        assert (
            (device.ad_id is None)
            == (device.ad_id_type is None)
            == (not device.ad_tracking_enabled)
        )
        assert (device.browser_name is not None) == (device.platform == "web")
        assert (device.ios_push_token_apns_gateway is not None) == (device.platform == "ios")
        assert (device.web_push is not None) == (
            device.platform == "web" and device.push_token is not None
        )
        if device.platform == "ios":
            assert device.model.startswith(("iPhone", "iPad"))
            assert device.browser is not None
            assert device.os_version.replace(".", "_") in device.browser.user_agent
        if device.platform == "android":
            assert device.browser is not None
            assert f"Android {device.os_version}; {device.model})" in device.browser.user_agent


# Events hang together


def test_what_is_the_users_own(traffic: list[Event], owners: dict[str, User]) -> None:
    for event in traffic:
        if "user_id" not in event.user:
            assert event.event_type.startswith("agentconsole.")
            continue
        user = owners[event.user["user_id"]]
        if "user.external_user_id" in NEWEST[event.event_type].fields:
            assert event.user.get("external_user_id") == user.external_id
        expected = {
            "email_address": user.email,
            "to_phone_number": user.phone,
            "user_phone_number": user.phone,
            "phone_number": user.phone,
            "recipient_domain": user.email_domain,
            "mailbox_provider": user.mailbox_provider,
            "native_line_id": user.native_line_id,
            "bsuid": user.bsuid,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "home_city": user.place.city,
            "country": user.place.country,
            "language": user.place.language,
            "currency": user.place.currency,
            "locale_key": user.place.locale_key,
        }
        for name, value in expected.items():
            assert event.properties.get(name, value) == value
        assert event.user.get("timezone", user.place.timezone) == user.place.timezone


def test_what_is_the_devices_own(traffic: list[Event], owners: dict[str, User]) -> None:
    for event in traffic:
        if (device := device_of(event, owners)) is None:
            continue
        expected = {
            "platform": device.platform,
            "os_version": device.os_version,
            "app_id": device.app.id,
            "ad_id": device.ad_id,
            "ad_id_type": device.ad_id_type,
            "ad_tracking_enabled": device.ad_tracking_enabled,
            "push_token": device.push_token,
        }
        for name, value in expected.items():
            assert event.properties.get(name, value) == value
        if "os_version" in event.properties:
            assert event.properties["device_model"] == device.model
            assert event.properties.get("browser", device.browser_name) == device.browser_name


def test_platform_tells_the_ad_id_and_the_app(world: World, traffic: list[Event]) -> None:
    apps = {app.id: app.platform for app in world.apps}
    for event in traffic:
        properties = event.properties
        platform = properties.get("platform")
        if "ad_id_type" in properties and platform:
            assert properties["ad_id_type"] == AD_ID_TYPES[platform]
            assert properties["ad_tracking_enabled"] is True
        if "app_id" in properties and platform:
            assert apps[properties["app_id"]] == platform
        if "push_token_provisionally_opted_in" in properties:
            assert platform == "ios"


def test_a_campaign_or_a_canvas(world: World, traffic: list[Event]) -> None:
    campaigns = {campaign.id: campaign for campaign in world.campaigns}
    canvases = {canvas.id: canvas for canvas in world.canvases}
    samples = [world.sample(name) for name in world.catalog]
    kinds: Counter[str] = Counter()
    for event in (*traffic, *samples):
        properties = event.properties
        assert not (properties.keys() & CAMPAIGN and properties.keys() & CANVAS)
        channel = event.event_type.split(".")[2] if "users.messages." in event.event_type else None
        if "campaign_id" in properties:
            kinds["campaign"] += 1
            campaign = campaigns[properties["campaign_id"]]
            assert properties["campaign_name"] == campaign.name
            if "message_variation_id" in properties:
                variations = {each.id: each for each in campaign.variations}
                variation = variations[properties["message_variation_id"]]
                name = properties.get("message_variation_name", variation.name)
                assert name == variation.name
                assert variation.control == event.event_type.endswith(".EnrollInControl")
            assert channel in (None, campaign.channel)
        if "canvas_id" in properties:
            kinds["canvas"] += 1
            canvas = canvases[properties["canvas_id"]]
            assert properties.get("canvas_name", canvas.name) == canvas.name
            variations_ = {each.id: each for each in canvas.variations}
            entered = variations_[properties["canvas_variation_id"]]
            name = properties.get("canvas_variation_name", entered.name)
            assert name == entered.name
            steps = {each.id: each for each in canvas.steps}
            if "canvas_step_id" in properties:
                step = steps[properties["canvas_step_id"]]
                assert properties["canvas_step_name"] == step.name
                assert not entered.control
                assert channel in (None, step.channel)
                if "experiment_split_id" in properties:
                    splits = {split.id: split for split in step.splits}
                    split = splits[properties["experiment_split_id"]]
                    assert properties["experiment_split_name"] == split.name
                    assert properties.get("in_control_group", split.control) == split.control
            else:
                assert entered.control
                assert properties["in_control_group"] is True
            if "next_step_id" in properties:
                order = [each.id for each in canvas.steps]
                place = order.index(properties["canvas_step_id"])
                assert order[place + 1] == properties["next_step_id"]
    messages = [event for event in traffic if event.event_type == "users.messages.email.Send"]
    share = sum("campaign_id" in event.properties for event in messages) / len(messages)
    assert 0.5 < share < 0.7
    assert min(kinds.values()) > 1000


def test_campaigns_go_to_their_region(
    world: World, traffic: list[Event], owners: dict[str, User]
) -> None:
    regions = {campaign.id: campaign.region for campaign in world.campaigns}
    regions |= {canvas.id: canvas.region for canvas in world.canvases}
    for event in traffic:
        belongs = event.properties.get("campaign_id") or event.properties.get("canvas_id")
        if belongs and "user_id" in event.user:
            user = owners[event.user["user_id"]]
            assert regions[belongs] in ("Global", user.place.region)


def test_a_dispatch_is_one_send_of_one_hour(traffic: list[Event]) -> None:
    seen: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for event in traffic:
        dispatch = event.properties.get("dispatch_id")
        # The events of content optimizers name no Canvas.
        if dispatch and "costep" not in event.event_type:
            properties = event.properties
            source = properties.get("campaign_id") or properties["canvas_step_id"]
            seen[dispatch].add((source, event.time // 3600))
            assert 0 <= event.time - int(dispatch[:8], 16) < 3600
    assert all(len(sources) == 1 for sources in seen.values())
    assert len(seen) > 100


def test_messages_name_their_sender(world: World, traffic: list[Event]) -> None:
    senders = {sender.from_domain: sender for sender in world.email_senders}
    groups = {group.id: group for group in world.subscription_groups}
    for event in traffic:
        properties = event.properties
        if "from_domain" in properties:
            sender = senders[properties["from_domain"]]
            assert properties["esp"] == sender.esp
            assert properties["ip_pool"] == sender.ip_pool
            assert properties.get("sending_ip", sender.sending_ip) == sender.sending_ip
        if "subscription_group_id" in properties:
            group = groups[properties["subscription_group_id"]]
            assert (
                properties.items()
                >= {
                    name: value for name, value in group.sender.items() if name in properties
                }.items()
            )
            assert group.channel == (properties.get("channel") or event.event_type.split(".")[2])
    assert world.domain.endswith(".example")


def test_links_are_on_the_brands_domain(world: World, traffic: list[Event]) -> None:
    for event in traffic:
        if "url" in event.properties:
            url = event.properties["url"]
            assert url.startswith(f"https://www.{world.domain}/")
            if "link_id" in event.properties:
                assert url.endswith(f"&lid={event.properties['link_id']}")
                assert f"utm_content={event.properties['link_alias']}" in url
        if "short_url" in event.properties:
            assert event.properties["short_url"].startswith(f"https://go.{world.domain}/")
        if "endpoint_url" in event.properties:
            properties = event.properties
            whole = f"https://{properties['host']}{properties['url_path']}"
            assert properties["endpoint_url"] == whole


# One type at a time


def test_machine_opens(world: World, traffic: list[Event]) -> None:
    opens = of_type(traffic, "users.messages.email.Open")
    machines = [event for event in opens if "machine_open" in event.properties]
    assert {event.properties["machine_open"] for event in machines} == {"true"}
    assert 0.1 < len(machines) / len(opens) < 0.5
    assert world.sample("users.messages.email.Open").properties["machine_open"] == "true"


def test_bot_clicks_give_reasons(traffic: list[Event]) -> None:
    for glob in ("*.email.Click", "*.sms.ShortLinkClick", "*.rcs.Click"):
        clicks = of_type(traffic, glob)
        suspected = [event for event in clicks if event.properties["is_suspected_bot_click"]]
        assert 0 < len(suspected) < len(clicks) / 4
        for event in clicks:
            reasons = event.properties.get("suspected_bot_click_reason")
            assert bool(reasons) == event.properties["is_suspected_bot_click"]


def test_purchases_have_the_products_price(
    world: World, traffic: list[Event], owners: dict[str, User]
) -> None:
    products = {product.id: product for product in world.products}
    purchases = of_type(traffic, "users.behaviors.Purchase")
    for event in purchases:
        properties = event.properties
        price = products[properties["product_id"]].prices[properties["currency"]]
        assert abs(properties["price"]) == price
        more = properties.get("purchase_properties", {})
        assert ("refund_reason" in more) <= (properties["price"] < 0)
        assert ("size" in more) <= (more.get("category") not in ("Bags", "Gift Cards"))
    refunds = sum(event.properties["price"] < 0 for event in purchases)
    assert 0 < refunds < len(purchases) / 10
    prices = [product.prices["JPY"] for product in world.products]
    assert all(type(price) is int for price in prices)


def test_tokens_add_up(world: World, traffic: list[Event]) -> None:
    runs = of_type(traffic, "agentconsole.AgentExecuted")
    for event in (*runs, world.sample("agentconsole.AgentExecuted")):
        run = event.properties
        assert run["total_tokens"] == run["prompt_tokens"] + run["completion_tokens"]
        assert run["reasoning_tokens"] <= run["completion_tokens"]
        assert run["cache_tokens"] <= run["prompt_tokens"]
        assert run["cache_hit"] == (run["cache_tokens"] > 0)
        assert ("error" in run) == run["is_error"]
        assert ("output" in run) == (run["completion_tokens"] > 0)
        assert (run["invocation_source"] == "canvas") == ("canvas_id" in run)
        assert bool(event.user) == ("canvas_id" in run)
    for event in of_type(traffic, "agentconsole.ToolInvocation"):
        assert isinstance(json.loads(event.properties["tool_arguments"]), dict)


def test_custom_events_are_the_customers(traffic: list[Event]) -> None:
    events = of_type(traffic, "users.behaviors.CustomEvent")
    assert len({event.properties["name"] for event in events}) >= 8
    properties = every(events, "custom_properties")
    assert 0 < len(properties) < len(events)
    keys = {key for each in properties for key in each}
    assert any(" " in key for key in keys)
    assert any("." in key for key in keys)
    for each in properties:
        if "items" in each:
            assert each["total"] == round(sum(item["price"] for item in each["items"]), 2)


def test_sessions_share_their_id(world: World) -> None:
    names = ["users.behaviors.app.SessionStart", "users.behaviors.app.SessionEnd"]
    events = list(islice(world.events(event_types=names, start=START), 6000))
    sessions: dict[str, set[str]] = defaultdict(set)
    kinds: dict[str, set[str]] = defaultdict(set)
    for event in events:
        sessions[event.properties["session_id"]].add(event.user["device_id"])
        kinds[event.properties["session_id"]].add(event.event_type)
    assert all(len(devices) == 1 for devices in sessions.values())
    assert any(len(each) == 2 for each in kinds.values())
    assert all(0 < duration < 1800 for duration in every(events, "duration"))


def test_errors_are_those_of_the_channel(traffic: list[Event]) -> None:
    for event in of_type(traffic, "*.email.Bounce"):
        reason = event.properties["bounce_reason"]
        assert "{" not in reason
        assert event.properties["is_drop"] or reason.startswith("55")
    for event in of_type(traffic, "*.email.Deferral"):
        assert re.match(r"4\d\d ", event.properties["deferral_reason"])
        assert event.properties["attempt_count"] >= 1
    for event in of_type(traffic, "*.whatsapp.Failure"):
        assert re.fullmatch(r"13\d{4}", event.properties["provider_error_code"])
    for event in of_type(traffic, "*.sms.Rejection"):
        assert re.fullmatch(r"30\d{3}", event.properties["provider_error_code"])
    for event in of_type(traffic, "*.Abort"):
        assert "{" not in event.properties["abort_log"]
    for event in of_type(traffic, "*.pushnotification.Retry"):
        service = "APNs" if event.properties["platform"] == "ios" else "FCM"
        assert service in event.properties["retry_log"]
    for event in of_type(traffic, "*.webhook.Failure"):
        failure = event.properties
        assert failure["http_status_code"] >= 400
        assert failure["content_length"] == len(failure["raw_response"])
        if failure["http_status_code"] in (400, 401, 404):
            assert failure["is_terminal"]


def test_replies_are_of_one_kind(traffic: list[Event]) -> None:
    kinds: Counter[str] = Counter()
    for event in of_type(traffic, "*.whatsapp.InboundReceive"):
        marks = {"flow_id", "quick_reply_text", "catalog_id", "media_urls"}
        found = sorted(marks & event.properties.keys())
        assert len(found) <= 1
        kinds[found[0] if found else "text"] += 1
        assert ("flow_id" in event.properties) == ("flow_response_json" in event.properties)
        if "in_reply_to" in event.properties:
            assert event.properties.keys() & {"campaign_id", "canvas_id"}
    assert len(kinds) == 5
    for event in of_type(traffic, "*.line.InboundReceive"):
        assert ("media_id" in event.properties) != ("message_body" in event.properties)
    for event in of_type(traffic, "*.sms.InboundReceive"):
        if event.properties["message_body"].lower() == "stop":
            assert event.properties["action"] == "Unsubscribed"


def test_live_activities(traffic: list[Event]) -> None:
    for event in of_type(traffic, "users.messages.liveactivity.*"):
        starts = event.properties["live_activity_event_type"] == "start"
        assert starts == ("push_to_start_token" in event.properties)
        assert starts != ("update_token" in event.properties)
        assert starts != ("activity_id" in event.properties)


def test_times_in_properties(traffic: list[Event]) -> None:
    for event in traffic:
        if "time_ms" in event.properties:
            assert event.properties["time_ms"] // 1000 == event.time
        if "push_token_created_at" in event.properties:
            properties = event.properties
            assert properties["push_token_created_at"] <= properties["push_token_updated_at"]
            assert properties["push_token_updated_at"] <= event.time


def test_subscriptions_name_the_channel(traffic: list[Event], owners: dict[str, User]) -> None:
    channels: Counter[str] = Counter()
    for event in of_type(traffic, "users.behaviors.subscription*.*"):
        properties, user = event.properties, owners[event.user["user_id"]]
        channels[properties["channel"]] += 1
        match properties["channel"]:
            case "email":
                assert properties["channel_identifier"] == properties["email_address"]
            case "push":
                tokens = [device.push_token for device in user.devices]
                assert properties.get("channel_identifier") in (None, *tokens)
                assert "email_address" not in properties
            case _:
                assert properties["channel_identifier"] == properties["phone_number"]
        from_app = properties["state_change_source"] == "SDK"
        assert from_app == ("app_id" in properties)
    assert set(channels) >= {"email", "push", "sms", "whatsapp"}


def test_locations_are_near_home(traffic: list[Event], owners: dict[str, User]) -> None:
    for event in of_type(traffic, "users.behaviors.Location"):
        place = owners[event.user["user_id"]].place
        assert abs(event.properties["latitude"] - place.latitude) < 0.2
        assert abs(event.properties["longitude"] - place.longitude) < 0.2


def test_json_in_strings(traffic: list[Event]) -> None:
    names = ("message_extras", "custom_attributes", "conversion_behavior", "flow_response_json")
    for name in names:
        values = {text for event in traffic for text in every([event], name)}
        assert values
        assert all(isinstance(json.loads(text), dict) for text in values)


# Samples


@pytest.mark.parametrize("name", list(NEWEST))
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_sample_has_every_field_that_can_be(name: str, seed: int) -> None:
    event = WORLDS[seed].sample(name)
    properties = event.properties.keys()
    missing = {
        field.name
        for field in NEWEST[name].fields.values()
        if field.name not in (event.user if field.part == "user" else event.properties)
    }
    belongs = CAMPAIGN if properties & CAMPAIGN else CANVAS if properties & CANVAS else set()
    missing -= (CANVAS if belongs is CAMPAIGN else CAMPAIGN) if belongs else set()
    if name in ("users.canvas.Entry", "users.canvas.experimentstep.SplitEntry"):
        assert "canvas_step_id" in properties
    assert not missing or (name, missing) in EXCLUDED


WORLDS = [World(seed, users=40) for seed in (0, 1, 2)]


def test_a_sample_in_an_old_version_is_as_whole() -> None:
    event = World(schema_version=1, users=30).sample("users.messages.whatsapp.InboundReceive")
    assert event.properties["quick_reply_text"] == event.properties["message_body"]


# Errors


def test_unknown_types() -> None:
    world = World(users=1, schema_version=1)
    with pytest.raises(UnknownNameError, match="did you mean"):
        world.sample("users.messages.email.Opne")
    with pytest.raises(UnknownNameError, match="came with schema version 8"):
        world.sample("users.profile.Update")
    with pytest.raises(UnknownNameError, match="came with schema version 8"):
        world.sample(NEWEST["users.profile.Update"])
    with pytest.raises(UnknownNameError):
        world.events(event_types=["users.messages.email.Opne"], start=START)
    with pytest.raises(UnknownNameError):
        World(users=1, schema_version=99)


@pytest.mark.parametrize(
    "options",
    [
        *({"users": value} for value in (0, -1, True, 1.5, "9", None)),
        *({"seed": value} for value in (1.0, "a", None, True)),
    ],
)
def test_bad_worlds(options: dict[str, Any]) -> None:
    (name,) = options
    with pytest.raises(OptionError, match=f"{name} is .* it must be a whole number"):
        World(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        *(({"rate": rate}, "rate") for rate in (0, -1, math.nan, math.inf, True, "1", None)),
        *(({"start": start}, "start") for start in (0, -5, 1.5, 2**32, None, True)),
        ({"event_types": []}, "event_types is empty"),
        ({"event_types": "users.behaviors.Purchase"}, "put it into a list"),
        ({"event_types": NEWEST["users.behaviors.Purchase"]}, "put it into a list"),
    ],
)
def test_bad_streams_are_refused_at_once(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        World(users=1).events(**{"start": START, **options})


@pytest.mark.parametrize("time", [0, -1, 2**32, 1.0, True])
def test_bad_sample_times(time: Any) -> None:
    with pytest.raises(OptionError, match=r"time is .* from 1 to 4294967295"):
        World(users=1).sample("users.behaviors.Purchase", time=time)


def test_repr() -> None:
    assert repr(World(8, users=2, schema_version=3)) == "World(8, users=2, schema_version=3)"
