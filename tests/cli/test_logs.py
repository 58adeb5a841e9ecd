"""Logs of commands."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from currents_export.cli._app import COMMANDS
from currents_export.receiver import Receiver, ScriptedResponse, listen
from tests.cli.support import run
from tests.support.currents import TOKEN
from tests.support.events import OPEN, make_events


@pytest.fixture
def send(file: Callable[..., Path], current: Callable[..., Path]) -> Callable[..., Any]:
    """Return a function that sends three events to a receiver that fails first."""

    def call(*options: str) -> Any:
        receiver = Receiver(bearer_tokens=[TOKEN], script=[ScriptedResponse(503)])
        with listen(receiver) as url:
            where = current(url, bearer_token=TOKEN)
            return run("send", file("events.jsonl", make_events(3)), "--current", where, *options)

    return call


def test_nothing_by_default(send: Callable[..., Any]) -> None:
    result = send()
    assert result.stderr.splitlines() == ["503: scripted; retrying"]


def test_lines_for_people(send: Callable[..., Any]) -> None:
    result = send("-v")
    (line,) = [each for each in result.stderr.splitlines() if " info " in each]
    assert " info delivery closed: <Sender of 'test' to http" in line
    assert " debug " not in result.stderr


def test_details_as_json(send: Callable[..., Any]) -> None:
    result = send("-vv", "--log-json")
    records = [json.loads(line) for line in result.stderr.splitlines() if line.startswith("{")]
    attempts = [each for each in records if each["event"] == "attempt"]
    assert [each["status"] for each in attempts] == [503, 200]
    assert attempts[0]["event_type"] == OPEN
    assert attempts[0]["action"] == "retry"
    assert {each["logger"] for each in records} == {
        f"currents_export.{room}" for room in ("cli", "delivery", "receiver")
    }
    closed = records[-1]
    assert (closed["event"], closed["level"], closed["delivered"]) == ("closed", "info", 3)
    assert closed["time"].endswith("Z")
    assert TOKEN not in result.stderr


def test_json_without_details(send: Callable[..., Any]) -> None:
    events = [json.loads(line)["event"] for line in send("--log-json").stderr.splitlines()[1:]]
    assert events == ["closed"]


def test_logging_is_restored(send: Callable[..., Any]) -> None:
    logger = logging.getLogger("currents_export")
    level = logger.level
    send("-vv")
    assert logger.level == level
    assert {type(each) for each in logger.handlers} == {logging.NullHandler}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_the_options(command: str) -> None:
    result = run(command, "--help")
    assert "--log-json" in result.stdout
    assert "-v" in result.stdout


def test_notice_and_drop_have_fields(caplog: pytest.LogCaptureFixture) -> None:
    from currents_export.delivery import Sender
    from tests.support.currents import custom
    from tests.support.events import event
    from tests.support.servers import Responding

    caplog.set_level(logging.DEBUG, logger="currents_export.delivery")
    statuses = iter([400, 400, 401])
    with Sender(custom(), transport=Responding(lambda _: next(statuses))) as sender:
        sender.send(event(1))
        sender.flush()
        sender.send(event(2))
        sender.flush()
        sender.close(timeout=0)
    fields = {each.event: each.fields for each in caplog.records}  # type: ignore[attr-defined]
    assert fields["dropped"]["id"] == event(1).id
    assert fields["dropped"]["reason"] == "rejected_alone"
    assert fields["notice"]["kind"] == "paused"
    assert fields["closed"]["pending"] == 1
