"""`qa`: a run against the stand-in, what it prints and writes, and its exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from typer.testing import Result

from currents_export.catalog import Catalog
from currents_export.cli import _qa, qa
from currents_export.receiver import RudderStack, ScriptedResponse, listen
from tests.cli.processes import Start, ended
from tests.cli.support import CLOSED, PATIENCE, run, words
from tests.support.currents import TOKEN, WRITE_KEY
from tests.support.events import OPEN
from tests.support.gateways import WEBHOOK
from tests.support.mutations import MUTATIONS, Mutation

Write = Callable[..., Path]
TRIES = int(PATIENCE / 0.01)
#: The types of the Current, few so that runs are quick.
TYPES = ("users.messages.email.*",)
SMALL = ("--count", 200, "--seed", 4)


@pytest.fixture(autouse=True)
def _few_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qa, "_USERS", 30)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port: int = reserved.getsockname()[1]
        return port


@contextmanager
def standin(
    current: Write, *, event_types: Sequence[str] = TYPES, **options: Any
) -> Iterator[tuple[Path, RudderStack]]:
    """Serve a stand-in, and write the file of a Current that sends to it."""
    gateway = RudderStack(write_keys=[WRITE_KEY], group_seconds=0.0, **options)
    with listen(gateway) as url:
        yield current(key=f"{url}{WEBHOOK}", region="US", event_types=event_types), gateway


def to_file(current: Write, tmp_path: Path, *args: object, **options: Any) -> Result:
    """Run `qa` with a stand-in whose capture is what arrives."""
    received = tmp_path / "messages.jsonl"
    with standin(current, capture=received, **options) as (file, _):
        # The capture is written before the response, so there is nothing to wait for.
        return run("qa", "--current", file, "--received", received, "--settle", 0, *SMALL, *args)


def test_right_source(current: Write, tmp_path: Path) -> None:
    html, junit = tmp_path / "report.html", tmp_path / "report.xml"
    result = to_file(current, tmp_path, "--html", html, "--junit", junit)
    assert result.exit_code == 0, result.output
    last = result.stdout.splitlines()[-1]
    assert last.startswith("The RudderStack source is right: all ")
    assert "credentials: the write key is valid" in result.stderr
    assert "'generate' with --count 200 --seed 4 --start " in result.stderr
    page = html.read_text("utf-8")
    assert "The RudderStack source is right" in page
    suites = ElementTree.parse(junit).getroot()
    assert suites.attrib["failures"] == "0"
    for text in (page, junit.read_text("utf-8")):
        assert WRITE_KEY not in text


def test_json_and_kept_files(current: Write, tmp_path: Path) -> None:
    record = tmp_path / "sent.jsonl"
    result = to_file(current, tmp_path, "--json", "--record", record, "--no-test-events")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert (report["verdict"], report["sent"]) == ("right", 200)
    assert (report["settled"], report["interrupted"]) == (True, False)
    assert report["delivery"]["delivered"] == report["received"]
    assert report["sentence"].startswith("The RudderStack source is right")
    again = run("verify", "--sent", record, "--received", tmp_path / "messages.jsonl", "--json")
    assert json.loads(again.stdout)["matched"] == report["matched"]


def test_test_events_are_compared(current: Write, tmp_path: Path) -> None:
    result = to_file(current, tmp_path, "--json", "--count", 1)
    report = json.loads(result.stdout)
    types = {each.name for each in Catalog.load().select(*TYPES)}
    assert types <= report["stages"].keys()
    assert report["delivery"]["delivered"] >= len(types)
    assert report["received"] == report["delivery"]["delivered"]
    lines = (tmp_path / "messages.jsonl").read_bytes().splitlines()
    names = {json.loads(line)["properties"].get("campaign_name") for line in lines}
    assert "campaign_name" in names


def test_scenario(current: Write, tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.toml"
    scenario.write_text('users = 50\nstart = "2026-07-01"\nuntil = "1d"\n', "utf-8")
    result = to_file(current, tmp_path, "--scenario", scenario, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["sent"] > 60


def test_mapping(current: Write, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.json"
    mapping.write_text(json.dumps({OPEN: "Email Opened"}), "utf-8")
    result = to_file(current, tmp_path, "--mapping", mapping)
    assert result.exit_code == 1
    last = result.stdout.splitlines()[-1]
    assert re.fullmatch(r"The RudderStack source is not right: \d+ with a wrong name\.", last)


def test_everything_is_lost(current: Write, tmp_path: Path) -> None:
    with standin(current) as (file, _):
        received = tmp_path / "never.jsonl"
        args = ("--current", file, "--received", received, "--settle", 0, *SMALL)
        result = run("qa", *args, "--timeout", 0)
        assert result.exit_code == 2
        assert "not quiet after 0 s" in result.stderr
        assert "never.jsonl: cannot be read: No such file" in result.stderr
        received.touch()
        result = run("qa", *args, "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert report["missing"]["count"] == report["delivery"]["delivered"] > 10
    assert "nothing arrived at all" in result.stderr


@pytest.fixture
def listening(current: Write, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Return a function that runs `qa` while a stand-in forwards to the address it listens on.

    The wait ends when the stand-in has nothing left to forward.
    """

    def listen_with(*args: object, **options: Any) -> Result:
        address = f"127.0.0.1:{free_port()}"
        with standin(current, forward=f"http://{address}/hook", **options) as (file, gateway):

            def until_forwarded(arrived: Callable[[], int], *, wait: Any, **options: Any) -> bool:
                for _ in range(TRIES):
                    counts = gateway.counts
                    if counts.delivered + counts.given_up == counts.messages:
                        return arrived() >= 0
                    wait(0.01)
                raise AssertionError("not everything was forwarded")

            monkeypatch.setattr(_qa, "wait_until_settled", until_forwarded)
            result = run("qa", "--current", file, "--listen", address, "--json", *SMALL, *args)
        assert f"listening on http://{address}" in result.stderr
        return result

    return listen_with


