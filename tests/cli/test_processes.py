from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from currents_export.delivery import Backoff, Hooks, Sender
from currents_export.events import Event
from currents_export.payload import encode_event
from currents_export.reading import Located, read_path
from currents_export.receiver import Receiver, ScriptedResponse, listen
from tests.cli.processes import PATIENCE, Start, ended, line_of, on_a_terminal
from tests.support.currents import TOKEN, WRITE_KEY, custom
from tests.support.events import event

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and pseudo-terminals")


def test_demo(start: Start) -> None:
    code, out, err = ended(start("demo", "--json"))
    report = json.loads(out)
    assert (code, err) == (0, "")
    assert report["accepted"] == report["delivered"] + report["dropped"] + report["pending"] > 0
    assert (report["pending"], report["missing"]) == (0, 0)
    assert report["received"]["duplicates"] == 1


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_send_to_serve(
    by: signal.Signals,
    start: Start,
    current: Callable[..., Path],
    events: Callable[[int], Path],
    tmp_path: Path,
) -> None:
    capture = tmp_path / "capture.jsonl"
    options = ("--port", 0, "--bearer-token", TOKEN, "--write-key", WRITE_KEY)
    serving = start("serve", "--json", *options, "--capture", capture)
    url = line_of(serving)["url"]
    code, out, err = ended(
        start("send", events(250), "--current", current(url, bearer_token=TOKEN), "--json")
    )
    assert (code, err) == (0, "")
    assert json.loads(out)["delivered"] == 250
    counts = httpx.get(f"{url}/counts", params={"writeKey": WRITE_KEY})
    assert counts.json()["events"] == 250
    serving.send_signal(by)
    code, out, err = ended(serving)
    assert (code, err) == (0, "")
    assert json.loads(out)["events"] == 250
    assert len(capture.read_bytes().splitlines()) == 250
    assert TOKEN not in out
    assert WRITE_KEY not in out


def test_serve_prints_its_url(start: Start) -> None:
    serving = start("serve", "--port", 0)
    assert serving.stdout is not None
    first = serving.stdout.readline()
    assert first.startswith("listening on http://127.0.0.1:")
    assert serving.stdout.readline().startswith("watch what arrives at http://127.0.0.1:")
    serving.send_signal(signal.SIGINT)
    code, out, err = ended(serving)
    assert (code, err) == (0, "")
    assert out.startswith("0 requests\n")


def test_capture_on_standard_output(start: Start) -> None:
    serving = start("serve", "--port", 0, "--capture", "-", "--json")
    assert serving.stderr is not None
    url = json.loads(serving.stderr.readline())["url"]
    for number in (1, 2):
        content = b'{"events": [%s]}' % encode_event(event(number))
        assert httpx.post(url, content=content).status_code == 200
        assert line_of(serving) == event(number).to_dict()
    serving.send_signal(signal.SIGTERM)
    code, out, err = ended(serving)
    assert (code, out, json.loads(err)["events"]) == (0, "", 2)


def test_serve_stops_during_a_delay(start: Start, tmp_path: Path) -> None:
    capture = tmp_path / "capture"
    os.mkfifo(capture)
    args = ("--port", 0, "--json", "--script", "ok,delay=1000", "--capture", capture)
    serving = start("serve", *args)
    with capture.open("rb") as captured:
        port = int(line_of(serving)["url"].rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as waiting:
            content = b'{"events":[7]}'
            head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n\r\n"
            waiting.sendall(head.encode() + content)
            # The delay begins after the events were captured.
            assert captured.readline() == b"7\n"
            serving.send_signal(signal.SIGTERM)
            code, out, err = ended(serving)
    assert (code, err) == (0, "")
    assert json.loads(out)["by_status"] == {"reset": 1}


def test_batch_leaves_at_max_age(start: Start, current: Callable[..., Path]) -> None:
    came = threading.Event()

    async def note(_: float) -> None:
        came.set()

    receiver = Receiver(script=[ScriptedResponse("ok", delay=1)], sleep=note)
    with listen(receiver) as url:
        args = ("--current", current(url), "--max-age", 0.05, "--json")
        sending = start("send", *args, stdin=subprocess.PIPE)
        assert sending.stdin is not None
        sending.stdin.write(encode_event(event()).decode() + "\n")
        sending.stdin.flush()
        assert came.wait(PATIENCE)
        code, out, err = ended(sending)
    assert (code, err, json.loads(out)["delivered"]) == (0, "", 1)


@pytest.mark.parametrize("args", [("generate", "-n", "20000"), ("events", "--fields"), ("demo",)])
def test_closed_pipe_is_quiet(args: tuple[str, ...], start: Start) -> None:
    process = start(*args)
    assert process.stdout is not None
    assert process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    process.wait(PATIENCE)
    assert "Traceback" not in err
    assert "Exception" not in err
    assert "Errno" not in err


def test_redirected_results_on_a_terminal(start: Start, tmp_path: Path) -> None:
    path, results = tmp_path / "events.jsonl", tmp_path / "results"
    path.write_bytes(encode_event(event(0, unknown=1)))
    with results.open("w") as file:
        code, shown = on_a_terminal(start, "validate", path, stdout=file)
    assert code == 0
    assert results.read_text().startswith(f"{path}:1: warning: ")
    assert "checking events" in shown
    assert "1 event checked" in shown
    assert "warning: " not in shown


def test_events_without_progress(start: Start) -> None:
    code, shown = on_a_terminal(start, "generate", "-n", 3)
    assert code == 0
    assert "\x1b" not in shown
    *lines, last = shown.splitlines()
    assert [json.loads(line)["time"] > 0 for line in lines] == [True] * 3
    assert last.startswith("3 events; --seed ")


def captured_ids(path: Path) -> set[str]:
    items = [item for item in read_path(path) if isinstance(item, Located)]
    return {each.value["id"] for each in items if isinstance(each.value, dict)}


def test_receiver_is_killed(start: Start, tmp_path: Path) -> None:
    capture = tmp_path / "capture.jsonl"
    first = start("serve", "--json", "--port", 0, "--capture", capture)
    url = line_of(first)["url"]
    delivered: list[str] = []

    def kill(_: str, ids: tuple[str, ...]) -> None:
        delivered.extend(ids)
        if len(delivered) >= 1_000:
            first.kill()

    def stream() -> Iterator[Event]:
        for number in range(5_000):
            if number == 2_500:  # half of the events are left
                first.wait(PATIENCE)
                args = ("--json", "--port", url.rpartition(":")[2], "--capture", capture)
                assert line_of(start("serve", *args))["url"] == url
            yield event(number)

    with Sender(
        custom(url), wait=Backoff(0.01, 0.05), hooks=Hooks(on_delivered=kill), batch_size=50
    ) as sender:
        sender.send(stream())
    result = sender.result
    assert first.returncode == -signal.SIGKILL
    assert result.accepted == result.delivered == 5_000
    assert result.retries > 0
    assert {event(number).id for number in range(5_000)} <= captured_ids(capture)
