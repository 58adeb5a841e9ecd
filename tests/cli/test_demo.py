from __future__ import annotations

import json
import re
import signal
import threading
import time
from typing import Any

import httpx
import pytest

from currents_export.catalog import Catalog
from currents_export.cli import _kept, demo
from currents_export.cli._app import COMMANDS
from currents_export.receiver import Receiver, ScriptedResponse, listen
from currents_export.simulation import World
from tests.cli.support import CLOSED, PATIENCE, run
from tests.support.currents import custom


def test_demo() -> None:
    result = run("demo")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "503: scripted" in result.stdout
    assert "sent again later" in result.stdout
    count = len(Catalog.load().event_types)
    assert f"accepted {count}, delivered {count}, dropped 0, filtered 0, pending 0" in result.stdout
    assert f"{count + 1} events, 1 duplicate; 0 conformance errors, 0 warnings" in result.stdout
    assert "0 delivered events missing there\n" in result.stdout
    event, journey, faults, report, tries = (
        result.stdout.index(each)
        for each in (
            '"event_type": "users.messages.email.Open"',
            "The journey that it belongs to, abandoned-cart:",
            "What failed, and what the sender did:",
            "What the receiver reports:",
            "What to try next:",
        )
    )
    assert event < journey < faults < report < tries


def test_suggested_commands_exist() -> None:
    shown = run("demo").stdout
    suggested = re.findall(r"^  currents-export (\w+)", shown, re.MULTILINE)
    assert len(suggested) == 5
    assert set(suggested) <= set(COMMANDS)


def test_demo_ignores_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", CLOSED)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    report = json.loads(run("demo", "--json", "--seed", 2).stdout)
    assert (report["pending"], report["missing"]) == (0, 0)
    assert report["received"]["duplicates"] == 1
    assert {each["attempt"] for each in report["faults"]} == {1, 2}


def test_demo_needs_no_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/gone.pem")
    result = run("demo")
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.parametrize("status", [400, 401])
def test_failed_demo(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "_FAULTS", [ScriptedResponse(status, times=None)])
    result = run("demo")
    assert result.exit_code == 1
    assert f"accepted {len(Catalog.load())}, delivered 0" in result.stdout
    assert ("the Current is paused: 401" in result.stdout) is (status == 401)


def test_kept_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page shows the journeys and the sender's state until the demo is interrupted."""
    seen: list[dict[str, Any]] = []
    main_thread = threading.main_thread().ident
    assert main_thread is not None

    def watch(url: str) -> None:
        try:
            deadline = time.monotonic() + PATIENCE
            with httpx.stream("GET", f"{url}/_page/api/stream", timeout=PATIENCE) as stream:
                for line in stream.iter_lines():
                    if line:
                        seen.append(json.loads(line.removeprefix("data: ")))
                        health = seen[-1]["health"]
                        if health.get("delivered") or time.monotonic() > deadline:
                            return
        finally:
            signal.pthread_kill(main_thread, signal.SIGINT)

    def sent(*args: Any, **options: Any) -> None:
        receiver_url = args[1].endpoint.removesuffix("/currents")
        watcher = threading.Thread(target=watch, args=(receiver_url,))
        watcher.start()
        _kept.send_journeys(*args, **options)
        watcher.join()

    monkeypatch.setattr(_kept, "_PAUSE", 0.01)
    monkeypatch.setattr(demo, "send_journeys", sent)
    result = run("demo", "--keep")
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.search(r"watch what arrives at http://127\.0\.0\.1:\d+/\n$", result.stdout)
    assert seen[-1]["health"]["state"] == "active"
    assert seen[-1]["health"]["delivered"] > 0
    assert seen[-1]["events"] > len(Catalog.load())


def test_paused_current_of_kept_demo_is_resumed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_kept, "_PAUSE", 0.01)
    monkeypatch.setattr(_kept, "_RESUME_AFTER", 0.05)
    receiver = Receiver(script=[ScriptedResponse(401)])
    stop = threading.Event()
    health = _kept.SenderHealth()
    assert health() == {"state": "waiting"}
    states = set()

    def look() -> None:
        states.add(health()["state"])
        if receiver.counts.by_status.get("200") or time.monotonic() > deadline:
            stop.set()

    deadline = time.monotonic() + PATIENCE
    with listen(receiver) as url:
        _kept.send_journeys(World(1, users=20), custom(url), health, stop, seed=1, after_each=look)
    assert {"active", "paused"} <= states
    assert receiver.counts.events > 0
