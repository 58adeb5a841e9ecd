"""`generate` and `send` make the events of scenario files."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from currents_export.receiver import Receiver, listen
from tests.cli.processes import Start, ended
from tests.cli.support import CLOSED, ids_in, run, words
from tests.support.currents import TOKEN

SAMPLES = Path(__file__).parents[2] / "samples"
WELCOME = SAMPLES / "welcome-series.toml"
SMALL = """
users = 30
seed = 4
start = 2026-03-02
until = "1d"
event_types = ["users.behaviors.app.*"]
"""

#: What a file contains, and what is said about it.
BROKEN = [
    ("users = '50'", "line 1: users: it must be a whole number, not '50'"),
    ("users = 0", "line 1: users: it must be from 1 to 10,000,000"),
    ("\nseeds = 1", "line 2: seeds: there is no such setting; did you mean 'seed'"),
    ("users = 1\nusers = 2", "not TOML: Cannot overwrite a value"),
    ("start = 'soon'", "line 1: start: 'soon' is not a time between 1970 and 2106"),
    ("start = 1900-01-01", "line 1: start: "),
    ("until = 'quite'", "did you mean 'quiet'?"),
    ("until = 'quiet'", "'quiet' waits for campaigns, Canvases or journeys, but there are none"),
    ("history = 'new'", "line 1: history: 'new' is unknown; it must be running or clean"),
    ("mix = 'strat'", "did you mean 'stratified'?"),
    ("rate = 0", "line 1: rate: it must be a number greater than 0"),
    ("journeys = ['welcome']", "there is no journey 'welcome'; did you mean 'welcome-series'?"),
    ("rates.email.opne = 1", "there is no rate 'email.opne'; did you mean 'email.open'"),
    ("rates.email.open = 2", "line 1: rates.email.open: 2 is not a share"),
    ("delays.email.open = 'x'", "line 1: delays.email.open: 'x' is not a delay"),
    ("delays.email.opne = '1h'", "there is no delay 'email.opne'; did you mean 'email.open'"),
    ("event_types = ['users.messages.emial.Open']", "did you mean 'users.messages.email.Open'"),
    ("[[disturbances]]\nkind = 'late'\nshares = 1", "line 3: disturbances[0].shares: there is no"),
    ("[[disturbances]]\nkind = 'duplicates'", "did you mean 'duplicate'?"),
    (
        "[[campaigns]]\nname = 'A'\nchannel = 'emial'\nentry = 'purchase'",
        "line 3: campaigns[0].channel: there is no channel 'emial'; did you mean 'email'?",
    ),
    (
        "[[campaigns]]\nname = 'A'\nchannel = 'email'\nentry = 'purchse'",
        "line 4: campaigns[0].entry: 'purchse' is unknown; it must be ",
    ),
    (
        "[[campaigns]]\nname='A'\nchannel='banner'\nentry='purchase'\nfrequency_cap.messages = 1",
        "line 5: campaigns[0].frequency_cap: messages that users see in a session are not",
    ),
    (
        "until = 'quiet'\n[[campaigns]]\nname = 'A'\nchannel = 'email'\nschedule.at = '10:00'",
        "line 5: campaigns[0].schedule: it goes out every week, so a stream until 'quiet' would",
    ),
    (
        "[[canvases]]\nname = 'A'\nentry = 'purchase'\nsteps = [{ name = 'a', chanel = 'sms' }]",
        "line 4: canvases[0].steps[0].chanel: there is no such setting; did you mean 'channel'?",
    ),
]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path


@pytest.mark.parametrize(("text", "problem"), BROKEN)
@pytest.mark.parametrize("command", ["generate", "send"])
def test_broken_file(
    command: str, text: str, problem: str, tmp_path: Path, current: Callable[..., Path]
) -> None:
    path = tmp_path / "broken.toml"
    path.write_text(text)
    options = ["--current", current()] if command == "send" else []
    result = run(command, "--scenario", path, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert problem in result.stderr
    assert str(path) in result.stderr


def test_all_problems_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text("users = 0\nrate = 'x'\n[rates]\nemail.opne = 1\n[[campaigns]]\nname = 5")
    result = run("generate", "--scenario", path)
    assert "the scenario has 6 problems:" in result.stderr
    lines = [line.split()[2] for line in result.stderr.splitlines() if line.startswith("  - line")]
    assert lines == ["1:", "2:", "4:", "5:", "5:", "6:"]


def test_missing_file(tmp_path: Path) -> None:
    result = run("generate", "--scenario", tmp_path / "none.toml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "cannot be read: No such file" in result.stderr


def test_scenario_decides(small: Path) -> None:
    result = run("generate", "--scenario", small)
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert {event["event_type"].rpartition(".")[0] for event in events} == {"users.behaviors.app"}
    times = [event["time"] for event in events]
    assert 1_772_409_600 <= min(times) <= max(times) < 1_772_409_600 + 86_400
    assert result.stderr == (
        f"{len(events)} events; --scenario {small} --seed 4 --start 1772409600 repeats them\n"
    )


def test_options_override_it(small: Path) -> None:
    whole = run("generate", "--scenario", small).stdout.splitlines()
    assert run("generate", "--scenario", small, "-n", 3).stdout.splitlines() == whole[:3]
    other = run("generate", "--scenario", small, "--seed", 5)
    assert "--seed 5 --start 1772409600" in other.stderr
    assert other.stdout.splitlines() != whole
    fewer = run("generate", "--scenario", small, "--users", 10).stdout.splitlines()
    assert 0 < len(fewer) < len(whole)
    assert set(fewer) <= set(whole)
    shorter = run("generate", "--scenario", small, "--until", "2026-03-02T12:00:00Z")
    assert whole[: len(shorter.stdout.splitlines())] == shorter.stdout.splitlines()
    ends = run("generate", "--scenario", small, "--event-type", "*.SessionEnd").stdout.splitlines()
    assert ends == [line for line in whole if '"users.behaviors.app.SessionEnd"' in line]
    later = run("generate", "--scenario", small, "--start", "2026-04-01")
    assert {json.loads(line)["time"] // 86_400 for line in later.stdout.splitlines()} == {20_544}
    assert run("generate", "--scenario", small, "--history", "clean").stdout.splitlines() != whole


def test_rate_overrides_that_of_the_file(small: Path) -> None:
    small.write_text(SMALL + "rate = 0.00005\n")
    low = run("generate", "--scenario", small)
    high = run("generate", "--scenario", small, "--rate", "0.0002")
    assert "users are active, for about 5e-05 events a second" in low.stderr
    assert len(high.stdout.splitlines()) > len(low.stdout.splitlines()) > 0


def test_quiet_needs_a_scenario() -> None:
    result = run("generate", "--until", "quiet", "-n", 3)
    assert result.exit_code == 2
    assert "there is nothing to wait for" in result.stderr


def test_answer_key_tells_disturbances(tmp_path: Path) -> None:
    key, output = tmp_path / "key.jsonl", tmp_path / "events.jsonl"
    result = run("generate", "--scenario", WELCOME, "--answer-key", key, "-o", output, "--json")
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert report["by_event_type"]["users.canvas.Entry"] >= 50
    entries = [json.loads(line) for line in key.read_bytes().splitlines()]
    records = [entry for entry in entries if "id" in entry]
    assert [record["id"] for record in records] == ids_in(output)
    kinds = [record.get("disturbance") for record in records]
    assert 50 < kinds.count("duplicate") < 250
    assert kinds.count("late") > 10


def test_samples_need_no_scenario(small: Path) -> None:
    result = run("generate", "--samples", "--scenario", small)
    assert result.exit_code == 2
    assert "it excludes --scenario" in words(result.stderr)


# Sending


def test_send_scenario(current: Callable[..., Path], tmp_path: Path) -> None:
    receiver = Receiver(bearer_tokens=[TOKEN])
    with listen(receiver) as url:
        where = current(url, bearer_token=TOKEN, include_anonymous=True)
        result = run("send", "--scenario", WELCOME, "--current", where)
    assert result.exit_code == 0
    output = tmp_path / "events.jsonl"
    run("generate", "--scenario", WELCOME, "-o", output)
    ids = ids_in(output)
    assert f"accepted {len(ids):,}, delivered {len(ids):,}, dropped 0" in result.stdout
    assert {each["id"] for each in receiver.events} == set(ids)
    assert receiver.counts.findings == ()
    assert f"'generate' with --scenario {WELCOME} --seed 6 --start 1772442000" in result.stderr


def test_options_of_sending_override_it(small: Path, current: Callable[..., Path]) -> None:
    options = ["--scenario", small, "--seed", 5, "--start", "2026-04-01", "--until", "2026-04-02"]
    made = run("generate", *options).stdout.splitlines()
    receiver = Receiver()
    with listen(receiver) as url:
        result = run("send", *options, "--current", current(url, include_anonymous=True))
    assert result.exit_code == 0
    assert {each["id"] for each in receiver.events} == {json.loads(line)["id"] for line in made}


def test_pace_is_kept(tmp_path: Path, current: Callable[..., Path]) -> None:
    path = tmp_path / "fast.toml"
    path.write_text("users = 30\nstart = 2026-03-02\nuntil = '3h'\n")
    with listen(Receiver()) as url:
        where = current(url, include_anonymous=True)
        result = run("send", "--scenario", path, "--pace", 20_000, "--json", "--current", where)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["delivered"] > 0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--seed", "1"], "--seed needs --scenario"),
        (["--until", "quiet"], "--until needs --scenario"),
        (["--pace", "1", "--scenario", WELCOME, "events.jsonl"], "it excludes files"),
        (["--pace", "0", "--scenario", WELCOME], "--pace is 0.0; it must be more than 0"),
    ],
)
def test_options_that_do_not_fit(
    args: list[object], message: str, current: Callable[..., Path]
) -> None:
    result = run("send", *args, "--current", current())
    assert result.exit_code == 2
    assert message in words(result.stderr)


def test_interrupt_ends_the_wait(start: Start, small: Path, current: Callable[..., Path]) -> None:
    """In real time, the next event may be hours away."""
    process = start("send", "--scenario", small, "--pace", 0.001, "--current", current(CLOSED))
    assert process.stderr is not None
    assert "prints these events" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    code, out, _ = ended(process)
    assert code == 130
    assert "delivered 0" in out


def test_rest_is_not_generated(tmp_path: Path, current: Callable[..., Path]) -> None:
    """Where nobody takes events, an endless scenario ends all the same."""
    path, pending = tmp_path / "endless.toml", tmp_path / "pending.jsonl"
    path.write_text("users = 50\nstart = 2026-03-02\n")
    options = ["--give-up-after", 0.3, "--pending", pending]
    result = run("send", "--scenario", path, *options, "--current", current(CLOSED))
    assert result.exit_code == 1
    assert len(ids_in(pending)) > 10
