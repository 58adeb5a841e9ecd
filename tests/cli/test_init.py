"""`init`: options, questions on a terminal, existing files, and secrets."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from typer.testing import CliRunner, Result

from currents_export.cli._app import app
from currents_export.cli._questions import ask
from currents_export.current import Current
from tests.support.currents import CUSTOM, KEY, NAMES, RUDDERSTACK, form

WHO = ["--integration-name", NAMES["integration_name"], "--contact-email", NAMES["contact_email"]]
ENDPOINT = ["--endpoint", CUSTOM["endpoint"]]
TOKEN = "QZXtoken"
EU_KEY = "https://abc.dataplane.eu.rudderstack.com/v1/webhook?writeKey=QZXQZX"

Init = Callable[..., Result]


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def init(*arguments: str, stdin: str | bytes = "", code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["init", *arguments], input=stdin)
    assert result.exit_code == code, result.output
    assert "QZX" not in result.output
    return result


def written(name: str = "current.toml") -> Current:
    return Current.load(name, environ={})


# Options


def test_rudderstack_from_options(directory: Path) -> None:
    result = init(*WHO, "--key-stdin", "--region", "us", stdin=f"{KEY}\n")
    assert written() == form()
    assert stat.S_IMODE((directory / "current.toml").stat().st_mode) == 0o600
    assert result.stdout.splitlines()[-1].endswith(": currents-export check")


def test_custom_from_options(directory: Path) -> None:
    init(
        *WHO,
        *ENDPOINT,
        "--bearer-token-stdin",
        "--include-anonymous",
        *("--event-type", "user", "--event-type", "*.email.*"),
        *("--transform", "email_address=hash", "--transform", "gender=remove"),
        *("--schema-version", "8"),
        *("--notice-command", "notify --to 'a b'"),
        *("--test-current", "--workspace", "staging", "--workspace-file", "w.db"),
        stdin=TOKEN,
    )
    assert written() == form(
        CUSTOM,
        bearer_token=TOKEN,
        include_anonymous=True,
        event_types=["user", "*.email.*"],
        field_transformations={"email_address": "hash", "gender": "remove"},
        schema_version=8,
        notice_command=["notify", "--to", "a b"],
        test_current=True,
        workspace="staging",
        workspace_file="w.db",
    )


def test_next_step_names_another_file() -> None:
    result = init("a b.toml", *WHO, *ENDPOINT, "--bearer-token", TOKEN)
    assert result.stdout.splitlines()[-1].endswith("check --current 'a b.toml'")
    assert written("a b.toml").bearer_token == TOKEN


def test_plain_http_is_written_when_allowed() -> None:
    arguments = [*WHO, "--endpoint", "http://receiver.example.com/"]
    assert "use https, or set allow_plain_http" in init(*arguments, code=2).stderr
    init(*arguments, "--allow-plain-http")
    assert written().allow_plain_http


def test_region_of_another_host_warns() -> None:
    result = init(*WHO, "--key-stdin", "--region", "US", stdin=EU_KEY)
    assert (
        "warning: the region is US, but the key's host is a data plane in the EU" in result.stderr
    )


def test_missing_options_are_listed_together(directory: Path) -> None:
    message = init(code=2).stderr
    for option in (
        "--integration-name",
        "--contact-email",
        "--key-stdin",
        "--region",
        "--endpoint",
    ):
        assert option in message
    assert "--region" in init(*WHO, "--key-stdin", stdin=KEY, code=2).stderr
    message = init("--bearer-token", TOKEN, code=2).stderr
    assert "--endpoint" in message
    assert "--region" not in message
    assert not [*directory.iterdir()]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--contact-email", "x"], "contact_email: 'x' is not an email address"),
        (["--key", "QZX", "--region", "US"], "key: it must be the whole webhook URL"),
        (["--key", KEY, "--region", "mars"], "region: 'mars' is unknown"),
        (["--key", KEY, "--include-anonymous"], "include_anonymous: RudderStack has no such"),
        ([*ENDPOINT, "--key", KEY], "endpoint: a Current has key (RudderStack) or endpoint"),
        ([*ENDPOINT, "--bearer-token", "QZX QZX"], "bearer_token: a bearer token is"),
        ([*ENDPOINT, "--event-type", "nothing"], "event_types: unknown event type 'nothing'"),
        ([*ENDPOINT, "--transform", "gender"], "field_transformations: it must look like"),
        ([*ENDPOINT, "--schema-version", "99"], "schema_version: schema version 99 is not"),
        (["--key-file", "gone"], "key_file: the file it names does not exist"),
        (["--key-stdin"], "key: standard input is empty"),
        (["--key-stdin", "--key", KEY], "give only one of --key, --key-file and --key-stdin"),
        (["--key-stdin", "--bearer-token-stdin"], "cannot be given together"),
        (["-"], "written to a file, not printed"),
        (["gone/current.toml"], "there is no directory gone"),
    ],
)
def test_wrong_option_is_refused(directory: Path, arguments: list[str], says: str) -> None:
    assert says in init(*arguments, code=2).stderr
    assert not [*directory.iterdir()]


def test_problems_of_all_options_come_together() -> None:
    arguments = ["--key-file", "gone", "--region", "mars", "--transform", "gender"]
    arguments += ["--event-type", "nothing", "--schema-version", "99", "--contact-email", "x"]
    lines = init(*arguments, code=2).stderr.splitlines()
    assert lines[0] == "error: the Current has 6 problems:"
    assert {line.partition(":")[0] for line in lines[1:]} == {
        "  - key_file",
        "  - region",
        "  - field_transformations",
        "  - event_types",
        "  - schema_version",
        "  - contact_email",
    }


def test_bytes_on_standard_input_are_refused() -> None:
    result = init("--key-stdin", stdin=b"QZX\xff", code=2)
    assert "key: standard input is not UTF-8 text" in result.stderr


def test_closed_standard_input_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from currents_export.cli import init as module
    from currents_export.errors import CurrentError, OptionError

    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(CurrentError, match="key: standard input is closed"):
        module.run(key_stdin=True)
    with pytest.raises(OptionError, match="standard input is not a terminal"):
        module.run()


def test_file_is_kept_unless_forced(directory: Path) -> None:
    path = directory / "current.toml"
    path.write_text("old", "utf-8")
    assert (
        "current.toml already exists; --force replaces it" in init(*WHO, *ENDPOINT, code=2).stderr
    )
    assert path.read_text("utf-8") == "old"
    init(*WHO, *ENDPOINT, "--force")
    assert written() == form(CUSTOM)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_force_does_not_replace_a_link(directory: Path) -> None:
    (directory / "target").write_text("old", "utf-8")
    (directory / "current.toml").symlink_to("target")
    assert "is not a regular file" in init(*WHO, *ENDPOINT, "--force", code=2).stderr
    assert (directory / "target").read_text("utf-8") == "old"


# The terminal


class Terminal:
    """A process on a separate terminal, which a test reads from and types into."""

    def __init__(self, *arguments: str) -> None:
        self.pid, self._descriptor = pty.fork()
        if self.pid == 0:  # pragma: no cover - another process
            os.execv(sys.executable, [sys.executable, "-m", "currents_export", *arguments])
        self.output = ""
        self._read = 0
        self._at_end = False

    def wait_for(self, text: str) -> None:
        """Read until the text occurs after the text of the previous wait."""
        until = time.monotonic() + 30
        while (at := self.output.find(text, self._read)) < 0:
            if not self._more(until - time.monotonic()):
                pytest.fail(f"{text!r} did not come:\n{self.output[self._read :]}")
        self._read = at + len(text)

    def answer(self, question: str, text: str) -> None:
        self.wait_for(question)
        self.wait_for(": ")
        os.write(self._descriptor, f"{text}\n".encode())

    def interrupt(self) -> int:
        """Press Ctrl-C until the process ends, and return its exit code.

        Python may miss one that arrives just before it waits for input.
        """
        for _ in range(30):
            with contextlib.suppress(OSError):  # the process has ended
                os.write(self._descriptor, b"\x03")
            if self._ends(1):
                break
        return self.finish()

    def finish(self) -> int:
        """Wait until the process ends by itself, and return its exit code."""
        if not self._ends(30):
            pytest.fail(f"the process did not end:\n{self.output[self._read :]}")
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def _ends(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while self._more(until - time.monotonic()):
            pass
        return self._at_end

    def close(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._descriptor)

    def _more(self, seconds: float) -> bool:
        """Read what arrives within these seconds; return False if nothing does."""
        ready, _, _ = select.select([self._descriptor], [], [], max(seconds, 0))
        if not ready or self._at_end:
            return False
        try:
            data = os.read(self._descriptor, 65536)
        except OSError:  # how Linux ends a terminal
            data = b""
        self._at_end = not data
        self.output += data.decode(errors="replace")
        return not self._at_end


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    with contextlib.ExitStack() as stack:

        def start(*arguments: str) -> Terminal:
            made = Terminal(*arguments)
            stack.callback(made.close)
            return made

        yield start


@pytest.mark.filterwarnings("ignore:.*forkpty.*:DeprecationWarning")
def test_rudderstack_is_asked_for(terminal: Callable[..., Terminal], directory: Path) -> None:
    shell = terminal("init")
    shell.answer("Integration name", "Shop")
    shell.answer("Contact email", "ops")
    shell.wait_for("'ops' is not an email address")
    shell.answer("Contact email", NAMES["contact_email"])
    shell.answer("Destination (rudderstack or custom)", "segment")
    shell.wait_for("it must be rudderstack or custom")
    shell.answer("Destination", "RudderStack")
    shell.answer("Key [not shown]", "QZX")
    shell.wait_for("it must be the whole webhook URL")
    shell.answer("Key [not shown]", KEY)
    shell.answer("Region (US or EU)", "mars")
    shell.wait_for("'mars' is unknown; it must be US or EU")
    shell.answer("Region", "us")
    shell.answer("Event types", "nothing")
    shell.wait_for("unknown event type 'nothing'")
    shell.answer("Event types", "user, *.email.*")
    shell.answer("Field transformations", "gender")
    shell.wait_for("it must look like")
    shell.answer("Field transformations", "gender=remove")
    assert shell.finish() == 0
    assert "QZX" not in shell.output
    assert "Traceback" not in shell.output
    assert written() == form(
        event_types=["user", "*.email.*"], field_transformations={"gender": "remove"}
    )


@pytest.mark.filterwarnings("ignore:.*forkpty.*:DeprecationWarning")
def test_only_missing_fields_are_asked_for(terminal: Callable[..., Terminal]) -> None:
    shell = terminal("init", "other.toml", *WHO)
    shell.answer("Destination", "custom")
    shell.answer("Endpoint", 'https://x.example/?k="A"')
    shell.wait_for("write %22 for a double quote")
    shell.answer("Endpoint", CUSTOM["endpoint"])
    shell.answer("Bearer token (optional) [not shown]", TOKEN)
    shell.answer("Include events from anonymous users", "y")
    shell.answer("Event types", "")
    shell.answer("Field transformations", "")
    assert shell.finish() == 0
    assert "QZX" not in shell.output
    assert "Integration name" not in shell.output
    assert written("other.toml") == form(CUSTOM, bearer_token=TOKEN, include_anonymous=True)


@pytest.mark.parametrize(
    ("given", "typed", "answers"),
    [
        (NAMES, f"no\ncustom\nx\n{CUSTOM['endpoint']}\n\nn\n\n\n", CUSTOM),
        (NAMES | {"key": KEY}, "\nUS\nuser\ngender\ngender=hash\n", RUDDERSTACK),
    ],
)
def test_wrong_answers_are_asked_for_again(
    given: dict[str, Any], typed: str, answers: dict[str, Any]
) -> None:
    with CliRunner().isolation(input=typed):
        found = ask(given)
    assert found.items() >= answers.items()
    assert Current(**found).selected


@pytest.mark.filterwarnings("ignore:.*forkpty.*:DeprecationWarning")
def test_complete_options_ask_nothing(terminal: Callable[..., Terminal]) -> None:
    shell = terminal("init", *WHO, *ENDPOINT)
    assert shell.finish() == 0
    assert written() == form(CUSTOM)


@pytest.mark.filterwarnings("ignore:.*forkpty.*:DeprecationWarning")
def test_typed_key_is_not_shown(terminal: Callable[..., Terminal]) -> None:
    shell = terminal("init", *WHO, "--key-stdin", "--region", "US")
    shell.answer("key", KEY)
    assert shell.finish() == 0
    assert "QZX" not in shell.output
    assert written() == form()


@pytest.mark.filterwarnings("ignore:.*forkpty.*:DeprecationWarning")
@pytest.mark.parametrize("answers", [[], ["Shop"]])
def test_interrupted_questions_write_nothing(
    terminal: Callable[..., Terminal], directory: Path, answers: list[str]
) -> None:
    shell = terminal("init")
    for answer in answers:
        shell.answer("Integration name", answer)
    shell.wait_for(": ")
    assert shell.interrupt() == 130
    assert "Traceback" not in shell.output
    assert not [*directory.iterdir()]


def test_every_field_is_covered() -> None:
    """A new field of the form must be added to `init`."""
    import inspect

    from currents_export.cli import init as module

    names: dict[str, Any] = {"field_transformations": "transform"}
    parameters = inspect.signature(module.run).parameters
    for field in attrs.fields(Current):
        assert not field.init or names.get(field.name, field.name) in parameters
    assert RUDDERSTACK.keys() <= parameters.keys()
