from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from currents_export.catalog import Catalog
from currents_export.receiver import Receiver, ScriptedResponse, listen
from tests.cli.support import run
from tests.support.currents import TOKEN, WRITE_KEY


def test_one_event_per_selected_type(current: Callable[..., Path]) -> None:
    receiver = Receiver()
    with listen(receiver) as url:
        where = current(url, event_types=["users.messages.email.*"])
        result = run("test", "--current", where, "--seed", 1)
        as_json = run("test", "--current", where, "--seed", 1, "--json")
    count = len(Catalog.load().select("users.messages.email.*"))
    assert (result.exit_code, as_json.exit_code) == (0, 0)
    assert f"accepted {count}, delivered {count}," in result.stdout
    assert json.loads(as_json.stdout)["delivered"] == count
    assert receiver.counts.findings == ()
    assert set(receiver.counts.by_event_type.values()) == {2}


def test_option_of_send_is_not_advised(current: Callable[..., Path]) -> None:
    result = run("test", "--current", current(), "--give-up-after", 0.2)
    assert result.exit_code == 1
    assert "--pending" not in result.output


def test_rudderstack_gets_external_user_ids(current: Callable[..., Path]) -> None:
    receiver = Receiver(write_keys=[WRITE_KEY])
    with listen(receiver) as url:
        key = f"{url}/v1/webhook?writeKey={WRITE_KEY}"
        result = run("test", "--current", current(key=key, region="US"))
    assert result.exit_code == 0
    has_one = {
        each.name
        for each in Catalog.load().event_types
        if any(field.path == "user.external_user_id" for field in each.fields.values())
    }
    assert set(receiver.counts.by_event_type) == has_one
    assert "dropped 0, filtered 2, pending 0" in result.stdout


@pytest.mark.parametrize(
    ("script", "holds", "code", "says"),
    [
        ([], True, 0, "the credentials are valid"),
        ([ScriptedResponse(401)], False, 1, "the URL or the credentials are wrong (401: scripted)"),
        ([ScriptedResponse(404)], False, 1, "the URL or the credentials are wrong"),
        (
            [ScriptedResponse(503)],
            None,
            1,
            "whether the credentials are valid (503: scripted)",
        ),
        (
            [ScriptedResponse("reset")],
            None,
            1,
            "the response does not show whether the credentials are valid (network error: ",
        ),
    ],
)
def test_check(
    script: list[ScriptedResponse],
    holds: bool | None,
    code: int,
    says: str,
    current: Callable[..., Path],
) -> None:
    with listen(Receiver(script=script * 2)) as url:
        where = current(url, bearer_token=TOKEN)
        result, as_json = (
            run("check", "--current", where),
            run("check", "--current", where, "--json"),
        )
    assert (result.exit_code, as_json.exit_code) == (code, code)
    assert says in result.stdout
    assert json.loads(as_json.stdout)["holds"] is holds


def test_check_at_a_closed_port(current: Callable[..., Path]) -> None:
    result = run("check", "--current", current())
    assert result.exit_code == 1
    assert result.stdout.startswith(
        "the response does not show whether the credentials are valid (network error: "
    )
