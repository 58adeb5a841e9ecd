from __future__ import annotations

import json
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from typer.testing import Result

from currents_export.cli import serve as serve_command
from currents_export.errors import SenderClosedError
from currents_export.events import Event
from currents_export.receiver import Receiver, listen
from tests.cli.support import PATIENCE, ids_in, run, words
from tests.support.currents import TOKEN, WRITE_KEY
from tests.support.events import event, make_events


def serve(
    *args: object, visit: Callable[[str], object], monkeypatch: pytest.MonkeyPatch, by: int
) -> tuple[Result, str]:
    """What `serve` says when it is visited and then gets the signal `by`; and its URL."""
    urls = []
    main_thread = threading.main_thread().ident
    assert main_thread is not None

    def come(url: str) -> None:
        try:
            visit(url)
        finally:
            signal.pthread_kill(main_thread, by)

    @contextmanager
    def visited(receiver: Receiver, **options: Any) -> Iterator[str]:
        with listen(receiver, **options) as url:
            urls.append(url)
            visitor = threading.Thread(target=come, args=(url,))
            visitor.start()
            yield url
            visitor.join()

    monkeypatch.setattr(serve_command, "listen", visited)
    result = run("serve", "--port", 0, *args)
    return result, urls[0]


BRAZE = {"Content-Type": "application/json", "Braze-Currents-Version": "1"}


def post(url: str, *events: Event, **options: Any) -> httpx.Response:
    content = orjson.dumps({"events": [each.to_dict() for each in events]})
    return httpx.post(url, content=content, headers=BRAZE | options, timeout=PATIENCE)


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_report(by: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(by)
    wrong: dict[str, Any] = {"email_address": 7} | {f"new_{n}": 1 for n in range(25)}

    def visit(url: str) -> None:
        post(url, event(1), event(1), event(2, **wrong))
        post(url)

    result, url = serve(visit=visit, monkeypatch=monkeypatch, by=by)
    assert (result.exit_code, result.stderr) == (0, "")
    first, requests, events, header, *rows, more = result.stdout.splitlines()
    assert first == f"listening on {url}; interrupt to stop (Ctrl-C)"
    assert requests == "2 requests: 2 x 200"
    assert events == "3 events, 1 duplicate; 1 conformance error, 25 warnings"
    assert header.split() == ["count", "level", "event", "type", "field", "finding"]
    assert len(rows) == 20
    assert more == "and 6 more kinds; --json has all of them"
    assert signal.getsignal(by) is before


def test_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    responses = []

    def visit(url: str) -> None:
        key = f"{url}/?writeKey={WRITE_KEY}"
        responses.extend(
            [
                post(key, event(1)),  # scripted
                post(key, event(1)),
                post(url, event(2)),
                post(url, event(2), Authorization=f"Bearer {TOKEN}"),
                post(key, event(3, email_address=7)),
                post(key, *make_events(20)),
            ]
        )

    path = tmp_path / "capture.jsonl"
    result, url = serve(
        *("--write-key", WRITE_KEY, "--bearer-token", TOKEN, "--script", "429,retry-after=2"),
        *("--strict", "--max-body-bytes", 2_000, "--capture", path, "--json"),
        visit=visit,
        monkeypatch=monkeypatch,
        by=signal.SIGTERM,
    )
    assert [each.status_code for each in responses] == [429, 200, 401, 200, 400, 413]
    assert responses[0].headers["retry-after"] == "2"
    assert ids_in(path) == [event(1).id, event(2).id]
    first, last = map(json.loads, result.stdout.splitlines())
    assert first == {"url": url}
    assert (last["requests"], last["events"], last["errors"]) == (6, 2, 1)


def test_progress_while_running(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = threading.Event()
    seen: list[int] = []

    @contextmanager
    def counting(_: str) -> Iterator[Callable[[int], None]]:
        def advance(count: int) -> None:
            seen.append(count)
            if sum(seen) == 3:
                counted.set()

        yield advance

    def visit(url: str) -> None:
        post(url, event(1), event(2), event(3))
        assert counted.wait(PATIENCE)

    monkeypatch.setattr(serve_command, "progress", counting)
    monkeypatch.setattr(serve_command, "_GLANCE", 0.01)
    result, _ = serve(visit=visit, monkeypatch=monkeypatch, by=signal.SIGINT)
    assert result.exit_code == 0
    assert sum(seen) == 3


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--script", "503,dely=1"], "there is no option 'dely'; did you mean 'delay'?"),
        (["--script", "503", "--script", "x"], "'x' is not a response"),
        (["--write-key", ""], "write_keys must be a list of non-empty strings"),
        (["--host", ".."], "cannot listen on '..': it is not a host name"),
        (["--host", "nowhere.invalid"], "cannot listen on 'nowhere.invalid'"),
        (["--port", "65536"], "--port"),
        (["--port", "http"], "--port"),
        (["--max-body-bytes", "0"], "--max-body-bytes"),
        (["--capture", "."], "the capture cannot be opened: "),
        (["--capture", "none/capture"], "none/capture: the capture cannot be opened: "),
    ],
)
def test_bad_values(
    args: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("serve", "--port", 0, *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in words(result.stderr)


def test_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "--port", port, "--capture", tmp_path / "capture")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"cannot listen on '127.0.0.1', port {port}: " in result.stderr


def test_secrets_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[dict[str, Any]] = []

    class Made(Receiver):
        def __init__(self, **options: Any) -> None:
            made.append(options)
            raise SenderClosedError("enough")

    monkeypatch.setattr(serve_command, "Receiver", Made)
    monkeypatch.setenv("CURRENTS_RECEIVER_WRITE_KEY", WRITE_KEY)
    monkeypatch.setenv("CURRENTS_RECEIVER_BEARER_TOKEN", TOKEN)
    assert run("serve").exit_code == 2
    assert [*made[0]["write_keys"], *made[0]["bearer_tokens"]] == [WRITE_KEY, TOKEN]
