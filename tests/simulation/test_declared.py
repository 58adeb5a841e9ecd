"""Campaigns and Canvases that are declared in TOML."""

from __future__ import annotations

from pathlib import Path

import pytest

from currents_export.errors import OptionError
from currents_export.simulation._settings import TimePoint
from currents_export.simulation.declared import (
    CampaignSchedule,
    DeclaredCampaign,
    DeclaredCanvas,
    DeclaredStep,
    FrequencyCap,
    Goal,
    QuietHours,
    StepPath,
)
from tests.support.scenarios import problems_of, scenario

CANVAS = """\
[[canvases]]
name = "Cart"
entry = "purchase"
"""
CAMPAIGN = """\
[[campaigns]]
name = "Sale"
channel = "email"
"""


def test_whole_campaign_is_read(tmp_path: Path) -> None:
    text = """
    [[campaigns]]
    name = "Spring Sale"
    channel = "email"
    path = "sale/spring"
    region = "EU"
    schedule = { days = ["Tue", "Fri"], at = "10:00", zone = "UTC" }
    share = 0.8
    variations = ["Long", "Short"]
    control = 0.1
    goals = [{ behavior = "purchase" }, { behavior = "custom:Checkout Completed", window = "1d" }]
    frequency_cap = { messages = 5 }
    quiet_hours = { start = 22:00:00, end = "07:00" }
    """
    (made,) = scenario(tmp_path, text).campaigns
    assert made == DeclaredCampaign(
        name="Spring Sale",
        channel="email",
        path="sale/spring",
        region="EU",
        schedule=CampaignSchedule(days=("Tue", "Fri"), at="10:00", zone="UTC"),
        share=0.8,
        variations=("Long", "Short"),
        control=0.1,
        goals=(
            Goal(behavior="purchase", window="3d"),
            Goal(behavior="custom:Checkout Completed", window="1d"),
        ),
        frequency_cap=FrequencyCap(messages=5, days=7),
        quiet_hours=QuietHours(start="22:00", end="07:00"),
    )
    assert made.trigger == "scheduled"


def test_defaults_of_a_campaign(tmp_path: Path) -> None:
    (made,) = scenario(tmp_path, f'{CAMPAIGN}entry = "session_start"').campaigns
    assert (made.trigger, made.delay, made.send_id) == ("action", 0, False)
    assert made.region == "Global"
    assert (made.share, made.control) == (1.0, 0.0)
    assert len(made.variations) == 1


@pytest.mark.parametrize(
    "once", ["2026-11-27T08:00:00", '"2026-11-27 08:00"', "2026-11-27 08:00:00"]
)
def test_schedule_of_one_time(tmp_path: Path, once: str) -> None:
    (made,) = scenario(tmp_path, f"{CAMPAIGN}schedule.once = {once}").campaigns
    assert made.schedule is not None
    assert made.schedule.once == TimePoint(time=1_795_766_400)
    assert made.schedule.zone == "local"


def test_whole_canvas_is_read(tmp_path: Path) -> None:
    text = f"""{CANVAS}
    entry_delay = "1h"
    exit = ["purchase", "custom:Unsubscribed"]
    control = 0.2
    steps = [
      {{ name = "Reminder", channel = "email" }},
      {{ name = "Test", kind = "experiment", delay = "1h", control = 0.2, paths = [
        {{ name = "Path 1", share = 0.6 }}, {{ name = "Path 2" }}, {{ name = "Path 3" }} ] }},
      {{ name = "Opened?", kind = "decision", paths = [
        {{ name = "Yes", next = "end" }}, {{ name = "No", next = "Last" }} ] }},
      {{ name = "Reachable?", kind = "audience" }},
      {{ name = "Last", channel = "sms", delay = 60 }},
      {{ name = "Sync", kind = "destination" }},
      {{ name = "Update", kind = "update" }},
    ]
    """
    (made,) = scenario(tmp_path, text).canvases
    assert (made.entry, made.entry_delay) == ("purchase", 3600)
    assert made.exit == ("purchase", "custom:Unsubscribed")
    assert [step.kind for step in made.steps][:3] == ["message", "experiment", "decision"]
    assert made.steps[1].path_shares() == pytest.approx((0.6, 0.2, 0.2))
    assert made.steps[2].path_shares() == (0.5, 0.5)
    assert made.steps[2].paths[0] == StepPath(name="Yes", next="end")
    assert made.steps[3].path_shares() == ()