def test_listening(listening: Callable[..., Result], tmp_path: Path) -> None:
    capture = tmp_path / "received.jsonl"
    result = listening("--capture", capture)
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert len(capture.read_bytes().splitlines()) == report["received"] > 10


def test_bearer_token(listening: Callable[..., Result]) -> None:
    """Messages without the token do not count as arrived."""
    result = listening("--bearer-token", TOKEN)
    assert result.exit_code == 1
    assert json.loads(result.stdout)["received"] == 0


class Broken(httpx.BaseTransport):
    """Send on what a mutation makes of each message, over a socket."""

    def __init__(self, mutation: Mutation) -> None:
        self._mutation = mutation
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for each in self._mutation.change([json.loads(request.content)]):
            made = httpx.Request("POST", request.url, json=each)
            self._inner.handle_request(made).close()
        return httpx.Response(200)

    def close(self) -> None:
        self._inner.close()


@pytest.mark.parametrize("name", ["drops a type", "shifts times by a zone"])
def test_wrong_source(name: str, listening: Callable[..., Result]) -> None:
    mutation = MUTATIONS[name]
    result = listening(forward_transport=Broken(mutation))
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    causes = {*report["missing"]["by_cause"], *report["altered"]["by_cause"]}
    assert causes == mutation.kinds
    assert report["altered"]["by_field"].keys() == mutation.fields
    if mutation.event_type is not None:
        assert report["missing"]["by_event_type"].keys() == {mutation.event_type}


@pytest.mark.parametrize(("key", "says"), [("wrong", "invalid write key"), (None, "refused")])
def test_credentials_that_do_not_hold(
    key: str | None, says: str, current: Write, tmp_path: Path
) -> None:
    with listen(RudderStack(write_keys=[WRITE_KEY])) as url:
        address = f"{url if key else CLOSED}/v1/webhook?writeKey={key}"
        file = current(key=address, region="US", allow_plain_http=True)
        result = run("qa", "--current", file, "--received", tmp_path / "none")
    assert (result.exit_code, result.stdout) == (1, "")
    assert says in result.stderr
    assert "nothing was sent" in result.stderr


