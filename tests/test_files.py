from __future__ import annotations

import sys
from pathlib import Path

import pytest

from currents_export._files import ClosedStream, LineFile, beside, open_output


def test_new_line_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    file = LineFile(path)
    file.write([b"a", b"b"])
    file.close()
    assert path.read_bytes() == b"a\nb\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_lines_are_appended_through_a_link(tmp_path: Path) -> None:
    path, link = tmp_path / "lines", tmp_path / "link"
    path.write_bytes(b"torn")
    path.chmod(0o644)
    link.symlink_to(path)
    file = LineFile(str(link))
    file.write([b"a"])
    file.close()
    assert path.read_bytes() == b"torn\na\n"
    assert path.stat().st_mode & 0o777 == 0o644
    assert link.is_symlink()


def test_standard_output_stays_open(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    sys.stdout.write("before\n")
    file = LineFile("-")
    file.write([b"a"])
    file.close()
    sys.stdout.write("after\n")
    sys.stdout.flush()
    assert capfdbinary.readouterr().out == b"before\na\nafter\n"


def test_dash_as_a_path_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    LineFile(Path("-")).close()
    assert Path("-").is_file()


@pytest.mark.parametrize("stream", [None, ClosedStream()])
def test_standard_output_is_closed(
    stream: ClosedStream | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", stream)
    for opened in (LineFile, open_output):
        with pytest.raises(OSError, match="standard output is closed"):
            opened("-")


def test_closed_stream_takes_everything() -> None:
    stream = ClosedStream()
    stream.write("x" * 100_000 + "\udcff")
    stream.flush()
    stream.buffer.write(b"x")
    stream.buffer.flush()


def test_beside_takes_no_name_in_use(tmp_path: Path) -> None:
    made = {beside(tmp_path / "file") for _ in range(5)}
    assert made == set(tmp_path.iterdir())
    assert len(made) == 5
