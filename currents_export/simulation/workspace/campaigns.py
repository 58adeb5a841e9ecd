"""Make senders, campaigns and Canvases, with names as a marketing team would choose them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._data import read_data, read_rows
from .._ids import curve_point, uuid4
from .channels import Channel
from .model import (
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
    "REGIONS",
    "make_apps",
    "make_campaigns",
    "make_canvases",
    "make_email_senders",
    "make_subscription_groups",
    "path_of",
]

#: The separator of the parts of a name.
_DASH = " \u2013 "

_DATA = read_data("workspace", "workspace.toml")
_CAMPAIGNS = {row["name"]: row for row in read_rows("workspace", "campaigns.tsv")}
_CANVASES = read_data("workspace", "canvases.toml")["canvases"]

REGIONS: tuple[str, ...] = tuple(_DATA["regions"])

#: How many variations a campaign has if no table lists it.
_VARIATIONS = 2

_PATHS: dict[str, str] = {
    **{name: row["path"] for name, row in _CAMPAIGNS.items()},
    **{row["name"]: row["path"] for row in _CANVASES},
}


def path_of(name: str) -> str:
    """Return the path that the links of a campaign or Canvas lead to on the brand's site."""
    plain = name.partition(_DASH)[0]
    return _PATHS.get(plain) or re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def make_apps(rng: random.Random, brand: str) -> tuple[App, ...]:
    """Make one app for each platform."""
    return tuple(
        App(
            id=uuid4(rng.getrandbits),
            name=f"{brand} {row['name']}",
            platform=row["platform"],
            sdk_version=row["sdk_version"],
            vapid_public_key=curve_point(rng.getrandbits) if row["platform"] == "web" else None,
        )
        for row in read_rows("workspace", "apps.tsv")
    )


def make_email_senders(rng: random.Random, domain: str) -> tuple[EmailSender, ...]:
    """Make one sender for each provider."""
    return tuple(
        EmailSender(
            from_domain=f"{row['name']}.{domain}",
            ip_pool=f"{row['name']}_pool",
            esp=row["esp"],
            sending_ip=f"{row['network']}.{rng.randrange(1, 255)}",
        )
        for row in _DATA["email_senders"]
    )


def make_subscription_groups(rng: random.Random, brand: str) -> tuple[SubscriptionGroup, ...]:
    """Make the subscription groups, with their senders."""
    return tuple(
        SubscriptionGroup(
            id=uuid4(rng.getrandbits),
            name=f"{brand} {row['name']}",
            channel=row["channel"],
            sender={
                name: template.format(
                    brand=brand.lower(), Brand=brand, digits2=digits[:2], digits8=digits
                )
                for name, template in row.get("sender", {}).items()
            },
        )
        for row in _DATA["subscription_groups"]
        for digits in (f"{rng.randrange(10**8):08d}",)
    )


def make_campaigns(seed: int, channels: Sequence[Channel]) -> tuple[Campaign, ...]:
    """Make the campaigns of each channel; one with several variations has a control group.

    The first of each channel is for users everywhere. Adding a channel does not change the others.
    """
    return tuple(campaign for channel in channels for campaign in _campaigns_of(seed, channel))


def _campaigns_of(seed: int, channel: Channel) -> Iterator[Campaign]:
    rng = random.Random(f"{seed}:campaigns:{channel.id}")
    for number, name in enumerate(channel.campaigns or _DATA["campaigns"]):
        region = "Global" if number == 0 else rng.choice(("Global", *REGIONS))
        row = _CAMPAIGNS.get(name)
        yield Campaign(
            id=uuid4(rng.getrandbits),
            name=_DASH.join((name, channel.label, region)),
            region=region,
            channel=channel.id,
            variations=tuple(_variations(rng, int(row["variations"]) if row else _VARIATIONS)),
        )


def _variations(rng: random.Random, count: int) -> Iterator[MessageVariation]:
    for name in _DATA["variations"][:count]:
        yield MessageVariation(uuid4(rng.getrandbits), name)
    if count > 1:
        yield MessageVariation(uuid4(rng.getrandbits), _DATA["control_group"], control=True)


def make_canvases(seed: int, channels: Sequence[Channel]) -> tuple[Canvas, ...]:
    """Make the Canvases.

    Each has a step for every channel, an experiment after the first, and at its end a step that
    passes users on to an external destination.
    """
    return tuple(
        _canvas(random.Random(f"{seed}:canvas:{row['name']}:{number}"), row, number, channels)
        for row in _CANVASES
        for number in range(2)
    )


def _canvas(
    rng: random.Random, row: Mapping[str, Any], number: int, channels: Sequence[Channel]
) -> Canvas:
    bits, words = rng.getrandbits, _DATA["canvas"]
    # The first Canvas of a name is for everyone, the second for one region.
    region = rng.choice(REGIONS) if number else "Global"
    return Canvas(
        id=uuid4(bits),
        name=f"{row['name']}{_DASH}{region}",
        region=region,
        variations=(
            *(CanvasVariation(uuid4(bits), name) for name in words["variations"]),
            CanvasVariation(uuid4(bits), words["control"], control=True),
        ),
        steps=tuple(_steps(rng, row["steps"], channels)),
    )


def _steps(
    rng: random.Random, names: Sequence[str], channels: Sequence[Channel]
) -> Iterator[CanvasStep]:
    bits, words = rng.getrandbits, _DATA["canvas"]
    for number, channel in enumerate(channels):
        yield CanvasStep(
            id=uuid4(bits),
            name=f"{names[number * len(names) // len(channels)]}{_DASH}{channel.label}",
            channel=channel.id,
            message_variation_id=uuid4(bits),
            optimizer_id=f"{0x68000000 + bits(20):08x}{bits(64):016x}",
        )
        if number == 0:
            yield CanvasStep(
                id=uuid4(bits),
                name=words["experiment_step"],
                channel="experiment",
                splits=(
                    *(ExperimentSplit(uuid4(bits), name) for name in words["experiment_paths"]),
                    ExperimentSplit(uuid4(bits), words["control"], control=True),
                ),
            )
    yield CanvasStep(id=uuid4(bits), name=words["destination_step"], channel="destination")
