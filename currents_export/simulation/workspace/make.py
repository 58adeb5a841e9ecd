"""Make a workspace from the seed and the channels."""

from __future__ import annotations

import random
from pathlib import Path

from .._data import read_data, read_rows, split
from .._ids import uuid4
from .assets import CanvasDestination, LandingPage, Survey, SurveyQuestion
from .campaigns import (
    make_apps,
    make_campaigns,
    make_canvases,
    make_email_senders,
    make_subscription_groups,
)
from .channels import load_channels
from .messages import MessageMaker
from .model import Workspace
from .products import make_agents, make_products

__all__ = ["make_workspace"]

#: How many News Feed cards there are.
_CARDS = 6


def make_workspace(seed: int, directory: Path | None) -> Workspace:
    """Make a workspace; `directory` contains the catalog's tables."""
    rng = random.Random(f"{seed}:workspace")
    brand = rng.choice(read_data("workspace", "workspace.toml")["brands"])
    domain = f"{brand.lower()}.example"
    channels = load_channels(directory)
    groups = make_subscription_groups(rng, brand)
    senders = make_email_senders(rng, domain)
    campaigns, canvases = make_campaigns(seed, channels), make_canvases(seed, channels)
    products = make_products(rng)
    apps = make_apps(rng, brand)
    messages = MessageMaker(
        seed, domain, channels=channels, apps=apps, groups=groups, senders=senders
    )
    return Workspace(
        app_group_id=uuid4(rng.getrandbits),
        brand=brand,
        domain=domain,
        channel_names={channel.id: channel.name for channel in channels},
        apps=apps,
        subscription_groups=groups,
        email_senders=senders,
        products=products,
        campaigns=campaigns,
        canvases=canvases,
        messages=messages.make(campaigns, canvases),
        landing_pages=_landing_pages(rng),
        surveys=_surveys(rng),
        destinations=_destinations(rng),
        news_feed_cards=tuple(uuid4(rng.getrandbits) for _ in range(_CARDS)),
        agents=make_agents(rng, products),
        catalog_id=str(rng.randrange(10**14, 10**15)),
    )


def _landing_pages(rng: random.Random) -> tuple[LandingPage, ...]:
    return tuple(
        LandingPage(uuid4(rng.getrandbits), row["name"], split(row["targets"]))
        for row in read_rows("workspace", "landing_pages.tsv")
    )


def _surveys(rng: random.Random) -> tuple[Survey, ...]:
    bits = rng.getrandbits
    return tuple(
        Survey(
            uuid4(bits),
            tuple(
                SurveyQuestion(
                    id=uuid4(bits),
                    reporting_id=row["reporting_id"],
                    answer_type=row["answer_type"],
                    choices=tuple(row.get("choices", ())),
                )
                for row in survey["questions"]
            ),
        )
        for survey in read_data("workspace", "surveys.toml")["surveys"]
    )


def _destinations(rng: random.Random) -> tuple[CanvasDestination, ...]:
    return tuple(
        CanvasDestination(
            id=uuid4(rng.getrandbits),
            name=row["name"],
            kind=row["kind"],
            variant_kind=row["variant_kind"],
            variants=split(row["variants"]),
        )
        for row in read_rows("workspace", "destinations.tsv")
    )
