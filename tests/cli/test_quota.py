"""The quota of a Test Current on the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from currents_export.receiver import Receiver, listen
from tests.cli.support import ids_in, run
from tests.support.events import make_events

RESETS = r"the quota resets at 20\d\d-\d\d-\d\d 00:00 UTC"


@pytest.fixture
def workspace(tmp_path: Path) -> dict[str, object]:
    """Return the fields of a Test Current of a workspace."""
    file = tmp_path / "workspaces.db"
    return {"test_current": True, "workspace": "staging", "workspace_file": str(file)}


def test_send_ends_at_the_quota(
    current: Callable[..., Path],
    events: Callable[[int], Path],
    workspace: dict[str, object],
    tmp_path: Path,
) -> None:
    receiver, left = Receiver(), tmp_path / "left.jsonl"
    with listen(receiver) as url:
        where = current(url, **workspace)
        checked = run("check", "--current", where)
        sent = run("send", events(1_600), "--current", where, "--pending", left)
        again = run("send", left, "--current", where, "--json")
        checked_json = run("check", "--current", where, "--json")
    assert re.search(
        f"^Test Current: 0 of 1,500 events are used today in the workspace staging; {RESETS}$",
        checked.stdout,
        re.MULTILINE,
    )
    assert sent.exit_code == again.exit_code == 1
    assert "accepted 1,600, delivered 1,500, dropped 0, filtered 0, pending 100" in sent.stdout
    assert re.search(
        f"Test Current: 1,500 of 1,500 events are used today in the workspace staging; {RESETS}\n"
        "nothing more is sent until the quota resets\n",
        sent.stdout,
    )
    assert "test: the quota of the Test Current is used up; nothing is sent" in sent.stderr
    assert ids_in(left) == [each.id for each in make_events(1_600)[1_500:]]
    result = json.loads(again.stdout)
    assert (result["delivered"], result["pending"], result["state"]) == (0, 100, "active")
    assert result["quota"] == json.loads(checked_json.stdout)["quota"]
    assert result["quota"] | {"resets_at": 0} == {
        "limit": 1_500,
        "used": 1_500,
        "resets_at": 0,
        "workspace": "staging",
    }
    assert result["quota"]["resets_at"] % 86_400 == 0


def test_outbox_keeps_the_rest(
    current: Callable[..., Path], events: Callable[[int], Path], tmp_path: Path
) -> None:
    outbox = tmp_path / "events.db"
    with listen(Receiver()) as url:
        where = current(url, test_current=True)
        sent = run("send", events(1_600), "--current", where, "--outbox", outbox)
        resumed = run("outbox", outbox, "--resume", "--current", where)
    assert sent.exit_code == resumed.exit_code == 1
    assert f"{outbox} keeps 100 events" in sent.stderr
    assert "delivered 0, dropped 0, filtered 0, pending 100" in resumed.stdout
    assert re.search(
        f"Test Current: 1,500 of 1,500 events are used today; {RESETS}", resumed.stdout
    )
    assert "delivered on this day in UTC: 1,500\n" in run("outbox", outbox).stdout


def test_check_explains_what_is_counted(current: Callable[..., Path]) -> None:
    with listen(Receiver()) as url:
        checked = run("check", "--current", current(url, test_current=True))
        other = run("check", "--current", current(url))
        other_json = run("check", "--current", current(url), "--json")
    assert "without a workspace, each process or outbox is counted by itself" in checked.stdout
    assert "Test Current" not in other.output
    assert json.loads(other_json.stdout)["quota"] is None


def test_input_ends_when_the_queue_is_full(
    current: Callable[..., Path], events: Callable[[int], Path], tmp_path: Path
) -> None:
    """A large file does not wait for midnight; what was not accepted is kept as well."""
    left = tmp_path / "left.jsonl"
    with listen(Receiver()) as url:
        where = current(url, test_current=True)
        sent = run("send", events(13_000), "--current", where, "--pending", left)
    assert sent.exit_code == 1
    assert "input events that were not accepted: " in sent.stdout
    assert ids_in(left) == [each.id for each in make_events(13_000)[1_500:]]


def test_damaged_workspace_file(
    current: Callable[..., Path], events: Callable[[int], Path], workspace: dict[str, object]
) -> None:
    Path(str(workspace["workspace_file"])).write_text("not SQLite")
    for command in (["check"], ["send", events(1)]):
        refused = run(*command, "--current", current(**workspace))
        assert refused.exit_code == 2
        assert f"error: {workspace['workspace_file']}: the file is not one of" in refused.stderr
