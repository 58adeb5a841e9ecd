"""Fields that follow from who it happened to, and on what: how each is read off.

What follows from the campaign or Canvas is in `_messages`, what is drawn anew for each event in
the `_draw_` modules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from . import _draw_agents, _draw_behaviors, _draw_messages

__all__ = ["DEVICE_FIELDS", "DRAWN", "USER_FIELDS", "WORKSPACE_FIELDS"]

_Read = Callable[[Any], Any]

WORKSPACE_FIELDS: Mapping[str, _Read] = {"app_group_id": attrgetter("app_group_id")}

USER_FIELDS: Mapping[str, _Read] = {
    "user_id": attrgetter("id"),
    "external_user_id": attrgetter("external_id"),
    "timezone": attrgetter("place.timezone"),
    "bsuid": attrgetter("bsuid"),
    "country": attrgetter("place.country"),
    "email_address": attrgetter("email"),
    "gender": attrgetter("gender"),
    "language": attrgetter("place.language"),
    "mailbox_provider": attrgetter("mailbox_provider"),
    "native_line_id": attrgetter("native_line_id"),
    "recipient_domain": attrgetter("email_domain"),
    "to_phone_number": attrgetter("phone"),
    "user_phone_number": attrgetter("phone"),
}

DEVICE_FIELDS: Mapping[str, _Read] = {
    "ad_id": attrgetter("ad_id"),
    "ad_id_type": attrgetter("ad_id_type"),
    "ad_tracking_enabled": attrgetter("ad_tracking_enabled"),
    "app_id": attrgetter("app.id"),
    "browser": attrgetter("browser_name"),
    "carrier": attrgetter("carrier"),
    "device_id": attrgetter("id"),
    "device_model": attrgetter("model"),
    "ios_push_token_apns_gateway": attrgetter("ios_push_token_apns_gateway"),
    "os_version": attrgetter("os_version"),
    "platform": attrgetter("app.platform"),
    "push_to_start_token": attrgetter("push_to_start_token"),
    "push_token": attrgetter("push_token"),
    "push_token_device_id": attrgetter("id"),
    "push_token_foreground_push_disabled": attrgetter("foreground_push_disabled"),
    "push_token_provisionally_opted_in": attrgetter("provisionally_opted_in"),
    "resolution": attrgetter("resolution"),
    "sdk_version": attrgetter("app.sdk_version"),
    "web_push_token_public_key": attrgetter("web_push_public_key"),
    "web_push_token_user_auth": attrgetter("web_push_user_auth"),
    "web_push_token_vapid_public_key": attrgetter("web_push_vapid_public_key"),
}

#: What is drawn goes before what is read off.
DRAWN = (*_draw_agents.DRAWN, *_draw_behaviors.DRAWN, *_draw_messages.DRAWN)
