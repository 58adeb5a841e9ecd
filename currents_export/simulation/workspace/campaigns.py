"""Make senders, campaigns and Canvases, with names as a marketing team would choose them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._data import read_data, read_rows, split
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
    Schedule,
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
    "seconds",
]

#: The separator of the parts of a name.
_DASH = " \u2013 "

_DATA = read_data("workspace", "workspace.toml")
_CAMPAIGNS = {row["name"]: row for row in read_rows("workspace", "campaigns.tsv")}
_CANVASES = read_data("workspace", "canvases.toml")["canvases"]

REGIONS: tuple[str, ...] = tuple(_DATA["regions"])

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
#: A campaign that no table lists.
_DEFAULT = {
    "variations": "2",
    "days": "Wed",
    "time": "12:00",
    "zone": "UTC",
    "event": "",
    "delay": "",
    "share": "0.5",
}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

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
            former_sdk_version=row["former_sdk_version"],
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
        row = _CAMPAIGNS.get(name, _DEFAULT)
        yield Campaign(
            id=uuid4(rng.getrandbits),
            name=_DASH.join((name, channel.label, region)),
            region=region,
            channel=channel.id,
            variations=tuple(_variations(rng, int(row["variations"]))),
            schedule=_schedule(rng, row) if row["days"] else None,
            event=row["event"],
            delay=seconds(row["delay"]) if row["delay"] else 0,
            share=float(row["share"]),
        )


def _schedule(rng: random.Random, row: Mapping[str, str]) -> Schedule:
    days = _DAYS if row["days"] == "*" else split(row["days"])
    hour, minute = map(int, row["time"].split(":"))
    # Not all channels go out at once.
    second = hour * 3600 + minute * 60 + rng.randrange(16) * 1800
    return Schedule(tuple(map(_DAYS.index, days)), second, local=row["zone"] == "local")


def _variations(rng: random.Random, count: int) -> Iterator[MessageVariation]:
    for name in _DATA["variations"][:count]:
        yield MessageVariation(uuid4(rng.getrandbits), name)
    if count > 1:
        yield MessageVariation(uuid4(rng.getrandbits), _DATA["control_group"], control=True)


def make_canvases(seed: int, channels: Sequence[Channel]) -> tuple[Canvas, ...]:
    """Make the Canvases.

    The first of each name is for users everywhere, the second one for those in one region.
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
        steps=tuple(_steps(rng, row, channels)),
        entry=row["entry"],
        entry_delay=seconds(row["entry_delay"]),
        exit=tuple(filter(None, [row.get("exit")])),
    )


def seconds(text: str) -> int:
    """Return the seconds of a duration such as `90s`, `5m`, `2h` or `1d`."""
    return int(text[:-1]) * _UNITS[text[-1]]


def _steps(
    rng: random.Random, row: Mapping[str, Any], channels: Sequence[Channel]
) -> Iterator[CanvasStep]:
    bits, words = rng.getrandbits, _DATA["canvas"]
    labels = {channel.id: channel.label for channel in channels}
    steps = [*row["steps"]]
    if row is _CANVASES[0]:
        # Channels in no Canvas come at the end of the first one.
        named = {step.get("channel") for canvas in _CANVASES for step in canvas["steps"]}
        steps += [
            {"name": words["more"], "channel": channel.id, "delay": "1h"}
            for channel in channels
            if channel.id not in named
        ]
    for step in steps:
        kind = step.get("kind") or step["channel"]
        label = labels.get(kind, kind.title())
        yield CanvasStep(
            id=uuid4(bits),
            name=step["name"] if "kind" in step else f"{step['name']}{_DASH}{label}",
            channel=kind,
            message_variation_id="" if "kind" in step else uuid4(bits),
            splits=tuple(_splits(rng)) if kind == "experiment" else (),
            optimizer_id="" if "kind" in step else f"{0x68000000 + bits(20):08x}{bits(64):016x}",
            delay=seconds(step["delay"]),
        )


def _splits(rng: random.Random) -> Iterator[ExperimentSplit]:
    words = _DATA["canvas"]
    for name in words["experiment_paths"]:
        yield ExperimentSplit(uuid4(rng.getrandbits), name)
    yield ExperimentSplit(uuid4(rng.getrandbits), words["control"], control=True)
