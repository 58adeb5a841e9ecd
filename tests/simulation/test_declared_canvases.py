"""Canvases that a scenario declares: everything they say has an effect."""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

import pytest

from currents_export.events import Event
from currents_export.simulation import (
    DeclaredCanvas,
    DeclaredStep,
    FrequencyCap,
    Goal,
    QuietHours,
    StepPath,
    World,
)
from tests.support.scenarios import DAY, HOUR, MONDAY, local_clock, world_of
from tests.support.traffic import of_type

ENTRY = "users.canvas.Entry"
SEND = "users.messages.email.Send"
PROGRESSION = "users.canvasstep.Progression"
WEBHOOK = DeclaredStep(name="Hook", channel="webhook")
MAIL = DeclaredStep(name="Mail", channel="email")
#: Nothing keeps anyone from an email, or ends a Canvas by chance.
EVERYONE = {
    "reach.email": 1.0,
    "message.abort": 0.0,
    "message.deprioritized": 0.0,
    "canvas.matched_audience": 0.0,
}


def world(*steps: DeclaredStep, users: int = 60, until: str = "8d", **settings: Any) -> World:
    """Return a world of new users who enter a Canvas with their first session."""
    canvas = {"name": "Hello", "entry": "first_session", "steps": steps, **settings}
    return world_of(
        canvases=[DeclaredCanvas(**canvas)],
        users=users,
        until=until,
        rates=EVERYONE,
        history="clean",
    )


def run(*steps: DeclaredStep, **settings: Any) -> list[Event]:
    return list(world(*steps, **settings).events())


def times_of(events: list[Event]) -> dict[str, int]:
    return {event.user["user_id"]: event.time for event in events}


def steps_of(events: list[Event]) -> dict[str, set[str]]:
    """Return the steps of which each user has events."""
    found: dict[str, set[str]] = {}
    for event in events:
        if name := event.properties.get("canvas_step_name"):
            found.setdefault(event.user["user_id"], set()).add(name)
    return found


def test_delays_add_up() -> None:
    hook = DeclaredStep(name="Hook", channel="webhook", delay="2h")
    events = run(MAIL, hook, entry_delay="10m")
    sessions = times_of(of_type(events, "users.behaviors.app.FirstSession")[::-1])
    entries = times_of(of_type(events, ENTRY))
    sends = times_of(of_type(events, "users.messages.webhook.Send"))
    assert len(entries) > 50
    assert {entries[user] - sessions[user] for user in entries} == {600}
    assert {sends[user] - entries[user] for user in sends} == {2 * HOUR}


def test_action_ends_it() -> None:
    later = DeclaredStep(name="Later", channel="webhook", delay="3d")
    events = run(WEBHOOK, later, users=200, until="14d", exit=["custom:Product Viewed"])
    exits = of_type(events, "users.canvas.exit.PerformedEvent")
    left = {event.user["user_id"] for event in exits}
    steps = steps_of(of_type(events, "users.messages.webhook.Send"))
    assert 10 < len(left) < len(steps)
    assert all("Later" not in steps[user] for user in left if user in steps)
    assert any("Later" in names for names in steps.values())


def test_share_variations_and_control() -> None:
    settings: dict[str, Any] = {"share": 0.5, "variations": ["Calm", "Loud"], "control": 0.2}
    events = run(WEBHOOK, users=300, until="10d", **settings)
    entries = of_type(events, ENTRY)
    names = Counter(event.properties["canvas_variation_name"] for event in entries)
    controls = [event for event in entries if event.properties["in_control_group"]]
    assert 120 < len(entries) < 180
    assert len(names) == 3
    assert abs(names["Calm"] - names["Loud"]) < 40
    assert 15 < len(controls) < 50
    sends = of_type(events, "users.messages.webhook.Send")
    assert not times_of(controls).keys() & times_of(sends).keys()


def test_without_control_there_is_none() -> None:
    assert not any(each.properties["in_control_group"] for each in of_type(run(WEBHOOK), ENTRY))


def test_region() -> None:
    made = world(WEBHOOK, region="EU", users=100)
    regions = {user.id: user.place.region for user in made.users}
    assert {regions[each] for each in times_of(of_type(list(made.events()), ENTRY))} == {"EU"}


def test_goals_convert() -> None:
    events = run(WEBHOOK, goals=[Goal(behavior="custom:Product Viewed", window="1d")], users=150)
    entries = times_of(of_type(events, ENTRY))
    for event in of_type(events, "users.canvas.Conversion"):
        assert 0 <= event.time - entries[event.user["user_id"]] <= DAY
    assert not [each for each in run(WEBHOOK) if each.event_type == "users.canvas.Conversion"]


def test_caps_and_quiet_hours() -> None:
    more = [DeclaredStep(name=f"More {number}", channel="email") for number in range(3)]
    events = run(MAIL, *more, frequency_cap=FrequencyCap(messages=2))
    counts = Counter(event.user["user_id"] for event in of_type(events, SEND))
    assert set(counts.values()) == {2}
    logs = {each.properties["abort_log"] for each in of_type(events, "users.messages.email.Abort")}
    assert logs == {"Frequency cap rule: 2 email messages every 1 week"}

    made = world(MAIL, quiet_hours=QuietHours(start="00:00", end="23:00"))
    for event in of_type(list(made.events()), SEND):
        assert local_clock(event, made) % DAY >= 23 * HOUR