def test_one_exit_needs_no_list(tmp_path: Path) -> None:
    text = f'{CANVAS}exit = "purchase"\nsteps = [{{ name = "A", channel = "email" }}]'
    assert scenario(tmp_path, text).canvases[0].exit == ("purchase",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1: campaigns[0]: a campaign needs a schedule or an entry"),
        (
            "entry = 'purchase'\nschedule.at = '10:00'",
            "line 4: campaigns[0].entry: a campaign has ",
        ),
        ("entry = 'purchase'\ntrigger = 'scheduled'", "line 5: campaigns[0].trigger: a scheduled "),
        ("schedule.at = '10:00'\ntrigger = 'api'", "line 5: campaigns[0].trigger: with 'api', a "),
        (
            "schedule.at = '10:00'\ndelay = 5",
            "line 5: campaigns[0].delay: a scheduled campaign has ",
        ),
        (
            "entry = 'purchase'\nsend_id = true",
            "line 5: campaigns[0].send_id: only a campaign with",
        ),
        ("entry = 'purchases'", "line 4: campaigns[0].entry: 'purchases' is unknown; it must be "),
        ("entry = 'custom:'", "line 4: campaigns[0].entry: 'custom:' is unknown"),
        ("entry = 5", "line 4: campaigns[0].entry: 5 is unknown"),
        ("schedule = {}", "line 4: campaigns[0].schedule: it needs at, a time of the day, or once"),
        ("schedule = { at = 5, once = '1d' }", "line 4: campaigns[0].schedule.once: at and once "),
        (
            "schedule = { days = ['Mon'], once = 9 }",
            "line 4: campaigns[0].schedule.days: days and ",
        ),
        ("schedule = { days = [], at = 9 }", "line 4: campaigns[0].schedule.days: it is empty; "),
        ("schedule = { days = ['Mo'], at = 9 }", "line 4: campaigns[0].schedule.days[0]: 'Mo' is "),
        (
            "schedule.once = 2026-11-27T08:00:00Z",
            "line 4: campaigns[0].schedule.once: 2026-11-27T08:00:00+00:00 has a zone; leave",
        ),
        (
            "entry = 'purchase'\nregion = 'EMEA'",
            "line 5: campaigns[0].region: there is no region 'EMEA'",
        ),
        ("entry = 'purchase'\nvariations = []", "line 5: campaigns[0].variations: it is empty; "),
        (
            "entry = 'purchase'\nvariations = ['A', 'A']",
            "line 5: campaigns[0].variations: the names",
        ),
        ("entry = 'purchase'\ncontrol = 2", "line 5: campaigns[0].control: 2 is not a share"),
        (
            "entry = 'purchase'\ngoals = [{ behavior = 'purchase', window = '31d' }]",
            "line 5: campaigns[0].goals[0].window: it must be longer than 0 seconds, and at most",
        ),
        (
            "entry = 'purchase'\ngoals = [{ behavior = 'opens_email' }]",
            "line 5: campaigns[0].goals[0].behavior: 'opens_email' is unknown; it must be app_up",
        ),
        (
            "entry = 'purchase'\ngoals = [\n" + "{ behavior = 'purchase' },\n" * 5 + "]",
            "line 10: campaigns[0].goals[4]: there are at most 4 conversion events",
        ),
        (
            "entry = 'purchase'\nfrequency_cap = { messages = 0 }",
            "line 5: campaigns[0].frequency_cap.messages: it must be at least 1",
        ),
        (
            "entry = 'purchase'\nquiet_hours = { start = '22:00', end = '22:00' }",
            "line 5: campaigns[0].quiet_hours.end: it must differ from the start",
        ),
    ],
)
def test_problem_of_a_campaign(tmp_path: Path, text: str, problem: str) -> None:
    (found,) = problems_of(tmp_path, CAMPAIGN + text)
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ("", "line 4: canvases[0].steps: it is empty; a Canvas needs at least one step"),
        ("{ name = 'A' }", "line 5: canvases[0].steps[0].channel: a message step needs a channel"),
        ("{ channel = 'email' }", "line 5: canvases[0].steps[0].name: it is missing"),
        (
            "{ name = 'A', channel = 'emial' }",
            "line 5: canvases[0].steps[0].channel: there is no channel 'emial'; did you mean",
        ),
        (
            "{ name = 'A', kind = 'update', channel = 'email' }",
            "line 5: canvases[0].steps[0].channel: 'update' steps have no channel",
        ),
        (
            "{ name = 'A', kind = 'update', paths = [{ name = 'B' }] }",
            "line 5: canvases[0].steps[0].paths: 'update' steps have no paths",
        ),
        (
            "{ name = 'A', kind = 'audience', control = 0.5 }",
            "line 5: canvases[0].steps[0].control: only experiments have a control group",
        ),
        (
            "{ name = 'A', kind = 'audience', paths = [{ name = 'B', share = 0.5 }] }",
            "line 5: canvases[0].steps[0].paths: the shares of the paths add up to 0.5; it",
        ),
        (
            "{name='A', kind='audience', paths=[{name='B', share=0.8}, {name='C', share=0.8}]}",
            "line 5: canvases[0].steps[0].paths: the shares of the paths add up to 1.6; it",
        ),
        (
            "{ name = 'A', kind = 'decision', paths = [{ name = 'B', next = 'A' }] }",
            "line 5: canvases[0].steps[0].paths[0].next: 'A' is neither a later step nor end",
        ),
    ],
)
def test_problem_of_a_canvas(tmp_path: Path, steps: str, problem: str) -> None:
    (found,) = problems_of(tmp_path, f"{CANVAS}steps = [\n{steps}\n]")
    assert found.startswith(problem)


def test_four_conversion_events_are_enough(tmp_path: Path) -> None:
    goals = "{ behavior = 'purchase' }," * 4
    text = f"{CAMPAIGN}entry = 'purchase'\ngoals = [{goals}]"
    assert len(scenario(tmp_path, text).campaigns[0].goals) == 4


def test_names_occur_once(tmp_path: Path) -> None:
    text = f"{CAMPAIGN}entry = 'purchase'\n" * 2
    (found,) = problems_of(tmp_path, text)
    assert found == "line 6: campaigns[1].name: 'Sale' occurs twice"


def test_missing_settings_hide_no_others(tmp_path: Path) -> None:
    text = "[[canvases]]\nshare = 2\nsteps = [{ kind = 'update', channel = 'x' }]"
    assert problems_of(tmp_path, text) == [
        "line 1: canvases[0].name: it is missing",
        "line 1: canvases[0].entry: it is missing",
        "line 2: canvases[0].share: 2 is not a share; it must be a number from 0 to 1",
        "line 3: canvases[0].steps[0].name: it is missing",
        "line 3: canvases[0].steps[0].channel: there is no channel 'x'",
    ]


def test_declaring_in_python_is_checked() -> None:
    with pytest.raises(OptionError, match="steps: it is empty"):
        DeclaredCanvas(name="A", entry="purchase", steps=())
    with pytest.raises(OptionError, match="channel: a message step needs a channel"):
        DeclaredStep(name="A")
