"""Messages: senders, links, opens, clicks, errors and replies."""

from __future__ import annotations

import re
from collections import Counter

from currents_export.events import Event
from currents_export.simulation import World
from tests.support.traffic import of_type


def test_senders(world: World, traffic: list[Event]) -> None:
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
            channel = properties.get("channel") or event.event_type.split(".")[2]
            # An SMS that replaces an RCS message comes from the same group.
            assert group.channel == channel or (group.channel, channel) == ("rcs", "sms")
    assert world.domain.endswith(".example")


def test_links(world: World, traffic: list[Event]) -> None:
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


def test_machine_opens(world: World, traffic: list[Event]) -> None:
    opens = of_type(traffic, "users.messages.email.Open")
    machines = [event for event in opens if "machine_open" in event.properties]
    assert {event.properties["machine_open"] for event in machines} == {"true"}
    assert 0.3 < len(machines) / len(opens) < 0.7
    assert world.sample("users.messages.email.Open").properties["machine_open"] == "true"


def test_bot_clicks(traffic: list[Event]) -> None:
    for glob in ("*.email.Click", "*.sms.ShortLinkClick", "*.rcs.Click"):
        clicks = of_type(traffic, glob)
        suspected = [event for event in clicks if event.properties["is_suspected_bot_click"]]
        assert 0 < len(suspected) < len(clicks)
        for event in clicks:
            reasons = event.properties.get("suspected_bot_click_reason")
            assert bool(reasons) == event.properties["is_suspected_bot_click"]


def test_errors(traffic: list[Event]) -> None:
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
    for event in of_type(traffic, "*.webhook.Failure"):
        failure = event.properties
        assert failure["http_status_code"] >= 400
        assert failure["content_length"] == len(failure["raw_response"])
        if failure["http_status_code"] in (400, 401, 404):
            assert failure["is_terminal"]


def test_replies(traffic: list[Event]) -> None:
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


def test_subscriptions(traffic: list[Event]) -> None:
    channels: Counter[str] = Counter()
    for event in of_type(traffic, "users.behaviors.subscription*.*"):
        properties = event.properties
        channels[properties["channel"]] += 1
        match properties["channel"]:
            case "email":
                assert properties["channel_identifier"] == properties["email_address"]
            case "push":
                assert not properties.keys() & {"email_address", "phone_number"}
            case _:
                assert properties["channel_identifier"] == properties["phone_number"]
        from_app = properties["state_change_source"] == "SDK"
        assert from_app == ("app_id" in properties)
    assert set(channels) >= {"email", "push", "sms", "whatsapp"}