def test_paths_of_an_experiment() -> None:
    test = DeclaredStep(
        name="Test",
        kind="experiment",
        control=0.2,
        paths=[StepPath(name="Many", share=0.75), StepPath(name="Few", next="Last")],
    )
    last = DeclaredStep(name="Last", channel="webhook")
    events = run(test, WEBHOOK, last, users=300)
    entries = of_type(events, "users.canvas.experimentstep.SplitEntry")
    paths = {event.user["user_id"]: event.properties["experiment_split_name"] for event in entries}
    counts = Counter(paths.values())
    total = counts.total()
    assert counts.keys() == {"Many", "Few", "Control"}
    assert [counts[name] / total for name in ("Many", "Few", "Control")] == pytest.approx(
        [0.6, 0.2, 0.2], abs=0.08
    )
    controls = [event for event in entries if event.properties["in_control_group"]]
    assert {event.properties["experiment_split_name"] for event in controls} == {"Control"}
    steps = steps_of(of_type(events, "users.messages.webhook.Send"))
    assert {frozenset(steps[user]) for user, path in paths.items() if path == "Few"} == {
        frozenset({"Last"})
    }
    assert {frozenset(steps[user]) for user, path in paths.items() if path != "Few"} >= {
        frozenset({"Hook", "Last"})
    }


@pytest.mark.parametrize("kind", ["decision", "audience"])
def test_paths_of_a_split(kind: Literal["decision", "audience"]) -> None:
    split = DeclaredStep(
        name="Split",
        kind=kind,
        paths=[
            StepPath(name="On", share=0.5),
            StepPath(name="Skip", share=0.3, next="Last"),
            StepPath(name="Out", next="end"),
        ],
    )
    last = DeclaredStep(name="Last", channel="webhook")
    made = world(split, WEBHOOK, last, users=600, until="10d")
    events = list(made.events())
    entered = times_of(of_type(events, ENTRY))
    steps = steps_of(of_type(events, "users.messages.webhook.Send"))
    ways = Counter(frozenset(steps.get(user, ())) for user in entered)
    assert ways.keys() == {frozenset({"Hook", "Last"}), frozenset({"Last"}), frozenset()}
    shares = [ways[frozenset(way)] / len(entered) for way in (["Hook", "Last"], ["Last"], [])]
    assert shares == pytest.approx([0.5, 0.3, 0.2], abs=0.08)
    ids = {step.name: step.id for step in made.canvases[-1].steps}
    following = Counter(event.properties["next_step_id"] for event in of_type(events, PROGRESSION))
    assert following.keys() == {ids["Hook"], ids["Last"]}


def test_usual_splits() -> None:
    """Without paths, experiments have two, and the others decide as those of the world do."""
    events = run(
        DeclaredStep(name="Experiment", kind="experiment"),
        DeclaredStep(name="Decision", kind="decision"),
        DeclaredStep(name="Audience", kind="audience"),
        WEBHOOK,
    )
    entries = of_type(events, "users.canvas.experimentstep.SplitEntry")
    assert {each.properties["experiment_split_name"] for each in entries} == {"Path 1", "Path 2"}
    assert of_type(events, "users.messages.webhook.Send")


def test_other_steps() -> None:
    events = run(
        DeclaredStep(name="Sync", kind="destination"),
        DeclaredStep(name="Update", kind="update"),
        users=150,
    )
    assert of_type(events, "users.canvas.sendtodestination.*")
    changes = of_type(events, "users.behaviors.subscriptiongroup.StateChange")
    assert {each.properties["state_change_source"] for each in changes} >= {
        "Canvas User Update Step"
    }


@pytest.mark.parametrize("entry", ["session_start", "purchase", "custom:Trial Started"])
def test_entries(entry: str) -> None:
    events = run(WEBHOOK, entry=entry, users=200, until="14d")
    assert min(each.time for each in of_type(events, ENTRY)) > MONDAY
    counts = Counter(each.user["user_id"] for each in of_type(events, ENTRY))
    assert set(counts.values()) == {1}


def test_in_app_step_is_seen_in_the_next_session() -> None:
    shown = DeclaredStep(name="Look", channel="inappmessage")
    seen = of_type(run(shown, users=150), "users.messages.inappmessage.Impression")
    assert {event.properties["canvas_step_name"] for event in seen} == {"Look"}


def test_steps_of_one_name_are_apart() -> None:
    twice = [DeclaredStep(name="Again", channel="webhook", delay="1h") for _ in range(2)]
    sends = of_type(run(*twice), "users.messages.webhook.Send")
    counts = Counter(event.properties["canvas_step_id"] for event in sends)
    assert len(counts) == 2


def test_it_is_in_the_world() -> None:
    made = world(WEBHOOK, exit="purchase").canvases[-1]
    assert (made.name, made.entry, made.exit) == ("Hello", "first_session", ("purchase",))
