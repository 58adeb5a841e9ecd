"""The attributes of a device in events are consistent."""

from __future__ import annotations

from collections import defaultdict

from currents_export.events import Event
from currents_export.simulation import User, World
from tests.support.traffic import device_of, every, of_type

AD_ID_TYPES = {
    "ios": "ios_idfa",
    "tvos": "ios_idfa",
    "android": "google_ad_id",
    "roku": "roku_ad_id",
    "kindle": None,
    "web": None,
}


def test_devices_are_consistent() -> None:
    devices = [device for user in World(1, users=600).users for device in user.devices]
    assert {device.platform for device in devices} == set(AD_ID_TYPES)
    for device in devices:
        assert device.ad_id_type in (AD_ID_TYPES[device.platform], None)
        assert (
            (device.ad_id is None)
            == (device.ad_id_type is None)
            == (not device.ad_tracking_enabled)
        )
        on_web, on_ios = device.platform == "web", device.platform == "ios"
        web_push = on_web and device.push_token is not None
        assert (device.browser_name is not None) == on_web
        assert (device.ios_push_token_apns_gateway is not None) == on_ios
        assert (device.web_push_public_key is not None) == web_push
        assert (device.web_push_vapid_public_key is not None) == web_push
        if on_ios:
            assert device.model.startswith(("iPhone", "iPad"))
            assert device.browser is not None
            assert device.os_version.replace(".", "_") in device.browser.user_agent
        if device.platform == "android":
            assert device.browser is not None
            assert f"Android {device.os_version}; {device.model})" in device.browser.user_agent


def test_vapid_key_belongs_to_the_app(traffic: list[Event]) -> None:
    changes = of_type(traffic, "*.TokenStateChange")
    keys = {
        (event.properties["app_id"], event.properties["web_push_token_vapid_public_key"])
        for event in changes
        if "web_push_token_vapid_public_key" in event.properties
    }
    assert len(keys) == 1
    assert len(set(every(changes, "web_push_token_public_key"))) > 1


def test_fields_are_the_devices(traffic: list[Event], owners: dict[str, User]) -> None:
    tokens: dict[str, set[str]] = defaultdict(set)
    for event in traffic:
        if (device := device_of(event, owners)) is None:
            continue
        # A token can be replaced, but always belongs to one device.
        for token in every([event], "push_token"):
            tokens[token].add(device.id)
        expected = {
            "platform": device.platform,
            "app_id": device.app.id,
            "ad_id": device.ad_id,
            "ad_id_type": device.ad_id_type,
            "ad_tracking_enabled": device.ad_tracking_enabled,
        }
        for name, value in expected.items():
            assert event.properties.get(name, value) == value
        if "os_version" in event.properties:
            # A system is updated, but never goes back.
            updated = [int(part) for part in event.properties["os_version"].split(".")]
            assert updated >= [int(part) for part in device.os_version.split(".")]
            assert event.properties["device_model"] == device.model
            assert event.properties.get("browser", device.browser_name) == device.browser_name
    assert tokens
    assert all(len(devices) == 1 for devices in tokens.values())


def test_platform_decides(world: World, traffic: list[Event]) -> None:
    apps = {app.id: app.platform for app in world.apps}
    for event in traffic:
        properties = event.properties
        platform = properties.get("platform")
        if "ad_id_type" in properties and platform:
            assert properties["ad_id_type"] == AD_ID_TYPES[platform]
            assert properties["ad_tracking_enabled"] is True
        if "app_id" in properties and platform:
            assert apps[properties["app_id"]] == platform
        if properties.keys() & {
            "push_token_provisionally_opted_in",
            "ios_push_token_apns_gateway",
        }:
            assert (platform or apps[properties["app_id"]]) == "ios"
        if "push_token_foreground_push_disabled" in properties:
            assert platform != "web"
