from __future__ import annotations

import json
import re

import pytest

from currents_export.catalog import Catalog
from currents_export.cli import demo
from currents_export.cli._app import COMMANDS
from currents_export.receiver import ScriptedResponse
from tests.cli.support import CLOSED, run


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
