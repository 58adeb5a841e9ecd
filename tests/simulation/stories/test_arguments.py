"""The arguments of `World.journey`: user, start, outcome and properties."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from currents_export.catalog import Catalog
from currents_export.errors import OptionError, UnknownNameError
from currents_export.simulation import SAMPLE_TIME, User, World
from currents_export.simulation.declared import DeclaredCampaign, DeclaredCanvas, DeclaredStep
from currents_export.simulation.scenario import Scenario
from currents_export.simulation.stories import STORIES
from tests.support.traffic import VERSIONS


def user_where(world: World, fits: Callable[[User], bool]) -> User:
    return next(user for user in world.users if fits(user))


def test_first_outcome_is_the_default(storyteller: World) -> None:
    for story in STORIES.values():
        first = next(iter(story.outcomes))
        assert story.default.name == first
        assert storyteller.journey(story.name) == storyteller.journey(story.name, outcome=first)


def test_user_by_number_or_as_user(storyteller: World) -> None:
    user = storyteller.users[3]
    events = storyteller.journey("newsletter", user=3)
    assert events == storyteller.journey("newsletter", user=user)
    assert {event.user["user_id"] for event in events} == {user.id}


def test_first_user_who_can(storyteller: World) -> None:
    anonymous = user_where(storyteller, lambda user: user.external_id is None)
    (event, *_) = storyteller.journey("anonymous-to-known")
    assert event.user["user_id"] == anonymous.id
    assert "external_user_id" not in event.user


@pytest.mark.parametrize(
    ("journey", "fits", "missing"),
    [
        ("sms-opt-in-stop", lambda user: user.phone is None, "it needs a phone number"),
        ("newsletter", lambda user: user.email is None, "it needs an email address"),
        ("anonymous-to-known", lambda user: user.external_id, "must be anonymous"),
        (
            "live-activity-delivery",
            lambda user: all(each.platform != "ios" for each in user.devices),
            "it needs an iPhone or iPad",
        ),
        (
            "token-moves",
            lambda user: all(each.platform not in ("ios", "android") for each in user.devices),
            "it needs a phone with a push token",
        ),
    ],
)
def test_user_who_cannot(
    journey: str, fits: Callable[[User], bool], missing: str, storyteller: World
) -> None:
    user = user_where(storyteller, fits)
    with pytest.raises(OptionError, match=missing) as caught:
        storyteller.journey(journey, user=user)
    assert str(caught.value).startswith(f"user {user.number} cannot have the journey {journey!r}")
    first = int(str(caught.value).rpartition("; user ")[2].removesuffix(" can"))
    assert storyteller.journey(journey, user=first)


def test_world_without_anybody_who_can() -> None:
    with pytest.raises(OptionError, match=r"nobody among the first 1 users .* a larger world"):
        World(users=1).journey("token-moves")
    assert World(users=1).journey("token-moves", outcome="refreshed")


@pytest.mark.parametrize("user", [-1, 300, True, "3", 1.0])
def test_no_such_user(user: Any, storyteller: World) -> None:
    with pytest.raises(OptionError, match="the users of this world are 0 to 299"):
        storyteller.journey("newsletter", user=user)


@pytest.mark.parametrize("start", [0, 2**32, 1.5, True])
def test_bad_starts(start: Any, storyteller: World) -> None:
    with pytest.raises(OptionError, match=r"start is .* from 1 to 4294967295"):
        storyteller.journey("newsletter", start=start)


def test_start_is_the_beginning(storyteller: World) -> None:
    assert storyteller.journey("abandoned-cart")[0].time == SAMPLE_TIME
    assert storyteller.journey("abandoned-cart", start=10**9)[0].time == 10**9


def test_unknown_names(storyteller: World) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'abandoned-cart'") as caught:
        storyteller.journey("abandond-cart")
    assert caught.value.nearest == ("abandoned-cart",)
    with pytest.raises(UnknownNameError, match="the journeys are welcome-series, "):
        storyteller.journey("zzz")
    with pytest.raises(UnknownNameError, match="has no outcome 'bounce'; did you mean 'bounced'"):
        storyteller.journey("newsletter", outcome="bounce")
    with pytest.raises(UnknownNameError, match="its outcomes are delivered, failed"):
        storyteller.journey("live-activity-delivery", outcome="zzz")


@pytest.mark.parametrize("version", VERSIONS)
def test_catalog_without_the_types(version: int) -> None:
    catalog = Catalog.load(version)
    world = World(users=50, catalog=catalog)
    for story in STORIES.values():
        for outcome in story.outcomes.values():
            missing = [name for name in outcome.types if name not in catalog]
            if missing:
                with pytest.raises(
                    OptionError, match=f"is not possible: event type {missing[0]!r} was"
                ):
                    world.journey(story.name, outcome=outcome.name)
            else:
                events = world.journey(story.name, outcome=outcome.name)
                assert {event.event_type for event in events} >= set(outcome.types)


def test_properties(storyteller: World) -> None:
    plain = storyteller.journey("newsletter")
    events = storyteller.journey("newsletter", campaign_name="Mine", device_id="D", url=None)
    for before, after in zip(plain, events, strict=True):
        assert (after.id, after.time, after.event_type) == (
            before.id,
            before.time,
            before.event_type,
        )
        assert ("campaign_name" in after.properties) == ("campaign_name" in before.properties)
        assert after.properties.get("campaign_name", "Mine") == "Mine"
        assert after.user.get("device_id", "D") == "D"
        assert "url" not in after.properties
    assert any("url" in event.properties for event in plain)
    assert storyteller.journey("newsletter") == plain


def test_wrong_values_are_allowed(storyteller: World) -> None:
    events = storyteller.journey("post-purchase", price="free")
    assert {event.properties["price"] for event in events if "price" in event.properties} == {
        "free"
    }


def test_unknown_properties(storyteller: World) -> None:
    with pytest.raises(UnknownNameError, match="'campain_name'; did you mean 'campaign_name'"):
        storyteller.journey("newsletter", campain_name="Mine")
    with pytest.raises(UnknownNameError, match="no event of the journey 'newsletter'"):
        storyteller.journey("newsletter", outcome="ignored", activity_id="A")


def test_property_called_name(storyteller: World) -> None:
    events = storyteller.journey("abandoned-cart", name="Mine")
    assert "Mine" in {event.properties.get("name") for event in events}


def test_scenarios_change_no_journey(storyteller: World) -> None:
    """Their campaigns and Canvases may have the same names, and their rates are not needed."""
    canvas = DeclaredCanvas(
        name="Abandoned Cart",
        entry="custom:Added to Cart",
        steps=(DeclaredStep(name="Mine", channel="email"),),
    )
    campaign = DeclaredCampaign(name="Spring Sale", channel="email", entry="purchase")
    rates = {"email.hard_bounce": 1.0}
    scenario = Scenario(canvases=(canvas,), campaigns=(campaign,), rates=rates)
    world = World(11, users=300, scenario=scenario)
    for name in ("abandoned-cart", "newsletter", "post-purchase"):
        assert world.journey(name) == storyteller.journey(name)
