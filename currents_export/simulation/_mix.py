"""How often each type of event occurs, to whom, on what, and as part of what."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TypeVar

import attrs

__all__ = ["Setting", "setting_of", "weight_of"]

T = TypeVar("T")

#: How often a type occurs, relative to the others; the first glob that matches counts.
_WEIGHTS: tuple[tuple[str, float], ...] = (
    ("agentconsole.AgentExecuted", 1.5),
    ("agentconsole.ToolInvocation", 1.0),
    ("users.UserDeleteRequest", 0.1),
    ("users.UserOrphan", 0.6),
    ("users.profile.Update", 25),
    ("users.behaviors.CustomEvent", 150),
    ("users.behaviors.Purchase", 14),
    ("users.behaviors.Location", 6),
    ("users.behaviors.InstallAttribution", 1.5),
    ("users.behaviors.Uninstall", 1.5),
    ("users.behaviors.app.FirstSession", 3),
    ("users.behaviors.app.*", 90),
    ("users.behaviors.liveactivity.*", 1),
    ("users.behaviors.pushnotification.TokenStateChange", 8),
    ("users.behaviors.subscription.*", 1.5),
    ("users.behaviors.subscriptiongroup.*", 2.5),
    ("users.campaigns.Conversion", 5),
    ("users.campaigns.EnrollInControl", 6),
    ("users.canvas.Entry", 14),
    ("users.canvas.Conversion", 3),
    ("users.canvas.exit.*", 2),
    ("users.canvas.costep.Send", 2),
    ("users.canvas.experimentstep.Conversion", 1),
    ("users.canvas.experimentstep.SplitEntry", 4),
    ("users.canvasstep.Progression", 40),
    # Channels: sends, then what becomes of them.
    ("users.messages.email.Send", 120),
    ("users.messages.email.Delivery", 117),
    ("users.messages.email.Open", 42),
    ("users.messages.email.Click", 6),
    ("users.messages.email.Bounce", 0.7),
    ("users.messages.email.SoftBounce", 0.9),
    ("users.messages.email.Deferral", 1.4),
    ("users.messages.email.MarkAsSpam", 0.08),
    ("users.messages.email.Unsubscribe", 0.4),
    ("users.messages.email.*", 0.6),
    ("users.messages.pushnotification.Send", 110),
    ("users.messages.pushnotification.Open", 7),
    ("users.messages.pushnotification.IosForeground", 2.5),
    ("users.messages.pushnotification.Bounce", 1.6),
    ("users.messages.pushnotification.*", 0.6),
    ("users.messages.inappmessage.Impression", 24),
    ("users.messages.inappmessage.Click", 5),
    ("users.messages.contentcard.Send", 30),
    ("users.messages.contentcard.Impression", 16),
    ("users.messages.contentcard.Click", 2),
    ("users.messages.contentcard.Dismiss", 1.2),
    ("users.messages.banner.Impression", 20),
    ("users.messages.banner.Click", 1.5),
    ("users.messages.banner.Dismiss", 0.8),
    ("users.messages.featureflag.Impression", 9),
    ("users.messages.newsfeedcard.*", 0.1),
    ("users.messages.sms.Send", 16),
    ("users.messages.sms.CarrierSend", 15.8),
    ("users.messages.sms.Delivery", 15.2),
    ("users.messages.sms.ShortLinkClick", 1.6),
    ("users.messages.sms.InboundReceive", 0.6),
    ("users.messages.sms.*", 0.2),
    ("users.messages.whatsapp.Send", 8),
    ("users.messages.whatsapp.Delivery", 7.7),
    ("users.messages.whatsapp.Read", 5.5),
    ("users.messages.whatsapp.Click", 0.8),
    ("users.messages.whatsapp.InboundReceive", 0.8),
    ("users.messages.whatsapp.*", 0.15),
    ("users.messages.rcs.Send", 4),
    ("users.messages.rcs.Delivery", 3.7),
    ("users.messages.rcs.Read", 2.4),
    ("users.messages.rcs.Click", 0.4),
    ("users.messages.rcs.*", 0.15),
    ("users.messages.line.Send", 3),
    ("users.messages.line.Click", 0.3),
    ("users.messages.line.InboundReceive", 0.2),
    ("users.messages.liveactivity.*", 1.5),
    ("users.messages.webhook.Send", 10),
    ("users.messages.webhook.Failure", 0.3),
    ("*", 0.3),
)

_PUSH = ("ios", "android", "kindle", "web")
_SDK = ("ios", "android", "web")
_ALL = ("ios", "android", "kindle", "web", "tvos", "roku")


@attrs.frozen
class Setting:
    """To whom events of a type happen, on what, and as part of what.

    Attributes:
        platforms: the platforms it happens on.
        on_device: how often the device is known, between 0 and 1.
        user_has: what a user it happens to has, by attribute.
        device_has: the same of the device.
        channels: the channels of the messages; `*` is all that reach people.
        belongs: how often it belongs to a campaign, to a Canvas, and to neither.
        which: which messages it can belong to: those `sent`, those of a `control` group, or
            where a Canvas is entered (`entry`).
        user_with_message: whether only an event that belongs to a message has a user.
    """

    platforms: tuple[str, ...] = _ALL
    on_device: float = 1.0
    user_has: tuple[str, ...] = ()
    device_has: tuple[str, ...] = ()
    channels: tuple[str, ...] = ("*",)
    belongs: tuple[float, float, float] = (0.6, 0.4, 0.0)
    which: str = "sent"
    user_with_message: bool = False


#: By glob; the first that matches counts.
_SETTINGS: tuple[tuple[str, Setting], ...] = (
    (
        "agentconsole.*",
        Setting(on_device=0, belongs=(0.0, 0.6, 0.4), user_with_message=True),
    ),
    ("users.behaviors.app.*", Setting()),
    ("users.behaviors.CustomEvent", Setting(on_device=0.8)),
    ("users.behaviors.Purchase", Setting(on_device=0.7)),
    ("users.behaviors.Location", Setting(("ios", "android"))),
    ("users.behaviors.InstallAttribution", Setting(("ios", "android"))),
    ("users.behaviors.Uninstall", Setting(("ios", "android", "kindle"))),
    ("*.liveactivity.*", Setting(("ios",))),
    ("*.TokenStateChange", Setting(_PUSH, device_has=("push_token",))),
    (
        "users.behaviors.subscription.*",
        Setting(
            _PUSH,
            on_device=0.3,
            user_has=("email",),
            device_has=("push_token",),
            channels=("email", "pushnotification"),
            belongs=(0.3, 0.2, 0.5),
        ),
    ),
    (
        "users.behaviors.subscriptiongroup.*",
        Setting(
            on_device=0.3,
            user_has=("email",),
            channels=("email", "sms", "whatsapp"),
            belongs=(0.3, 0.2, 0.5),
        ),
    ),
    ("users.profile.Update", Setting(on_device=0.3, user_has=("email",))),
    ("users.campaigns.EnrollInControl", Setting(on_device=0.5, which="control")),
    ("users.canvas.Entry", Setting(on_device=0.5, which="entry")),
    ("users.canvas.experimentstep.*", Setting(on_device=0.5, channels=("experiment",))),
    ("users.canvas.costep.*", Setting(on_device=0, channels=("email", "pushnotification", "sms"))),
    (
        "users.messages.pushnotification.IosForeground",
        Setting(("ios",), device_has=("push_token",)),
    ),
    ("users.messages.pushnotification.*", Setting(_PUSH, device_has=("push_token",))),
    ("users.messages.contentcard.Send", Setting(_PUSH, on_device=0.2)),
    ("users.messages.contentcard.Abort", Setting(_PUSH, on_device=0.2)),
    ("users.messages.inappmessage.*", Setting(_PUSH)),
    ("users.messages.contentcard.*", Setting(_PUSH)),
    ("users.messages.banner.*", Setting(_SDK)),
    ("users.messages.featureflag.*", Setting(_SDK)),
    ("users.messages.newsfeedcard.*", Setting(_SDK)),
    # In the channels that reach a user on no device we know, Braze mostly has none to name.
    ("users.messages.email.Open", Setting(on_device=0.3, user_has=("email",))),
    ("users.messages.email.Click", Setting(on_device=0.3, user_has=("email",))),
    ("users.messages.email.*", Setting(on_device=0.15, user_has=("email",))),
    (
        "users.messages.line.InboundReceive",
        Setting(_ALL, 0.15, ("native_line_id",), belongs=(0.3, 0.2, 0.5)),
    ),
    ("users.messages.line.*", Setting(on_device=0.15, user_has=("native_line_id",))),
    (
        "users.messages.*.InboundReceive",
        Setting(_ALL, 0.15, ("phone",), belongs=(0.3, 0.2, 0.5)),
    ),
    ("users.messages.webhook.*", Setting(on_device=0.15)),
    ("users.messages.*", Setting(on_device=0.15, user_has=("phone",))),
    ("users.*", Setting(on_device=0.5)),
)


def _first(table: Sequence[tuple[str, T]], name: str) -> T:
    return next(value for glob, value in table if fnmatchcase(name, glob))


def weight_of(event_type: str) -> float:
    """How often events of a type occur, relative to the other types."""
    return _first(_WEIGHTS, event_type)


def setting_of(event_type: str) -> Setting:
    """The setting of a type; the channel of a message event is that of its type."""
    setting = _first(_SETTINGS, event_type)
    parts = event_type.split(".")
    if parts[:2] == ["users", "messages"] and len(parts) == 4:
        return attrs.evolve(setting, channels=(parts[2],))
    return setting
