"""Scenarios, and the files they are read from."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from currents_export.catalog import Catalog
from currents_export.errors import OptionError, ScenarioError
from currents_export.simulation._settings import TimePoint, to_delay
from currents_export.simulation.disturbances import (
    DISTURBANCES,
    Burst,
    Drift,
    Duplicate,
    Gap,
    Late,
    OpenBeforeSend,
)
from currents_export.simulation.scenario import Scenario
from tests.support.scenarios import load, scenario

SAMPLES = Path(__file__).parents[2] / "samples"


def test_empty_file_is_the_default(tmp_path: Path) -> None:
    assert scenario(tmp_path, "") == Scenario()


def test_every_setting_is_read(tmp_path: Path) -> None:
    text = """
    users = 50
    seed = 7
    start = 2026-03-01
    until = "30d"
    history = "clean"
    mix = "stratified"
    rate = 5
    event_types = ["users.messages.email.*", "customer_behavior"]
    journeys = ["shopping"]
    rates = { "email.open" = 0.3 }
    delays = { "email.open" = "2h" }
    [[disturbances]]
    kind = "late"
    share = 1
    """
    made = scenario(tmp_path, text)
    assert made == Scenario(
        users=50,
        seed=7,
        start="2026-03-01",
        until="30d",
        history="clean",
        mix="stratified",
        rate=5,
        event_types=["users.messages.email.*", "customer_behavior"],
        journeys=("shopping",),
        rates={"email.open": 0.3},
        delays={"email.open": "2h"},
        disturbances=(Late(share=1),),
    )
    assert (made.start, made.end(1000)) == (1_772_323_200, 1000 + 30 * 86_400)
    assert made.delays["email.open"] == to_delay("2h")


@pytest.mark.parametrize(
    "text",
    [
        '[rates]\n"email.open" = 0.1\n"email.open.flow" = 0.2',
        'rates = { "email.open" = 0.1, email."open.flow" = 0.2 }',
        '[rates.email]\nopen = 0.1\n"open.flow" = 0.2',
        '[rates]\nemail.open = 0.1\nemail."open.flow" = 0.2',
    ],
)
def test_names_may_be_tables(tmp_path: Path, text: str) -> None:
    rates = scenario(tmp_path, text).rates
    assert [*rates.items()] == [("email.open", 0.1), ("email.open.flow", 0.2)]


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("2026-03-02T00:00:00Z", TimePoint(time=1_772_409_600)),
        ('"2026-03-02"', TimePoint(time=1_772_409_600)),
        ('"90m"', TimePoint(after=5400)),
        ("90", TimePoint(after=90)),
    ],
)
def test_until(tmp_path: Path, text: str, until: object) -> None:
    assert scenario(tmp_path, f"until = {text}").until == until


def test_quiet_has_no_fixed_end(tmp_path: Path) -> None:
    made = scenario(tmp_path, 'until = "quiet"\njourneys = ["welcome-series"]')
    assert made.until == made.end(5) == "quiet"
    assert Scenario().end(5) is None


@pytest.mark.parametrize("kind", DISTURBANCES)
def test_disturbance_of_every_kind(tmp_path: Path, kind: str) -> None:
    text = f'[[disturbances]]\nkind = "{kind}"\nshare = 0.5\nevent_types = ["customer_behavior"]'
    (made,) = scenario(tmp_path, text).disturbances
    assert made == DISTURBANCES[kind](share=0.5, event_types=["customer_behavior"])


def test_parameters_of_disturbances(tmp_path: Path) -> None:
    text = """
    disturbances = [
      { kind = "duplicate", share = 0.1, at_least = "2m", up_to = "1h" },
      { kind = "open_before_send", share = 0.1 },
      { kind = "drift", share = 0.1, change = "event_type", at = 2026-03-01T00:00:00Z, name = "x" },
      { kind = "burst", at = "2h", lasting = "30m", within = 60 },
      { kind = "gap", share = 0.2, lasting = "30m" },
    ]
    """
    assert scenario(tmp_path, text).disturbances == (
        Duplicate(share=0.1, at_least=120, up_to=3600),
        OpenBeforeSend(share=0.1, event_types=["users.messages.*.Open"]),
        Drift(share=0.1, change="event_type", at="2026-03-01", name="x"),
        Burst(at="2h", lasting="30m", within="1m"),
        Gap(share=0.2, lasting="30m"),
    )


def test_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    assert scenario(tmp_path, "\ufeffusers = 5").users == 5


def test_catalog_decides_on_types(tmp_path: Path) -> None:
    text = 'event_types = ["users.messages.banner.Click"]'
    assert scenario(tmp_path, text)
    with pytest.raises(ScenarioError, match="was introduced in schema version"):
        scenario(tmp_path, text, Catalog.load(1))


@pytest.mark.parametrize(
    ("name", "users", "kinds"),
    [
        ("welcome-series", 50, {"duplicate": 0.10, "late": 0.03}),
        ("black-friday", 5000, {"burst": 1.0, "gap": 0.1}),
        ("small-shop", 300, {}),
    ],
)
def test_sample(name: str, users: int, kinds: dict[str, float]) -> None:
    made = load(SAMPLES / f"{name}.toml")
    assert made.users == users
    shares = {each.kind: each.share for each in made.disturbances}
    assert shares == {**shares, **kinds}


def test_welcome_series_is_as_described() -> None:
    made = load(SAMPLES / "welcome-series.toml")
    assert made.mix == "stratified"
    assert made.rates == {"reach.email": 1, "email.hard_bounce": 0.02}
    (late,) = (each for each in made.disturbances if isinstance(each, Late))
    assert late.up_to == 7200
    assert [canvas.entry for canvas in made.canvases] == ["first_session"]


def test_scenario_can_be_copied() -> None:
    made = load(SAMPLES / "small-shop.toml")
    assert copy.deepcopy(made) == made
    assert hash(made) == hash(copy.deepcopy(made))


def test_scenario_in_python_is_checked() -> None:
    with pytest.raises(
        OptionError, match="users: it must be from 1 to 10,000,000; rate: it must be"
    ):
        Scenario(users=0, rate=-1)
