"""Events with any values, of any size."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from currents_export.catalog import Catalog
from currents_export.receiver import AppTransport, Receiver, RudderStack, WebhookDestination
from currents_export.receiver.page import Page
from tests.receiver.page.conftest import URL, Browser
from tests.support.events import CLICK
from tests.support.receivers import HEADERS, PATIENCE

Browse = Callable[[Page], Browser]
ALL = {"reveal": "1"}
CATALOG = Catalog.load()
ALPHABET = st.characters()  # surrogates included
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(ALPHABET, max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
#: Events with any values where an event has others.
HOSTILE = ANY | st.fixed_dictionaries(
    {},
    optional={
        "event_type": ANY | st.just(CLICK),
        "event": ANY,
        "id": ANY,
        "messageId": ANY,
        "time": ANY,
        "user": ANY | st.fixed_dictionaries({}, optional={"external_user_id": ANY}),
        "properties": ANY | st.fixed_dictionaries({}, optional={"campaign_id": ANY}),
    },
)


@settings(max_examples=60)
@given(st.lists(HOSTILE, max_size=3))
def test_any_events(values: list[Any]) -> None:
    for receiver in (Receiver(), RudderStack(group_seconds=0), WebhookDestination()):
        page = Page(receiver, catalog=CATALOG)
        transport = AppTransport(page.app)
        with httpx.Client(transport=transport, base_url=URL, timeout=PATIENCE) as client:
            content = json.dumps({"events": values}).encode()
            client.post("/v1/webhook?writeKey=k", content=content, headers=HEADERS)
            user = Browser(client)
            assert len(user.ask("requests")["requests"]) == 1
            for each in user.ask("events")["events"]:
                assert user.ask(f"events/{each['id']}")["lines"]
                assert user.ask(f"events/{each['id']}", **ALL)["lines"]
                assert user.ask(f"events/{each['id']}/curl")["command"]
            user.ask("summary")


def test_long_keys_in_long_keys(browse: Browse) -> None:
    user = browse(Page(Receiver(check=False)))
    key = "k" * 1_000_000
    user.send(orjson.dumps({"events": [{key: {f"{key}{n}": n for n in range(10)}}]}))
    shown = user.ask("events")["events"][0]["id"]
    lines = user.ask(f"events/{shown}")["lines"]
    assert len(lines) == 14
    assert all(len(line.get("key", "")) < 2100 for line in lines)


@pytest.mark.parametrize(
    "value", [[], [7], [None], [[[]]], [{"user": 7, "properties": [], "time": True}], ["x" * 10**6]]
)
def test_odd_events(browse: Browse, value: Any) -> None:
    user = browse(Page(Receiver()))
    assert user.send(orjson.dumps({"events": value})).status_code == 200
    for each in user.ask("events")["events"]:
        user.ask(f"events/{each['id']}")
        user.ask(f"events/{each['id']}", **ALL)
    assert len(user.client.get("/_page/api/events").content) < 100_000
