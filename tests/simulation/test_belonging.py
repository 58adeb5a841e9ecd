"""The campaigns, Canvases and dispatches that events belong to."""

from __future__ import annotations

from collections import Counter, defaultdict

from currents_export.events import Event
from currents_export.simulation import User, World
from tests.support.traffic import CAMPAIGN, CANVAS, channel_of, of_type


def test_campaign_or_canvas(world: World, traffic: list[Event]) -> None:
    campaigns = {campaign.id: campaign for campaign in world.campaigns}
    canvases = {canvas.id: canvas for canvas in world.canvases}
    samples = [world.sample(name, canvas=side) for name in world.catalog for side in (False, True)]
    kinds: Counter[str] = Counter()
    for event in (*traffic, *samples):
        properties = event.properties
        assert not (properties.keys() & CAMPAIGN and properties.keys() & CANVAS)
        channel = channel_of(event) if event.event_type.startswith("users.messages.") else None
        if channel == "survey":
            channel = "inappmessage"
        if "campaign_id" in properties:
            kinds["campaign"] += 1
            campaign = campaigns[properties["campaign_id"]]
            assert properties["campaign_name"] == campaign.name
            if "message_variation_id" in properties:
                variations = {each.id: each for each in campaign.variations}
                variation = variations[properties["message_variation_id"]]
                name = properties.get("message_variation_name", variation.name)
                assert name == variation.name
                of_control = event.event_type.endswith(".EnrollInControl")
                # The control group converts, too.
                assert variation.control == of_control or event.event_type.endswith(".Conversion")
            assert channel in (None, *sent_by(campaign.channel))
        if "canvas_id" in properties:
            kinds["canvas"] += 1
            canvas = canvases[properties["canvas_id"]]
            assert properties.get("canvas_name", canvas.name) == canvas.name
            variations_ = {each.id: each for each in canvas.variations}
            entered = variations_[properties["canvas_variation_id"]]
            name = properties.get("canvas_variation_name", entered.name)
            assert name == entered.name
            steps = {each.id: each for each in canvas.steps}
            if "canvas_step_id" in properties:
                step = steps[properties["canvas_step_id"]]
                assert properties["canvas_step_name"] == step.name
                assert not entered.control
                assert channel in (None, *sent_by(step.channel))
                if "experiment_split_id" in properties:
                    splits = {split.id: split for split in step.splits}
                    split = splits[properties["experiment_split_id"]]
                    assert properties["experiment_split_name"] == split.name
                    assert properties.get("in_control_group", split.control) == split.control
            else:
                assert entered.control
                assert properties.get("in_control_group", True) is True
            if "next_step_id" in properties:
                order = [each.id for each in canvas.steps]
                place = order.index(properties["canvas_step_id"])
                # A split can skip a step.
                assert properties["next_step_id"] in order[place + 1 : place + 3]
    assert min(kinds.values()) > 500


def sent_by(channel: str) -> tuple[str, ...]:
    """Return the channels that messages of a channel are sent by: SMS can replace RCS."""
    return (channel, "sms") if channel == "rcs" else (channel,)


def test_regions(world: World, traffic: list[Event], owners: dict[str, User]) -> None:
    regions = {campaign.id: campaign.region for campaign in world.campaigns}
    regions |= {canvas.id: canvas.region for canvas in world.canvases}
    for event in traffic:
        belongs = event.properties.get("campaign_id") or event.properties.get("canvas_id")
        if belongs and "user_id" in event.user:
            user = owners[event.user["user_id"]]
            assert regions[belongs] in ("Global", user.place.region)


def test_dispatches(traffic: list[Event]) -> None:
    """A dispatch belongs to one campaign or step, and comes before its events."""
    seen: dict[str, set[str]] = defaultdict(set)
    for event in traffic:
        dispatch = event.properties.get("dispatch_id")
        # The events of Content Optimizers name no Canvas.
        if dispatch and "costep" not in event.event_type:
            properties = event.properties
            source = properties.get("campaign_id") or properties["canvas_step_id"]
            seen[dispatch].add(source)
            assert int(dispatch[:8], 16) <= event.time
    assert all(len(sources) == 1 for sources in seen.values())
    assert len(seen) > 100


def test_send_times(traffic: list[Event]) -> None:
    """A message is sent to each user once, before its other events."""
    seen: dict[tuple[str, str], set[int]] = defaultdict(set)
    for event in traffic:
        if "send_time" in event.properties:
            sent, dispatch = event.properties["send_time"], event.properties["dispatch_id"]
            assert int(dispatch[:8], 16) <= sent <= event.time
            if sent < event.time:
                seen[event.user["user_id"], dispatch].add(sent)
    assert all(len(times) == 1 for times in seen.values())
    assert seen


def test_in_app_messages_have_no_dispatch(traffic: list[Event]) -> None:
    for event in of_type(traffic, "users.messages.inappmessage.Impression"):
        assert event.properties["dispatch_id"] is None


def test_progressions_are_at_splits(world: World, traffic: list[Event]) -> None:
    steps = {step.id: step for canvas in world.canvases for step in canvas.steps}
    for event in of_type(traffic, "users.canvasstep.Progression"):
        assert event.properties["progression_type"] == "advance"
        assert "exit_reason" not in event.properties
        assert event.properties["next_step_id"] in steps
        step = steps[event.properties["canvas_step_id"]]
        assert step.channel in ("audience", "decision", "experiment")


def test_landing_pages(world: World, traffic: list[Event]) -> None:
    pages = {page.id: page for page in world.landing_pages}
    for event in of_type(traffic, "users.messages.landingpage.*"):
        page = pages[event.properties["landing_page_api_id"]]
        assert event.properties["landing_page_name"] == page.name
        assert event.properties.get("target", page.targets[0]) in page.targets


def test_destinations(world: World, traffic: list[Event]) -> None:
    destinations = {each.id: each for each in world.destinations}
    for event in of_type(traffic, "users.canvas.sendtodestination.*"):
        properties = event.properties
        destination = destinations[properties["destination_api_id"]]
        assert properties["destination_name"] == destination.name
        assert properties["destination_type"] == destination.kind
        if event.event_type.endswith(".Sent"):
            assert properties["destination_variation_name"] in destination.variants
        else:
            assert properties["reason"]
