"""Who sends, and what: senders, campaigns and Canvases, named as a marketing team would."""

from __future__ import annotations

import random
from collections.abc import Iterator

from ._ids import uuid4
from ._model import (
    App,
    Campaign,
    Canvas,
    CanvasStep,
    CanvasVariation,
    EmailSender,
    ExperimentSplit,
    MessageVariation,
    SubscriptionGroup,
)

__all__ = [
    "CHANNELS",
    "REGIONS",
    "make_apps",
    "make_campaigns",
    "make_canvases",
    "make_email_senders",
    "make_subscription_groups",
    "path_of",
]

#: Between the parts of a name, as marketers write it.
_DASH = " \u2013 "

#: The apps: platform, what the store calls it, the version of the Braze SDK in it.
_APPS = (
    ("ios", "iOS", "13.2.1"),
    ("android", "Android", "39.0.0"),
    ("web", "Web", "6.2.0"),
    ("kindle", "Fire OS", "39.0.0"),
    ("tvos", "Apple TV", "13.2.1"),
    ("roku", "Roku", "2.2.0"),
)

#: Channels, as event types name them, and as marketers do.
CHANNELS = {
    "email": "Email",
    "pushnotification": "Push",
    "inappmessage": "IAM",
    "contentcard": "Content Card",
    "sms": "SMS",
    "whatsapp": "WhatsApp",
    "rcs": "RCS",
    "line": "LINE",
    "banner": "Banner",
    "webhook": "Webhook",
    "featureflag": "Feature Flag",
}

#: The campaigns of a channel: names, where their links lead, how many variations they try.
_CAMPAIGNS = (
    ("Spring Sale", "sale/spring", 2),
    ("New Arrivals", "new", 2),
    ("Price Drop", "wishlist", 1),
    ("Back in Stock", "restocked", 1),
    ("VIP Early Access", "vip", 3),
    ("Birthday Reward", "rewards/birthday", 1),
)
_SPECIAL_CAMPAIGNS = {
    "banner": (
        ("Homepage Hero", "sale/spring", 2),
        ("Free Shipping Bar", "shipping", 1),
        ("Category Spotlight", "new", 2),
    ),
    "webhook": (
        ("Loyalty Points Sync", "loyalty", 1),
        ("Direct Mail Postcard", "postcard", 1),
        ("Audience Export", "audiences", 2),
    ),
    "featureflag": (
        ("New Checkout Test", "checkout", 2),
        ("Loyalty Hub Rollout", "loyalty", 2),
    ),
}
#: The parts of the world that campaigns are made for.
REGIONS = ("NA", "EU", "APAC", "LATAM")
_VARIATIONS = ("Variant A", "Variant B", "Variant C")

#: The Canvases: names, where their links lead, what their steps say.
_CANVASES = (
    ("Welcome Series", "welcome", ("Welcome", "Complete Your Profile", "First Order 10%")),
    ("Abandoned Cart", "cart", ("1h Reminder", "24h Nudge", "Last Chance")),
    ("Win-Back 60 Days", "we-miss-you", ("We Miss You", "Come Back Offer", "Goodbye")),
    ("Post-Purchase", "orders/review", ("Thank You", "Leave a Review", "You May Also Like")),
)

_PATHS = {
    name: path
    for name, path, _ in (
        *_CAMPAIGNS,
        *(row for rows in _SPECIAL_CAMPAIGNS.values() for row in rows),
        *_CANVASES,
    )
}


def path_of(name: str) -> str:
    """Where the links of a campaign or Canvas lead, on the brand's site."""
    return _PATHS[name.partition(_DASH)[0]]


def make_apps(rng: random.Random, brand: str) -> tuple[App, ...]:
    """One app for each platform."""
    return tuple(
        App(uuid4(rng.getrandbits), f"{brand} {name}", platform, sdk_version)
        for platform, name, sdk_version in _APPS
    )


