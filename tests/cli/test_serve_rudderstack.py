"""`serve` as a stand-in for RudderStack, and as a consumer of its webhook destination."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from currents_export.receiver import WebhookDestination, listen
from tests.cli.support import PATIENCE, run, words
from tests.cli.test_serve import post, serve
from tests.support.currents import TOKEN, WRITE_KEY
from tests.support.events import CLICK, OPEN, event
from tests.support.gateways import WEBHOOK, without_user
from tests.support.receivers import bearer, body


def test_rudderstack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mapping = tmp_path / "mapping.json"
    mapping.write_text(json.dumps({OPEN: "Email Opened"}), "utf-8")
    captured = tmp_path / "messages.jsonl"
    responses: list[httpx.Response] = []
    consumer = WebhookDestination()

    def visit(url: str) -> None:
        webhook = f"{url}{WEBHOOK}"
        responses.extend(
            [
                post(f"{url}/v1/webhook", event(1)),
                post(f"{url}/v1/webhook?writeKey=off", event(1)),
                post(webhook, event(1)),  # scripted
                post(webhook, event(1)),  # the transformer fails
                post(webhook),
                httpx.post(webhook, content=body(event(1), event(2, CLICK), without_user())),
                post(webhook, event(3), event(4)),
                post(webhook, event(5), event(6)),
            ]
        )

    with listen(consumer) as hook:
        result, _ = serve(
            *("--rudderstack", "--write-key", WRITE_KEY, "--disabled-key", "off"),
            *("--mapping", mapping, "--capture", captured, "--forward", hook),
            *("--rate-limit", 5, "--suppress", "user-4", "--script", "502"),
            *("--transformer", "503", "--quiet"),
            visit=visit,
            monkeypatch=monkeypatch,
            by=signal.SIGINT,
        )
    assert (result.exit_code, result.stderr) == (0, "")
    statuses = [each.status_code for each in responses]
    # The request without credentials gets the scripted response.
    assert statuses == [502, 404, 500, 200, 400, 200, 200, 429]
    messages = [orjson.loads(line) for line in captured.read_bytes().splitlines()]
    assert [each["event"] for each in messages] == ["Email Opened"] * 2 + [CLICK, "Email Opened"]
    assert len(consumer.messages) == 4
    _, _, requests, events, forwarded, header, row = result.stdout.splitlines()
    assert requests == "8 requests: 3 x 200, 1 x 400, 1 x 404, 1 x 429, 1 x 500, 1 x 502"
    assert events == "6 events: 4 messages (1 duplicate), 1 vanished, 1 suppressed"
    assert forwarded == "forwarded: 4 delivered, 0 given up, 0 not delivered yet"
    assert header.split() == ["count", "why", "events", "vanished"]
    assert row.split(maxsplit=1) == ["1", "user_id and external_user_id are missing or empty"]


def test_rudderstack_json(monkeypatch: pytest.MonkeyPatch) -> None:
    result, url = serve(
        *("--rudderstack", "--json"),
        visit=lambda url: post(f"{url}/v1/webhook?writeKey=any", event(1)),
        monkeypatch=monkeypatch,
        by=signal.SIGTERM,
    )
    first, last = map(json.loads, result.stdout.splitlines())
    assert first == {"url": url, "page": f"{url}/"}
    assert (last["requests"], last["messages"], last["vanished"]) == (1, 1, {})


def test_destination(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    captured = tmp_path / "messages.jsonl"
    message: dict[str, Any] = {"event": "Opened", "messageId": "1"}
    statuses = []

    def visit(url: str) -> None:
        for headers in ({}, bearer(TOKEN), bearer(TOKEN)):
            content = orjson.dumps(message)
            response = httpx.post(url, content=content, headers=headers, timeout=PATIENCE)
            statuses.append(response.status_code)

    result, _ = serve(
        *("--destination", "--bearer-token", TOKEN, "--capture", captured, "--quiet"),
        visit=visit,
        monkeypatch=monkeypatch,
        by=signal.SIGINT,
    )
    assert statuses == [401, 200, 200]
    assert [*map(orjson.loads, captured.read_bytes().splitlines())] == [message, message]
    assert result.stdout.splitlines()[2:] == [
        "3 requests: 2 x 200, 1 x 401",
        "2 messages, 1 duplicate",
    ]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--rudderstack", "--destination"], "--rudderstack and --destination exclude each other"),
        (["--rudderstack", "--strict"], "--strict does not go with --rudderstack"),
        (["--rudderstack", "--max-body-bytes", "9"], "--max-body-bytes does not go with"),
        (["--destination", "--catalog", "."], "--catalog does not go with --destination"),
        (["--destination", "--rate-limit", "9"], "--rate-limit needs --rudderstack"),
        (["--mapping", "x"], "--mapping needs --rudderstack"),
        (["--rudderstack", "--mapping", "none"], "none: No such file"),
        (["--rudderstack", "--rate-limit", "0"], "--rate-limit"),
        (["--rudderstack", "--forward", "x"], "forward: it is not a URL"),
        (["--rudderstack", "--transformer", "x"], "'x' is not a response"),
    ],
)
def test_bad_values(
    args: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("serve", "--port", 0, *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in words(result.stderr)
