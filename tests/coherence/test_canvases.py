"""Rule 7: Canvases."""

from __future__ import annotations

from typing import Any

import pytest

from currents_export.events import Event
from tests.support.stories import CANVAS, DAY, SPLIT, STEP, codes, problems, step

ENTRY = step("canvas.Entry", 0, **CANVAS)
EXIT = step("canvas.exit.MatchedAudience", DAY, **CANVAS)


def progress(at: float, here: str, following: str | None, **fields: Any) -> Event:
    """Make a Progression from one step to the next."""
    about = {**CANVAS, "canvas_entry_id": "p", "canvas_step_id": here, "next_step_id": following}
    return step("canvasstep.Progression", at, **about | fields)


@pytest.mark.parametrize(
    "event",
    [
        progress(9, "s", None),
        step("email.Send", 9, **STEP),
        step("email.Abort", 9, **STEP),
        step("canvas.exit.PerformedEvent", 9, **CANVAS),
        step("canvas.sendtodestination.Sent", 9, **CANVAS),
        step("canvas.experimentstep.SplitEntry", 9, **SPLIT),
    ],
)
def test_step_without_an_entry(event: Event) -> None:
    assert problems([event], whole=True) == [("no_entry", event.id, None)]
    assert codes([event]) == []
    assert codes([ENTRY, event], whole=True) == []
    assert codes([step("canvas.Entry", 0, canvas_id="other"), event], whole=True) == ["no_entry"]


def test_experiment_conversion_follows_its_path() -> None:
    split = step("canvas.experimentstep.SplitEntry", 9, **SPLIT)
    converted = step("canvas.experimentstep.Conversion", 20, **SPLIT)
    assert codes([ENTRY, split, converted], whole=True) == []
    assert codes([ENTRY, converted], whole=True) == ["no_entry"]
    other = step("canvas.experimentstep.Conversion", 20, **SPLIT | {"experiment_split_id": "x2"})
    assert codes([ENTRY, split, other], whole=True) == ["no_entry"]


def test_experiment_path_sticks() -> None:
    one = step("canvas.experimentstep.SplitEntry", 9, **SPLIT)
    two = step("canvas.experimentstep.SplitEntry", DAY, **SPLIT | {"experiment_split_id": "x2"})
    assert problems([ENTRY, one, two]) == [("split_changed", two.id, one.id)]
    other = step("canvas.experimentstep.SplitEntry", DAY, **SPLIT | {"experiment_step_id": "y"})
    assert codes([ENTRY, one, other]) == []


@pytest.mark.parametrize("name", ["email.Send", "email.Abort", "canvas.exit.MatchedAudience"])
def test_passage_has_one_variation(name: str) -> None:
    event = step(name, 9, **STEP | {"canvas_variation_id": "v2"})
    assert problems([ENTRY, event]) == [("canvas_variation_changed", event.id, ENTRY.id)]
    entered = step("canvas.Entry", 5, **CANVAS | {"canvas_variation_id": "v2"})
    assert codes([ENTRY, entered, event]) == []


def test_control_group_of_a_canvas() -> None:
    control = step("canvas.Entry", 0, **CANVAS, in_control_group=True)
    sent = step("email.Send", 9, **STEP)
    assert problems([control, sent]) == [("canvas_control_got_message", sent.id, control.id)]
    assert codes([control, step("email.Send", 9, canvas_id="other")]) == []


@pytest.mark.parametrize(
    "event",
    [
        step("email.Send", 2 * DAY, **STEP),
        step("canvas.exit.PerformedEvent", 2 * DAY, **CANVAS),
        progress(2 * DAY, "s", None),
    ],
)
def test_nothing_after_an_exit(event: Event) -> None:
    assert problems([ENTRY, EXIT, event], whole=True) == [("after_exit", event.id, EXIT.id)]
    # The user could have entered twice before the beginning.
    assert codes([ENTRY, EXIT, event]) == []
    known = step("behaviors.CustomEvent", -60 * DAY)
    assert codes([known, ENTRY, EXIT, event]) == ["after_exit"]
    again = step("canvas.Entry", 2 * DAY, **CANVAS)
    assert codes([ENTRY, EXIT, again, event], whole=True) == []


@pytest.mark.parametrize(
    "event", [step("email.Open", 2 * DAY, **STEP), step("email.Send", DAY, **STEP)]
)
def test_follow_ups_after_an_exit(event: Event) -> None:
    sent = step("email.Send", 9, **STEP)
    assert codes([ENTRY, sent, EXIT, event], whole=True) == []


def test_announced_split() -> None:
    bob = [
        step("canvas.Entry", 0, user="bob", **CANVAS),
        progress(1, "s2", None, user="bob", canvas_entry_id="b"),
    ]
    one, two, three = progress(9, "s1", "s2"), progress(20, "s2", "s3"), progress(20, "s4", None)
    assert codes([*bob, ENTRY, one, two], whole=True) == []
    assert problems([*bob, ENTRY, one, three]) == [("wrong_next_step", three.id, one.id)]
    # A step that is not known as a split need not give an event.
    assert codes([ENTRY, one, three]) == []
    other = progress(20, "s4", None, canvas_entry_id="q")
    assert codes([*bob, ENTRY, step("canvas.Entry", 1, **CANVAS), one, other]) == []


def test_canvas_entered_twice_at_a_time() -> None:
    again = step("canvas.Entry", 60, **CANVAS)
    sent = step("email.Send", 2 * DAY, **STEP)
    assert codes([ENTRY, again, EXIT, sent], whole=True) == []
