"""Files by name, standard input, and files of other formats."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from currents_export.errors import ReadError
from currents_export.reading import Located, read_path, read_values
from tests.support.reading import ONE, dump, read


def test_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(dump(ONE), "utf-8")
    assert list(read_path(path)) == list(read_path(str(path))) == [Located(ONE, str(path), 1)]


def test_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = types.SimpleNamespace(buffer=io.BytesIO(dump(ONE).encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert list(read_path("-")) == [Located(ONE, "<stdin>", 1)]


def test_closed_standard_input_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(ReadError, match="<stdin>: cannot be read: it is closed"):
        read_path("-")


@pytest.mark.parametrize("name", ["missing.json", ".", "a\0b"])
def test_unopened_file_is_raised_at_once(tmp_path: Path, name: str) -> None:
    with pytest.raises(ReadError, match="cannot be read: ") as caught:
        read_path(tmp_path / name)
    assert caught.value.source == str(tmp_path / name)
    assert caught.value.line is None


@pytest.mark.parametrize("first", [dump(ONE), "[", "{broken"])
def test_failure_while_reading_comes_last(first: str) -> None:
    def lines() -> Iterator[bytes]:
        yield first.encode() + b"\n"
        raise OSError(5, "Input/output error")

    items = list(read_values(lines(), source="f"))
    assert str(items[-1]) == "f: cannot be read: Input/output error"
    assert items[:-1] == ([Located(ONE, "f", 1)] if first == dump(ONE) else [])


def test_failure_without_system_reason() -> None:
    def lines() -> Iterator[bytes]:
        yield from ()
        raise OSError("gone")

    assert [str(item) for item in read_values(lines(), source="f")] == ["f: cannot be read: gone"]


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b'Obj\x01\x04\x14avro.codec\x08null\x16avro.schema\xf2\x01{"type":"record"}', "is Avro"),
        (b"Obj\x01", "Braze's storage export, which is not the HTTP payload"),
        (b"PAR1\x15\x04", "Parquet"),
        (gzip.compress(b"{}"), "compressed by gzip"),
        (bz2.compress(b"{}"), "compressed by bzip2"),
        (lzma.compress(b"{}"), "compressed by xz"),
        (b"\x28\xb5\x2f\xfd\x04\x00", "compressed by zstd"),
        (b"PK\x03\x04", "zip archive"),
        ("{}".encode("utf-16"), "UTF-16"),
    ],
)
def test_other_formats_are_named(raw: bytes, says: str) -> None:
    (error,) = read(raw + b"\n{}\n")
    assert isinstance(error, ReadError)
    assert says in str(error)
    assert error.line is None
