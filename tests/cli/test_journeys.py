"""`journeys` lists the journeys, and `journey` prints one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from currents_export.payload import encode_event
from currents_export.simulation import World
from currents_export.simulation.stories import STORIES
from tests.cli.support import run, words

START = 1_782_907_200
CART = ("journey", "abandoned-cart", "--seed", 5, "--start", START)


def test_list() -> None:
    result = run("journeys")
    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert [line.split()[0] for line in lines[1:]] == list(STORIES)
    for line, story in zip(lines[1:], STORIES.values(), strict=True):
        assert ", ".join(story.outcomes) in line
        assert story.description in line
    assert result.stderr.startswith(f"{len(STORIES)} journeys; ")


def test_list_of_outcomes() -> None:
    result = run("journeys", "newsletter", "token-moves")
    assert result.exit_code == 0
    for name in ("newsletter", "token-moves"):
        assert f"{name}: {STORIES[name].description}" in result.stdout
        for outcome in STORIES[name].outcomes.values():
            assert outcome.name in result.stdout
            assert outcome.description in result.stdout


def test_list_as_json() -> None:
    listed = json.loads(run("journeys", "--json").stdout)
    assert [each["name"] for each in listed] == list(STORIES)
    for each in listed:
        story = STORIES[each["name"]]
        assert each["description"] == story.description
        assert list(each["outcomes"]) == list(story.outcomes)
        assert each["default"] == story.default.name
    assert [each["name"] for each in json.loads(run("journeys", "win-back", "--json").stdout)] == [
        "win-back"
    ]


def test_events_of_a_journey() -> None:
    events = World(5).journey("abandoned-cart", start=START)
    result = run(*CART)
    assert result.exit_code == 0
    assert result.stdout_bytes == b"".join(encode_event(each) + b"\n" for each in events)
    assert result.stderr == f"{len(events)} events; --seed 5 --start {START} repeats them\n"
    array = run(*CART, "--json")
    assert json.loads(array.stdout) == [each.to_dict() for each in events]


def test_readme_shows_real_events() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    line = r'^\{"event_type":"(.+?)","id":"(.+?)\.\.\.","time":(\d+),'
    shown = re.findall(line, readme, re.MULTILINE)
    command = re.search(r"^currents-export (journey .+)$", readme, re.MULTILINE)
    assert command is not None
    real = [
        (event["event_type"], event["id"][:8], str(event["time"]))
        for event in map(json.loads, run(*command[1].split()).stdout.splitlines())
    ]
    assert len(shown) >= 8
    assert shown == [each for each in real if each in shown]


def test_options(tmp_path: Path) -> None:
    options = ("--outcome", "control", "--user", 8, "--users", 20, "--schema-version", 13)
    result = run("journey", "newsletter", *options, "--seed", 2, "--start", "2026-07-01T12:00Z")
    events = World(2, users=20).journey("newsletter", outcome="control", user=8, start=START)
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        each.to_dict() for each in events
    ]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("campaign_name=Mine", "Mine"),
        ("campaign_name=a=b", "a=b"),
        ("campaign_name=", ""),
        ("campaign_name=5", "5"),
        ('campaign_name="5"', "5"),
        ('campaign_name=["a"]', ["a"]),
        ("send_time=5", 5),
        ("send_time=soon", "soon"),
        ('send_time="5"', "5"),
    ],
)
def test_set(setting: str, value: object) -> None:
    """A value is JSON if it can be, but a field of text gets no numbers by accident."""
    name = setting.partition("=")[0]
    lines = run("journey", "newsletter", "--seed", 1, "--set", setting).stdout.splitlines()
    values = [json.loads(line)["properties"].get(name, value) for line in lines]
    assert values == [value] * len(lines)
    assert any(name in json.loads(line)["properties"] for line in lines)


def test_set_more_than_once() -> None:
    args = ("--set", "campaign_name=null", "--set", "external_user_id=me")
    lines = run("journey", "newsletter", "--seed", 1, *args).stdout.splitlines()
    for event in map(json.loads, lines):
        assert "campaign_name" not in event["properties"]
        assert event["user"]["external_user_id"] == "me"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["abandond-cart"], "unknown journey 'abandond-cart'; did you mean 'abandoned-cart'?"),
        (["newsletter", "--outcome", "bounce"], "did you mean 'bounced' or 'soft-bounced'?"),
        (["newsletter", "--set", "campain_name=x"], "did you mean 'campaign_name'"),
        (["newsletter", "--set", "campaign_name"], "it must be like campaign_name=Sale"),
        (["newsletter", "--set", "=x"], "it must be like campaign_name=Sale"),
        (["newsletter", "--user", "2000"], "the users of this world are 0 to 999"),
        (["newsletter", "--start", "noon"], "is not a time"),
        (["account-deletion", "--schema-version", "9"], "was introduced in schema version"),
        ([], "Missing argument"),
    ],
)
def test_wrong_arguments(args: list[str], says: str) -> None:
    result = run("journey", *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in words(result.stderr)


def test_unknown_journey_in_the_list() -> None:
    result = run("journeys", "win-bak")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "did you mean 'win-back'?" in result.stderr
