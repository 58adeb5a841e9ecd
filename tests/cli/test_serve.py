from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
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
from tests.support.receivers import connect


def serve(
    *args: object, visit: Callable[[str], object], monkeypatch: pytest.MonkeyPatch, by: int
) -> tuple[Result, str]:
    """Run `serve`, visit it, send the signal `by`, and return the result and the URL."""
    urls = []
    main_thread = threading.main_thread().ident
    assert main_thread is not None

    def visit_and_signal(url: str) -> None:
        try:
            visit(url)
        finally:
            signal.pthread_kill(main_thread, by)

    @contextmanager
    def visited(receiver: Receiver, **options: Any) -> Iterator[str]:
        with listen(receiver, **options) as url:
            urls.append(url)
            visitor = threading.Thread(target=visit_and_signal, args=(url,))
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
    first, page, sent, empty, requests, events, header, *rows, more = result.stdout.splitlines()
    assert first == f"listening on {url}; interrupt to stop (Ctrl-C)"
    assert page == f"watch what arrives at {url}/"
    assert "  200  " in sent
    assert "3 events" in sent
    assert "0 events" in empty
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
    assert first == {"url": url, "page": f"{url}/"}
    assert (last["requests"], last["events"], last["errors"]) == (6, 2, 1)


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    responses: list[bytes] = []

    def visit(url: str) -> None:
        half = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"
        with connect(url) as first, connect(url) as second:
            first.sendall(half)
            second.sendall(half)
            responses.extend(each.makefile("rb").readline() for each in (second, first))

    result, _ = serve(
        *("--request-timeout", 0.05, "--max-connections", 1),
        visit=visit,
        monkeypatch=monkeypatch,
        by=signal.SIGINT,
    )
    assert (result.exit_code, result.stderr) == (0, "")
    assert [each.split()[1] for each in responses] == [b"503", b"408"]
    assert "1 request: 1 x 408\n" in result.stdout


def test_default_body_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    def visit(url: str) -> None:
        with connect(url) as raw:
            raw.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 16777217\r\n\r\n")
            assert raw.recv(65_536).startswith(b"HTTP/1.1 413 ")

    result, _ = serve(visit=visit, monkeypatch=monkeypatch, by=signal.SIGINT)
    assert "1 request: 1 x 413\n" in result.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit of descriptors")
def test_half_requests_and_few_descriptors(tmp_path: Path) -> None:
    limited = f'ulimit -n 128 && exec "{sys.executable}" -m currents_export serve --port 0 --json'
    with (
        (tmp_path / "errors").open("wb") as errors,
        subprocess.Popen(["sh", "-c", limited], stdout=subprocess.PIPE, stderr=errors) as process,
        ExitStack() as stack,
    ):
        assert process.stdout is not None
        try:
            url = json.loads(process.stdout.readline())["url"]
            for _ in range(300):
                raw = stack.enter_context(connect(url))
                # The receiver may have closed the connection.
                with suppress(ConnectionError):
                    raw.sendall(b"POST / HTTP/1.1\r\nContent-Length: 99\r\nHost: ")
            assert not is_accepted(url)
            stack.close()
            assert any(is_accepted(url) for _ in range(1_000))
        finally:
            process.send_signal(signal.SIGTERM)
        assert json.loads(process.stdout.read())["by_status"] == {"200": 1}
    assert process.returncode == 0
    assert (tmp_path / "errors").read_bytes() == b""


def is_accepted(url: str) -> bool:
    """Post a request; return whether the receiver has room for it."""
    try:
        status = httpx.post(url, timeout=PATIENCE).status_code
    except (httpx.NetworkError, httpx.RemoteProtocolError):
        return False
    assert status in (200, 503)
    return status == 200


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
    result, _ = serve("--quiet", visit=visit, monkeypatch=monkeypatch, by=signal.SIGINT)
    assert result.exit_code == 0
    assert sum(seen) == 3
    assert len(result.stdout.splitlines()) == 4  # two URLs and two lines of totals


def test_raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = tmp_path / "raw.jsonl"
    result, _ = serve(
        *("--raw", raw),
        visit=lambda url: post(url, event(1)),
        monkeypatch=monkeypatch,
        by=signal.SIGTERM,
    )
    assert result.exit_code == 0
    assert json.loads(raw.read_text())["events"][0]["id"] == event(1).id


def test_one_standard_output() -> None:
    result = run("serve", "--raw", "-", "--capture", "-")
    assert result.exit_code == 2
    assert "cannot both be standard output" in words(result.stderr)


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
        (["--request-timeout", "0"], "--request-timeout"),
        (["--request-timeout", "nan"], "--request-timeout"),
        (["--max-connections", "0"], "--max-connections"),
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


def test_page_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = []
    result, _ = serve(
        visit=lambda url: pages.append(httpx.get(f"{url}/")),
        monkeypatch=monkeypatch,
        by=signal.SIGINT,
    )
    assert result.exit_code == 0
    assert (pages[0].status_code, "<title>Receiver" in pages[0].text) == (200, True)


def test_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = []
    result, url = serve(
        "--no-page",
        visit=lambda url: pages.append(httpx.get(f"{url}/")),
        monkeypatch=monkeypatch,
        by=signal.SIGINT,
    )
    assert result.stdout.splitlines()[0] == f"listening on {url}; interrupt to stop (Ctrl-C)"
    assert "watch what arrives" not in result.stdout
    assert pages[0].status_code == 405


def test_page_for_all_machines_needs_a_token() -> None:
    result = run("serve", "--host", "0.0.0.0", "--port", 0)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "other machines could open the page on '0.0.0.0'" in words(result.stderr)
    assert "--page-token" in result.stderr


def test_short_page_token() -> None:
    result = run("serve", "--page-token", "short", "--port", 0)
    assert result.exit_code == 2
    assert "a page token must have at least 16 characters" in words(result.stderr)


def test_page_token_is_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    token = "a-long-page-token-for-tests"
    pages = []
    result, _ = serve(
        "--host",
        "0.0.0.0",
        "--page-token",
        token,
        visit=lambda url: pages.append(httpx.get(f"{url}/")),
        monkeypatch=monkeypatch,
        by=signal.SIGINT,
    )
    assert (result.exit_code, pages[0].status_code) == (0, 401)
    assert token not in result.output
    assert token not in pages[0].text
