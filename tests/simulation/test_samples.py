"""Samples: every field that can occur together, and the Canvas side for the others."""

from __future__ import annotations

from typing import Any

import pytest

from currents_export.catalog import Catalog, check_event
from currents_export.errors import UnknownNameError
from currents_export.simulation import SAMPLE_TIME, World
from tests.support.traffic import CAMPAIGN, CANVAS, NEWEST, VERSIONS, unfilled

OPEN = "users.messages.email.Open"
PURCHASE = "users.behaviors.Purchase"
WORLDS = {seed: World(seed, users=40) for seed in (0, 1, 2)}

#: The fields, other than those of a Canvas, that the first sample lacks because others exclude
#: them.
LEFT = {
    # A browser's fields; the first sample has a phone's.
    "users.behaviors.pushnotification.TokenStateChange": {
        "web_push_token_public_key",
        "web_push_token_user_auth",
        "web_push_token_vapid_public_key",
    },
    **{
        f"users.messages.banner.{name}": {"browser"}
        for name in ("Abort", "Click", "Dismiss", "Impression")
    },
    # A subscription group has one channel.
    "users.behaviors.subscriptiongroup.StateChange": {"phone_number"},
    # A user who goes on does not leave.
    "users.canvasstep.Progression": {"exit_reason"},
    # A running activity already has its own token.
    "users.messages.liveactivity.Outcome": {"push_to_start_token"},
    "users.messages.liveactivity.Send": {"push_to_start_token"},
    # A message is a text, or a picture, or a form, or a pressed button, or about a product.
    "users.messages.line.InboundReceive": {"media_id"},
    "users.messages.whatsapp.InboundReceive": {
        *("catalog_id", "media_urls", "product_id", "quick_reply_text"),
    },
    # A question has one kind of answer, a survey one place.
    "users.messages.survey.Response": {
        *("answer_long_string", "answer_multiple_strings", "answer_single_boolean", "browser"),
        *("landing_page_api_id", "landing_page_name"),
    },
}


@pytest.mark.parametrize("version", VERSIONS)
def test_both_sides_fill_every_field(version: int) -> None:
    catalog = Catalog.load(version)
    for seed in (version, version + 1):
        world = World(seed, users=30, catalog=catalog)
        for each in catalog.event_types:
            first, second = world.sample(each), world.sample(each, canvas=True)
            assert not unfilled(each, first, second), each.name


@pytest.mark.parametrize("version", VERSIONS)
def test_both_sides_conform(version: int) -> None:
    catalog = Catalog.load(version)
    world = World(version, users=30, catalog=catalog)
    for name in catalog:
        assert check_event(catalog, world.sample(name)) == []
        assert check_event(catalog, world.sample(name, canvas=True)) == []


@pytest.mark.parametrize("name", list(NEWEST))
@pytest.mark.parametrize("seed", WORLDS)
def test_first_side_is_whole(name: str, seed: int) -> None:
    """The first sample lacks only a Canvas and what is listed above."""
    event = WORLDS[seed].sample(name)
    missing = {path.partition(".")[2] for path in unfilled(NEWEST[name], event)}
    if event.properties.keys() & CAMPAIGN:
        missing -= CANVAS
    assert missing == LEFT.get(name, set())


@pytest.mark.parametrize("name", list(NEWEST))
def test_sides_belong(name: str) -> None:
    """The first side belongs to a campaign where it can, the other one to a Canvas."""
    fields = {field.name for field in NEWEST[name].fields.values()}
    for canvas, (own, other) in ((False, (CAMPAIGN, CANVAS)), (True, (CANVAS, CAMPAIGN))):
        properties = WORLDS[0].sample(name, canvas=canvas).properties.keys()
        assert not properties & other or not fields & own
        assert bool(properties & own) == bool(fields & own)


def test_canvas_steps() -> None:
    for name in ("users.canvas.Entry", "users.canvas.experimentstep.SplitEntry"):
        assert "canvas_step_id" in WORLDS[0].sample(name).properties


def test_times_and_sides_have_own_ids() -> None:
    world = WORLDS[0]
    first, later = world.sample(PURCHASE), world.sample(PURCHASE, time=SAMPLE_TIME + 1)
    other = world.sample(PURCHASE, canvas=True)
    assert (first.time, later.time, other.time) == (SAMPLE_TIME, SAMPLE_TIME + 1, SAMPLE_TIME)
    assert len({first.id, later.id, other.id}) == 3
    assert first.properties == later.properties


def test_reply_of_an_old_version() -> None:
    world = World(catalog=Catalog.load(VERSIONS[0]), users=30)
    event = world.sample("users.messages.whatsapp.InboundReceive")
    assert event.properties["quick_reply_text"] == event.properties["message_body"]


def test_first_sides_are_coherent() -> None:
    """In the first sample, the kinds of each maker exclude each other."""
    world = WORLDS[0]
    form = world.sample("users.messages.whatsapp.InboundReceive").properties
    assert form["flow_response_json"]
    assert not form.keys() & {"quick_reply_text", "media_urls", "catalog_id"}
    step = world.sample("users.canvasstep.Progression").properties
    assert step["progression_type"] == "advance"
    survey = world.sample("users.messages.survey.Response").properties
    assert survey["answer_type"] == "nps"
    assert world.sample("users.messages.email.Open").properties["machine_open"] == "true"


def test_sample_with_properties() -> None:
    world = World()
    plain = world.sample(OPEN)
    made = world.sample(
        OPEN, email_address="x@example.com", external_user_id="me", campaign_id=None
    )
    assert made.properties == {
        name: value for name, value in plain.properties.items() if name != "campaign_id"
    } | {"email_address": "x@example.com"}
    assert made.user == plain.user | {"external_user_id": "me"}
    assert made.id != plain.id


def test_sample_has_the_id_of_its_arguments() -> None:
    world = World()
    given: dict[str, Any] = {"email_address": "x@example.com"}
    assert world.sample(OPEN, **given) == World().sample(OPEN, **given)
    ids = {
        world.sample(OPEN).id,
        world.sample(OPEN, **given).id,
        world.sample(OPEN, canvas=True, **given).id,
        world.sample(OPEN, time=1_800_000_000, **given).id,
        world.sample(OPEN, email_address="y@example.com").id,
    }
    assert len(ids) == 5


def test_sample_with_a_given_id() -> None:
    assert World().sample(OPEN, id="mine").id == "mine"
    assert World().sample(OPEN, id="mine", email_address="x").id == "mine"


def test_sample_with_an_unknown_property() -> None:
    with pytest.raises(
        UnknownNameError, match=r"no field 'email_adress'; did you mean 'email_addr"
    ):
        World().sample(OPEN, email_adress="x@example.com")