def make_email_senders(rng: random.Random, domain: str) -> tuple[EmailSender, ...]:
    """One sender for each provider, on addresses that RFC 5737 keeps for documentation."""
    return tuple(
        EmailSender(f"{name}.{domain}", f"{name}_pool", esp, f"{net}.{rng.randrange(1, 255)}")
        for name, esp, net in (
            ("mail", "SendGrid", "192.0.2"),
            ("news", "SparkPost", "198.51.100"),
            ("offers", "Amazon SES", "203.0.113"),
        )
    )


def make_subscription_groups(rng: random.Random, brand: str) -> tuple[SubscriptionGroup, ...]:
    """Two groups for email, and one for each phone or chat channel."""
    sms, whatsapp = (f"+{area}55501{rng.randrange(100):02d}" for area in ("1646", "1415"))
    agent = f"{brand.lower()}_agent"
    senders: tuple[tuple[str, str, dict[str, str]], ...] = (
        ("email", "Newsletter", {}),
        ("email", "Product Updates", {}),
        ("sms", "SMS Offers", {"from_phone_number": sms, "inbound_phone_number": sms}),
        (
            "whatsapp",
            "WhatsApp Updates",
            {"from_phone_number": whatsapp, "inbound_phone_number": whatsapp},
        ),
        ("rcs", "RCS Offers", {"from_rcs_sender": agent, "to_rcs_sender": agent}),
        (
            "line",
            "LINE Friends",
            {
                "line_channel_id": f"20{rng.randrange(10**8):08d}",
                "line_channel_name": f"{brand} Official",
            },
        ),
    )
    return tuple(
        SubscriptionGroup(uuid4(rng.getrandbits), f"{brand} {name}", channel, sender)
        for channel, name, sender in senders
    )


def make_campaigns(rng: random.Random) -> tuple[Campaign, ...]:
    """The campaigns, channel by channel; with several variations comes a control group.

    The first of each channel is for users everywhere.
    """
    return tuple(
        Campaign(
            id=uuid4(rng.getrandbits),
            name=_DASH.join((name, label, region)),
            region=region,
            channel=channel,
            variations=tuple(_variations(rng, count)),
        )
        for channel, label in CHANNELS.items()
        for number, (name, _, count) in enumerate(_SPECIAL_CAMPAIGNS.get(channel, _CAMPAIGNS))
        for region in ("Global" if number == 0 else rng.choice(("Global", *REGIONS)),)
    )


def _variations(rng: random.Random, count: int) -> Iterator[MessageVariation]:
    for name in _VARIATIONS[:count]:
        yield MessageVariation(uuid4(rng.getrandbits), name)
    if count > 1:
        yield MessageVariation(uuid4(rng.getrandbits), "Control Group", control=True)


def make_canvases(rng: random.Random) -> tuple[Canvas, ...]:
    """The Canvases; each has a step for every channel, and an experiment after the first."""
    bits = rng.getrandbits
    return tuple(
        Canvas(
            id=uuid4(bits),
            name=f"{name}{_DASH}{region}",
            region=region,
            variations=(
                CanvasVariation(uuid4(bits), "Variant 1"),
                CanvasVariation(uuid4(bits), "Variant 2"),
                CanvasVariation(uuid4(bits), "Control", control=True),
            ),
            steps=tuple(_steps(rng, names)),
        )
        for name, _, names in _CANVASES
        for region in ("Global", rng.choice(REGIONS))
    )


def _steps(rng: random.Random, names: tuple[str, ...]) -> Iterator[CanvasStep]:
    bits = rng.getrandbits
    for number, (channel, label) in enumerate(CHANNELS.items()):
        yield CanvasStep(
            id=uuid4(bits),
            name=f"{names[number * len(names) // len(CHANNELS)]}{_DASH}{label}",
            channel=channel,
            message_variation_id=uuid4(bits),
            optimizer_id=f"{0x68000000 + bits(20):08x}{bits(64):016x}",
        )
        if number == 0:
            yield CanvasStep(
                id=uuid4(bits),
                name="Holdout Test",
                channel="experiment",
                splits=(
                    ExperimentSplit(uuid4(bits), "Path 1"),
                    ExperimentSplit(uuid4(bits), "Path 2"),
                    ExperimentSplit(uuid4(bits), "Control", control=True),
                ),
            )
