"""The command that hears of notices."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from currents_export.delivery import AsyncSender, ManualClock, NoticeKind, Sender
from currents_export.errors import CurrentsExportError
from tests.support.currents import TOKEN, custom
from tests.support.events import event
from tests.support.senders import HookLog, abandoned
from tests.support.servers import Responding

_SCRIPT = """
import json, os, sys
facts = {k: v for k, v in os.environ.items() if k.startswith("CURRENTS_NOTICE_")}
print("on standard output")
with open(sys.argv[1], "a") as file:
    file.write(json.dumps([sys.stdin.read(), facts]) + "\\n")
"""


def heard(path: Path) -> list[tuple[str, dict[str, str]]]:
    return [tuple(json.loads(line)) for line in path.read_text().splitlines()]


def test_script_hears_of_pause_and_resume(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a b; c.jsonl"
    current = custom(bearer_token=TOKEN, notice_command=[sys.executable, "-c", _SCRIPT, str(path)])
    statuses = iter([401])
    with Sender(current, transport=Responding(lambda _: next(statuses, 200))) as sender:
        sender.send(event(1))
        sender.flush()
        sender.resume()
    (paused, facts), (resumed, _) = heard(path)
    assert paused.startswith("The Current test: paused; nothing is sent until it is resumed.\n")
    for line in ("Reason: 401", "Since: ", "What to do: "):
        assert f"\n{line}" in paused
    assert resumed.startswith("The Current test: resumed")
    assert facts["CURRENTS_NOTICE_KIND"] == "paused"
    assert facts["CURRENTS_NOTICE_REASON"] == "401"
    assert facts["CURRENTS_NOTICE_CONTACT_EMAIL"] == "qa@example.com"
    assert TOKEN not in path.read_text()
    assert capfd.readouterr().out == ""


def test_since_is_the_first_failure(tmp_path: Path, log: HookLog) -> None:
    clock = ManualClock(skip=3600)
    with abandoned(
        Sender(custom(), transport=Responding(lambda _: 503), clock=clock, hooks=log.hooks)
    ) as sender:
        sender.send(event(1))
        sender.flush()
        began = log.attempts[0].at
    kinds = [NoticeKind.ALARM, NoticeKind.DISABLED]
    assert log.kinds[:2] == kinds
    assert [each.since for each in log.notices[:2]] == [began, began]


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ([sys.executable, "-c", "raise SystemExit(3)"], "failed with exit code 3"),
        (["/no/such/program"], "cannot be run: No such file"),
        (["https://hooks.example/?key=QZXsecret"], "cannot be run"),
    ],
)
def test_failure_is_logged_and_counted(
    command: list[str], problem: str, caplog: pytest.LogCaptureFixture, ok: Responding
) -> None:
    with Sender(custom(notice_command=command), transport=ok) as sender:
        sender.pause()
        result = sender.flush()
        sender.resume()
    assert result.hook_failures == 1
    errors = [each.exc_info[1] for each in caplog.records if each.exc_info]
    assert isinstance(errors[0], CurrentsExportError)
    assert problem in str(errors[0])
    assert "QZX" not in caplog.text


def test_loop_goes_on(ok: Responding) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(0.2)"]

    async def main() -> int:
        beats = 0
        async with AsyncSender(custom(notice_command=command), transport=ok) as sender:
            await sender.pause()
            flush = asyncio.create_task(sender.flush())
            while not flush.done():
                await asyncio.sleep(0.001)
                beats += 1
        return beats

    assert asyncio.run(main()) > 10