def test_events_that_cannot_be_sent(current: Write, tmp_path: Path) -> None:
    script = [ScriptedResponse(400), ScriptedResponse(401, times=None)]
    result = to_file(current, tmp_path, "--json", script=script)
    assert result.exit_code == 1
    assert "could not be sent" in result.stderr


def test_report_that_cannot_be_written(current: Write, tmp_path: Path) -> None:
    result = to_file(current, tmp_path, "--html", tmp_path)
    assert result.exit_code == 2
    assert "it cannot be written: Is a directory" in result.stderr
    assert "The RudderStack source is right" in result.stdout


def test_page_on_standard_output(current: Write, tmp_path: Path) -> None:
    result = to_file(current, tmp_path, "--html", "-")
    assert result.exit_code == 0
    assert result.stdout.startswith("<!doctype html>")
    assert "The RudderStack source is right" in result.stderr


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ([], "give --listen HOST:PORT"),
        (["--listen", "9", "--received", "x"], "give --listen HOST:PORT"),
        (["--received", "-"], "--received must name a file"),
        (["--received", "x", "--capture", "y"], "--capture needs --listen"),
        (["--received", "x", "--html", "x"], "--html x is another file of this command, too"),
        (["--received", "x", "--html", "y", "--junit", "y"], "--junit y is another file"),
        (["--received", "x", "--html", "none/y"], "its directory does not exist"),
        (["--received", "x", "--record", "current.toml"], "it contains another run already"),
        (["--received", "x", "--record", "-"], "--record must name a file"),
        (["--listen", "nowhere"], "it must be like 127.0.0.1:8090"),
        (["--received", "x", "--mapping", "none"], "none: No such file"),
        (["--received", "x", "--scenario", "none"], "none"),
        (["--received", "x", "--settle", "-1"], "--settle"),
        (["--received", "x", "--count", "0"], "--count"),
    ],
)
def test_bad_values(
    args: list[str], says: str, current: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    current()
    monkeypatch.chdir(tmp_path)
    result = run("qa", *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in words(result.stderr)


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_interrupted_while_waiting(current: Write, tmp_path: Path, start: Start) -> None:
    """Ctrl-C ends the wait, and what has arrived is compared."""
    html = tmp_path / "report.html"
    port = free_port()
    with standin(current, forward=f"http://127.0.0.1:{port}/") as (file, _):
        process = start(
            *("qa", "--current", file, "--listen", f"127.0.0.1:{port}", *SMALL),
            *("--html", html, "--settle", 600, "--json"),
        )
        assert process.stderr is not None
        for line in process.stderr:
            if "waiting until nothing has arrived" in line:
                break
        process.send_signal(signal.SIGINT)
        code, out, err = ended(process)
    assert code == 130, err
    report = json.loads(out)
    assert (report["interrupted"], report["settled"]) == (True, False)
    assert report["sent"] > 100
    assert "interrupted: what is still on its way counts as lost" in err
    assert "this is what was known by then" in html.read_text("utf-8")


def test_everything_is_filtered(current: Write, tmp_path: Path) -> None:
    """What the Current does not send says nothing about the source."""
    rare = ["agentconsole.ToolInvocation"]
    args = ("--count", 5, "--start", "2026-07-01", "--no-test-events")
    result = to_file(current, tmp_path, *args, event_types=rare)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "nothing was sent, so there is nothing to compare" in result.stderr


def test_nothing_is_sent(current: Write, tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.toml"
    scenario.write_text('users = 1\nstart = "2026-07-01"\nuntil = "1s"\n', "utf-8")
    result = to_file(current, tmp_path, "--scenario", scenario, "--no-test-events")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "nothing was sent, so there is nothing to compare" in result.stderr
