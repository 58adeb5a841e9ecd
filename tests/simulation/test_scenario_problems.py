"""What is wrong in scenario files, and where."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from currents_export.errors import ScenarioError
from tests.support.scenarios import load, problems_of, scenario


def test_problems_are_told_together(tmp_path: Path) -> None:
    text = """\
# A scenario.
user = 5
seed = "one"
history = "walking"
event_types = ["users.messages.email.*", "email.Opne"]
start = 2026-03-01
until = 2026-02-01

[rates]
"email.opne" = 0.5
"email.open" = 5

[[disturbances]]
kind = "duplicates"
share = 1

[[disturbances]]
kind = "late"
shares = 0.1
up_to = "2 fortnights"
"""
    expected = [
        "line 2: user: there is no such setting; did you mean 'users'?",
        "line 3: seed: it must be a whole number, not 'one'",
        "line 4: history: 'walking' is unknown; it must be running or clean",
        "line 5: event_types[1]: unknown event type 'email.Opne'; did you mean 'users.messages.ema",
        "line 7: until: it must be after the start",
        "line 10: rates.email.opne: there is no rate 'email.opne'; did you mean 'email.open' or ",
        "line 11: rates.email.open: 5 is not a share; it must be a number from 0 to 1",
        "line 14: disturbances[0].kind: there is no disturbance 'duplicates'; did you mean 'dupli",
        "line 17: disturbances[1].share: it is missing",
        "line 19: disturbances[1].shares: there is no such setting; did you mean 'share'?",
        "line 20: disturbances[1].up_to: '2 fortnights' is not a duration such as 90s, 5m, 2h or ",
    ]
    found = problems_of(tmp_path, text)
    assert [line[: len(start)] for line, start in zip(found, expected, strict=True)] == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("users = 0", "line 1: users: it must be from 1 to 10,000,000"),
        ("users = true", "line 1: users: it must be a whole number, not True"),
        ("users = 1.5", "line 1: users: it must be a whole number, not 1.5"),
        ("rate = 0", "line 1: rate: it must be a number greater than 0"),
        ("rate = inf", "line 1: rate: it must be a number greater than 0"),
        ("rate = '5'", "line 1: rate: it must be a number, not '5'"),
        ("mix = 5", "line 1: mix: 5 is unknown; it must be stratified or random"),
        ("mix = []", "line 1: mix: a list is unknown; it must be stratified or random"),
        ("\nstart = 'noon'", "line 2: start: 'noon' is not a time between 1970 and 2106; it "),
        (
            "until = 'quite'",
            "line 1: until: 'quite' is neither a time such as 2026-01-31T12:00:00Z ",
        ),
        (
            "until = 'quiet'",
            "line 1: until: 'quiet' waits for campaigns, Canvases or journeys, but there are none",
        ),
        ("until = '0s'", "line 1: until: it must be after the start"),
        ("start = 2026-03-01\nuntil = 2026-03-01", "line 2: until: it must be after the start"),
        ("event_types = '*'", "line 1: event_types: it must be a list of names, families or globs"),
        ("event_types = []", "line 1: event_types: it must be a list of names, families or globs"),
        ("event_types = [5]", "line 1: event_types[0]: 5 is not an event type"),
        ("event_types = [{}]", "line 1: event_types[0]: a dict is not an event type"),
        ("journeys = ['shoping']", "line 1: journeys[0]: there is no journey 'shoping'; did you "),
        ("journeys = 'shopping'", "line 1: journeys: it must be a list of names, not 'shopping'"),
        ("rates = 5", "line 1: rates: it must be a table of rates by name, not 5"),
        (
            "rates.monthly.agent = 2000",
            "line 1: rates.monthly.agent: 2000 is not how often it happens in a month; it must be",
        ),
        ("rates.monthly.agent = true", "line 1: rates.monthly.agent: True is not a share; it "),
        ("rates.email = 1", "line 1: rates.email: there is no rate 'email'"),
        ("delays.email.open = 'x'", "line 1: delays.email.open: 'x' is not a delay; it must be "),
        ("disturbances = 5", "line 1: disturbances: it must be a list, not 5"),
        ("disturbances = [5]", "line 1: disturbances[0]: it must be a table, not 5"),
        ("[disturbances]", "line 1: disturbances: it must be a list, not a dict"),
        ("[[disturbances]]", "line 1: disturbances[0].kind: it is missing; it is one of duplicate"),
        ("[[disturbances]]\nkind = 5", "line 2: disturbances[0].kind: there is no disturbance 5"),
        (
            "[[disturbances]]\nkind = 'gap'\nat = '1h'\nshare = 0.5",
            "line 4: disturbances[0].share: it must be 1, since at chooses the stretch",
        ),
        (
            "[[disturbances]]\nkind = 'drift'\nshare = 1\nchange = 'fields'",
            "line 4: disturbances[0].change: 'fields' is unknown; it must be field, event_type or ",
        ),
        (
            "[[disturbances]]\nkind = 'late'\nshare = 1\nat_least = '7h'",
            "line 4: disturbances[0].at_least: 25200 s is longer than up_to, which is 21600 s",
        ),
    ],
)
def test_problem_has_its_line(tmp_path: Path, text: str, problem: str) -> None:
    (found,) = problems_of(tmp_path, text)
    assert found.startswith(problem)


def test_quiet_is_suggested(tmp_path: Path) -> None:
    (found,) = problems_of(tmp_path, "until = 'quite'")
    assert found.endswith("nor 'quiet'; did you mean 'quiet'?")


@pytest.mark.parametrize(
    ("text", "message"),
    [("users = ", "not TOML: "), ("a = 1\na = 2", "not TOML: "), ("a = " + "[" * 5000, "not TOML")],
)
def test_file_is_not_toml(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message) as caught:
        scenario(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'scenario.toml'}: {message}")


def test_file_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path, Path("a\0b")):
        with pytest.raises(ScenarioError, match="cannot be read"):
            load(path)
    (tmp_path / "latin.toml").write_bytes(b"# \xff")
    with pytest.raises(ScenarioError, match="not UTF-8 text"):
        load(tmp_path / "latin.toml")


def test_url_is_not_shown(tmp_path: Path) -> None:
    """A write key that was put in the wrong place stays secret."""
    url = "https://example.com/v1/webhook?writeKey=2aBcDeFgHiJkLmNoPqRs"
    for text in (
        f"users = '{url}'",
        f"history = '{url}'",
        f"start = '{url}'",
        f"event_types = ['{url}']",
    ):
        (found,) = problems_of(tmp_path, text)
        assert "2aBcDe" not in found


NAMES = ["users", "start", "until", "rates", "delays", "disturbances", "campaigns", "canvases"]
_scalars = ["5", "-1", "0.5", "nan", "'x'", "true", "2026-03-01", "10:00:00", "[]", "{}"]
_inline = st.sampled_from([*_scalars, "[{}]", "[[]]", "{ a = { b = 1 } }", "[{ kind = 'late' }]"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from([*NAMES, "journeys", "x"]), _inline))
def test_any_values_are_read_or_refused(tmp_path: Path, values: dict[str, str]) -> None:
    try:
        scenario(tmp_path, "\n".join(f"{name} = {value}" for name, value in values.items()))
    except ScenarioError as error:
        paths = [path for path, _ in error.problems]
        assert all(paths)
        lines = str(error).splitlines()[1:]
        assert all(line.startswith("  - line ") for line in lines)
