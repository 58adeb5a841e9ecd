"""The actions of users in apps and shops, and of agents."""

from __future__ import annotations

import json
from collections import defaultdict

from currents_export.events import Event
from currents_export.simulation import User, World
from tests.support.traffic import every, of_type


def test_purchases(world: World, traffic: list[Event], owners: dict[str, User]) -> None:
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


def test_agents(world: World, traffic: list[Event]) -> None:
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


def test_custom_events(traffic: list[Event]) -> None:
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


def test_sessions(month: list[Event]) -> None:
    names = {"users.behaviors.app.SessionStart", "users.behaviors.app.SessionEnd"}
    events = [event for event in month if event.event_type in names]
    sessions: dict[str, set[str]] = defaultdict(set)
    kinds: dict[str, set[str]] = defaultdict(set)
    for event in events:
        sessions[event.properties["session_id"]].add(event.user["device_id"])
        kinds[event.properties["session_id"]].add(event.event_type)
    assert all(len(devices) == 1 for devices in sessions.values())
    assert any(len(each) == 2 for each in kinds.values())
    assert all(0 < duration <= 3600 + 240 for duration in every(events, "duration"))


def test_times(traffic: list[Event]) -> None:
    for event in traffic:
        if "time_ms" in event.properties:
            assert event.properties["time_ms"] // 1000 == event.time
        if "push_token_created_at" in event.properties:
            properties = event.properties
            assert properties["push_token_created_at"] <= properties["push_token_updated_at"]
            assert properties["push_token_updated_at"] <= event.time


def test_locations(traffic: list[Event], owners: dict[str, User]) -> None:
    for event in of_type(traffic, "users.behaviors.Location"):
        place = owners[event.user["user_id"]].place
        assert abs(event.properties["latitude"] - place.latitude) < 0.2
        assert abs(event.properties["longitude"] - place.longitude) < 0.2


def test_json_in_strings(traffic: list[Event]) -> None:
    names = ("message_extras", "conversion_behavior", "flow_response_json")
    for name in names:
        values = {text for event in traffic for text in every([event], name)}
        assert values
        assert all(isinstance(json.loads(text), dict) for text in values)
