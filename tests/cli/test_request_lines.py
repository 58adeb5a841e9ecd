"""`serve` prints a line for each request, and can keep the bodies."""

from __future__ import annotations

import contextlib
import gzip
import io
import re
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from currents_export.cli._colors import has_colors, paint
from currents_export.cli._request_lines import RequestLines
from currents_export.errors import ReceiverError
from currents_export.payload import encode_body, encode_event
from currents_export.receiver import (
    Receiver,
    RudderStack,
    ScriptedResponse,
    WebhookDestination,
    listen,
)
from tests.cli.support import Terminal
from tests.support.currents import TOKEN
from tests.support.events import event, make_events

HEADERS = {"Content-Type": "application/json", "Braze-Currents-Version": "1"}
BODY = encode_body([encode_event(each) for each in make_events(2)])

Lines = Callable[..., list[str]]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """Return a function that posts bodies to a receiver, and returns what is printed."""

    def post(receiver: Receiver | RudderStack | WebhookDestination, *bodies: bytes) -> list[str]:
        watching = RequestLines.around(receiver, shows=True)
        with listen(receiver) as url, httpx.Client(trust_env=False) as client:
            for body in bodies:
                with contextlib.suppress(httpx.TransportError):  # a scripted reset
                    client.post(f"{url}/x", content=body, headers=HEADERS)
        watching.close()
        return capsys.readouterr().out.splitlines()

    return post


def test_line(lines: Lines) -> None:
    (line,) = lines(Receiver(), BODY)
    size = f"{len(BODY)} B" if len(BODY) < 1000 else f"{len(BODY) / 1000:.1f} kB"
    assert re.fullmatch(
        rf"\d\d:\d\d:\d\d  200  +2 events +{re.escape(size)} +\d+\.\d ms  "
        r"users\.messages\.email\.Open(  warning: .*)?",
        line,
    )


def test_several_types(lines: Lines) -> None:
    bodies = [b'{"event_type":"b"}', b'{"event_type":"a"}', b'{"event_type":"a"}', b"{}"]
    (line,) = lines(Receiver(check=False), encode_body(bodies))
    assert line.endswith("a and 2 more types")


def test_finding(lines: Lines) -> None:
    (line,) = lines(Receiver(), encode_body([b'{"event_type":"users.messages.email.Open"}']))
    assert re.search(r"error: \w+: .* \(and \d+ more\)$", line)


def test_refusal(lines: Lines) -> None:
    (line,) = lines(Receiver(bearer_tokens=[TOKEN]), BODY)
    assert "  401  " in line
    assert line.endswith("the write key or the bearer token is missing or unknown")


def test_script(lines: Lines) -> None:
    script = [ScriptedResponse(503), ScriptedResponse(500, keep=True), ScriptedResponse("reset")]
    unavailable, lost, reset = lines(Receiver(script=script), BODY, BODY, BODY)
    assert re.search(r"  503   +2 events .*  users.messages.email.Open  scripted$", unavailable)
    assert re.search(r"  500  .*  scripted, events taken$", lost)
    assert "  reset  " in reset


def test_hostile_text_cannot_move_the_cursor(lines: Lines) -> None:
    (line,) = lines(Receiver(check=False), encode_body([b'{"event_type":"a\\u001b[2J\\nb"}']))
    assert line.endswith("a?[2J?b")


@pytest.mark.parametrize("kind", [RudderStack, WebhookDestination])
def test_other_receivers(kind: type[RudderStack | WebhookDestination], lines: Lines) -> None:
    (line,) = lines(kind(), BODY)
    assert re.search(r"  404  .*  there is no such path$|  200  .*", line)


def test_counts_are_not_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    receiver = Receiver()
    RequestLines.around(receiver, shows=True)
    with listen(receiver) as url:
        assert httpx.get(f"{url}/counts", trust_env=False).status_code == 200
    assert capsys.readouterr().out == ""


def test_bodies_are_kept_as_they_came(tmp_path: Path) -> None:
    receiver, raw = Receiver(bearer_tokens=[TOKEN]), tmp_path / "raw"
    watching = RequestLines.around(receiver, shows=False, raw=str(raw))
    sent = [(b'{ "events" : [ ] }', {}), (gzip.compress(BODY), {"Content-Encoding": "gzip"})]
    accepted = {"Authorization": f"Bearer {TOKEN}"}
    with listen(receiver) as url:
        for body, headers in [*sent, (b"[", {})]:
            httpx.post(url, content=body, headers=headers | accepted, trust_env=False)
        httpx.post(url, content=BODY, trust_env=False)
    watching.close()
    assert raw.read_bytes() == b'{ "events" : [ ] }\n' + BODY + b"\n[\n"


def test_raw_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(ReceiverError, match="the raw file cannot be opened"):
        RequestLines.around(Receiver(), shows=False, raw=str(tmp_path))


def test_colors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert paint("x", "red", Terminal()) == "\x1b[31mx\x1b[0m"
    assert paint("x", "red", io.StringIO()) == "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert not has_colors(Terminal())


def test_a_closed_output_does_not_stop_the_receiver(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError(32, "Broken pipe")

    receiver = Receiver()
    RequestLines.around(receiver, shows=True)
    with listen(receiver) as url:
        monkeypatch.setattr(sys, "stdout", Closed())
        statuses = [
            httpx.post(url, content=BODY, headers=HEADERS, trust_env=False).status_code
            for _ in range(2)
        ]
        monkeypatch.undo()
    assert statuses == [200, 200]
    assert event()
