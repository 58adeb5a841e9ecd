"""What `--pending` may name, and that no file is lost by it."""

from __future__ import annotations

import json
import os
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import Result

from currents_export.payload import encode_event
from currents_export.receiver import Receiver, listen
from tests.cli.support import ids_in, run
from tests.support.events import event, make_events

Send = Callable[..., Result]
IDS = [each.id for each in make_events(3)]


@pytest.fixture
def send(file: Callable[..., Path], current: Callable[..., Path]) -> Send:
    """Return a function that fails to send three events, or the files given."""

    def fail(pending: object, *files: object) -> Result:
        inputs = files or (file("events.jsonl", make_events(3)),)
        args = ("--current", current(), "--give-up-after", 0.2, "--pending", pending)
        return run("send", *inputs, *args)

    return fail


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_new_file_is_private(send: Send, tmp_path: Path) -> None:
    kept = tmp_path / "pending.jsonl"
    assert send(kept).exit_code == 1
    assert (ids_in(kept), mode_of(kept)) == (IDS, 0o600)
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "current.toml",
        "events.jsonl",
        "pending.jsonl",
    ]


def test_earlier_events_are_kept(send: Send, tmp_path: Path) -> None:
    kept = tmp_path / "pending.jsonl"
    kept.write_bytes(encode_event(event(7)))  # without a line break, as after a crash
    kept.chmod(0o640)
    result = send(kept)
    assert f"unsent events are in {kept}" in result.stdout
    assert (ids_in(kept), mode_of(kept)) == ([event(7).id, *IDS], 0o640)


@pytest.mark.parametrize("suffix", [".part", ".tmp", "~"])
def test_neighbors_are_not_touched(suffix: str, send: Send, tmp_path: Path) -> None:
    kept, other = tmp_path / "pending.jsonl", tmp_path / f"pending.jsonl{suffix}"
    other.write_bytes(b"precious")
    assert send(kept).exit_code == 1
    assert other.read_bytes() == b"precious"


def test_input_named_as_a_part(send: Send, file: Callable[..., Path], tmp_path: Path) -> None:
    path, kept = file("e.jsonl.part", make_events(3)), tmp_path / "e.jsonl"
    before = path.read_bytes()
    assert send(kept, path).exit_code == 1
    assert path.read_bytes() == kept.read_bytes() == before


def test_rest_replaces_the_input(
    send: Send, file: Callable[..., Path], current: Callable[..., Path], tmp_path: Path
) -> None:
    path, link = file("e.jsonl", make_events(3)), tmp_path / "link"
    path.chmod(0o640)
    link.symlink_to(path)
    before = path.read_bytes()
    for pending, source in ((path, path), (link, path), (path, link)):
        assert send(pending, source).exit_code == 1
        assert path.read_bytes() == before
    assert link.is_symlink()
    assert mode_of(path) == 0o640
    with listen(Receiver()) as url:
        assert run("send", path, "--pending", path, "--current", current(url)).exit_code == 0
    assert path.read_bytes() == before


def test_unreadable_input_is_set_aside(
    send: Send, file: Callable[..., Path], tmp_path: Path
) -> None:
    good = encode_event(event(0)) + b"\n"
    path = file("e.jsonl", b"{broken\n" + good)
    result = send(path, path)
    (former,) = tmp_path.glob("e.jsonl.before-*")
    assert f"{path} contained text that could not be read; it is kept as {former}" in result.stderr
    assert path.read_bytes() == good
    assert former.read_bytes() == b"{broken\n" + good


def test_file_is_standard_input(
    file: Callable[..., Path], current: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file("e.jsonl", make_events(3))
    before = path.read_bytes()
    with path.open("rb") as stdin:
        monkeypatch.setattr("currents_export.cli._pending.sys", SimpleNamespace(stdin=stdin))
        result = run("send", "-", "--current", current(), "--pending", path)
    assert (result.exit_code, path.read_bytes()) == (2, before)
    assert "is standard input, too; name it as a file to read instead" in result.stderr


def test_standard_output(send: Send) -> None:
    result = send("-")
    assert result.exit_code == 1
    assert [json.loads(line)["id"] for line in result.stdout.splitlines()] == IDS
    assert "accepted 3, delivered 0" in result.stderr


def test_file_named_with_a_dash(
    send: Send, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    send("./-")
    assert ids_in(tmp_path / "-") == IDS


def test_link_is_followed(send: Send, tmp_path: Path) -> None:
    link, target = tmp_path / "link", tmp_path / "target"
    link.symlink_to(target)
    for count in (1, 2):
        assert send(link).exit_code == 1
        assert ids_in(target) == IDS * count
    assert link.is_symlink()
    assert mode_of(target) == 0o600


@pytest.mark.skipif(sys.platform == "win32", reason="devices and FIFOs")
class TestSpecialFiles:
    def test_device(self, send: Send) -> None:
        before = Path(os.devnull).stat()
        assert send(os.devnull).exit_code == 1
        after = Path(os.devnull).stat()
        assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full")
    def test_full_device(self, send: Send) -> None:
        result = send("/dev/full")
        assert result.exit_code == 2
        assert "/dev/full: 3 unsent events could not be saved: No space" in result.stderr
        assert "accepted 3, delivered 0" in result.stdout

    def test_fifo(self, send: Send, tmp_path: Path) -> None:
        fifo = tmp_path / "fifo"
        os.mkfifo(fifo)
        read: list[bytes] = []
        reader = threading.Thread(target=lambda: read.append(fifo.read_bytes()))
        reader.start()
        assert send(fifo).exit_code == 1
        reader.join()
        assert [json.loads(line)["id"] for line in read[0].splitlines()] == IDS
        assert fifo.is_fifo()
