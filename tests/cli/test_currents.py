from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from currents_export.receiver import Receiver, listen
from tests.cli.support import CLOSED, run
from tests.support.currents import TOKEN, WRITE_KEY
from tests.support.events import CLICK, OPEN

BAD_CURRENTS = [
    ("", ["integration_name: it is missing", "key: it is missing"]),
    ("integration_name = ", ["not TOML: "]),
    ("\x00", ["not TOML: "]),
    (b"\xff\xfe", ["not UTF-8 text"]),
    ("integration_name = 7\n", ["line 1: integration_name: it must be text, not int"]),
    ("endpoint = [1]\nevent_types = 7\n", ["endpoint: it must be text", "event_types: "]),
    ('event_types = ["users.messages.email.Opne"]', ["did you mean 'users.messages.email.Open'"]),
    ('endpoint = "ftp://x/"', ["endpoint: it must be an https URL"]),
    ('endpoint = "http://example.com/"', ["plain HTTP exposes its secret"]),
    ('endpoint = "https://["', ["it is not a URL"]),
    ('endpoint = "not a URL"', ["it is not a URL"]),
    (f'endpoint = "https://u:{TOKEN}@h:x/"', ["it is not a URL"]),
    (f'key = "{WRITE_KEY}"', ["it must be the whole webhook URL"]),
    (f'bearer_token = "{TOKEN} "', ["RFC 6750"]),
    ("endpiont = 1", ["there is no such field; did you mean 'endpoint'?"]),
    ("schema_version = 99", ["schema version 99 is not known"]),
]


@pytest.mark.parametrize("command", ["send", "test", "check"])
@pytest.mark.parametrize(("text", "says"), BAD_CURRENTS)
def test_bad_current(
    command: str, text: str | bytes, says: list[str], file: Callable[..., Path]
) -> None:
    path = file("current.toml", text)
    result = run(command, "--current", path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: {path}: ")
    for each in says:
        assert each in result.stderr


@pytest.mark.parametrize("command", ["send", "test", "check"])
def test_missing_current(command: str, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.toml"):
        result = run(command, "--current", path)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith(f"error: {path}: cannot be read: ")
    nothing = run(command)
    assert nothing.exit_code == 2
    assert nothing.stderr.startswith("error: there is no Current: --current FILE names")


def test_environment_overrides_file(
    current: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = Receiver(bearer_tokens=[TOKEN])
    with listen(receiver) as url:
        where = current(CLOSED, bearer_token="wrong")
        monkeypatch.setenv("CURRENTS_EXPORT_ENDPOINT", url)
        assert run("check", "--current", where).exit_code == 1
        monkeypatch.setenv("CURRENTS_EXPORT_BEARER_TOKEN", TOKEN)
        assert run("check", "--current", where).exit_code == 0
        monkeypatch.setenv("CURRENTS_EXPORT_EVENT_TYPES", f"{OPEN},{CLICK}")
        assert run("test", "--current", where).exit_code == 0
    assert receiver.counts.by_event_type == {CLICK: 1, OPEN: 1}


def test_environment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    with listen(Receiver(write_keys=[WRITE_KEY])) as url:
        for name, value in {
            "INTEGRATION_NAME": "test",
            "CONTACT_EMAIL": "qa@example.com",
            "KEY": f"{url}/v1/webhook?writeKey={WRITE_KEY}",
            "REGION": "eu",
        }.items():
            monkeypatch.setenv(f"CURRENTS_EXPORT_{name}", value)
        assert run("check").exit_code == 0
        monkeypatch.setenv("CURRENTS_EXPORT_KEY", f"{url}/v1/webhook?writeKey={WRITE_KEY}x")
        wrong = run("check")
    assert wrong.exit_code == 1
    monkeypatch.setenv("CURRENTS_EXPORT_SCHEMA_VERSION", "new")
    bad = run("check")
    assert bad.exit_code == 2
    assert "CURRENTS_EXPORT_SCHEMA_VERSION: schema_version: it must be a whole number" in bad.stderr
