from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from currents_export.errors import ReceiverError
from currents_export.reading import Located, read_path
from currents_export.receiver import Receiver, listen
from tests.support.events import event
from tests.support.receivers import Client, body


def captured(path: Path) -> list[Any]:
    items = list(read_path(path))
    assert all(isinstance(item, Located) for item in items)
    return [item.value for item in items if isinstance(item, Located)]


def test_captured_before_response(tmp_path: Path, client: Client) -> None:
    path = tmp_path / "capture.jsonl"
    receiver = Receiver(capture=path, keep=False)
    client(receiver).post("/", content=body(event(1), event(2, text="zwei\nZeilen")))
    assert path.read_bytes().count(b"\n") == 2
    client(receiver).post("/", content=body(event(3)))
    assert captured(path) == [
        event(1).to_dict(),
        event(2, text="zwei\nZeilen").to_dict(),
        event(3).to_dict(),
    ]
    assert receiver.events == []
    assert receiver.counts.events == 3
    receiver.close()
    receiver.close()


def test_capture_is_appended(tmp_path: Path, client: Client) -> None:
    path = str(tmp_path / "capture.jsonl")
    for number in (1, 2):
        receiver = Receiver(capture=path)
        client(receiver).post("/", content=body(event(number)))
        receiver.close()
    assert captured(Path(path)) == [event(1).to_dict(), event(2).to_dict()]


def test_incomplete_last_line(tmp_path: Path, client: Client) -> None:
    path = tmp_path / "capture.jsonl"
    path.write_bytes(b'{"event_type": "a", "i')
    receiver = Receiver(capture=path)
    client(receiver).post("/", content=body(event(1)))
    client(receiver).post("/", content=body(event(2)))
    receiver.close()
    first, *lines = path.read_bytes().splitlines()
    assert first == b'{"event_type": "a", "i'
    assert [orjson.loads(line) for line in lines] == [event(1).to_dict(), event(2).to_dict()]


def test_no_events_write_nothing(tmp_path: Path, client: Client) -> None:
    path = tmp_path / "capture.jsonl"
    path.write_bytes(b"torn")
    receiver = Receiver(capture=path)
    client(receiver).post("/", content=body())
    receiver.close()
    assert path.read_bytes() == b"torn"


def test_capture_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(ReceiverError, match="capture cannot be opened") as caught:
        Receiver(capture=tmp_path)
    assert str(tmp_path) in str(caught.value)
    with pytest.raises(ReceiverError, match="capture cannot be opened"):
        Receiver(capture=tmp_path / "none" / "capture")


class FullFile:
    """A file that writes ten bytes, then finds the disk full, and then has room again."""

    def __init__(self, file: Any, writes: int) -> None:
        self._file = file
        self._writes = writes

    def write(self, data: memoryview) -> int:
        self._writes += 1
        if self._writes == 2:
            raise OSError(28, "No space left on device")
        return int(self._file.write(data[:10] if self._writes == 1 else data))

    def close(self) -> None:
        self._file.close()


def full_disk(*, writes: int = 0) -> Callable[..., Any]:
    """Make a replacement of `Path.open` that counts its writes from `writes`."""
    original = Path.open

    def full_open(path: Path, mode: str = "r", **options: Any) -> Any:
        file = original(path, mode, **options)
        return FullFile(file, writes) if "a" in mode else file

    return full_open


def test_full_disk_is_500(tmp_path: Path, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "capture.jsonl"
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full_disk())
        receiver = Receiver(capture=path)
    response = client(receiver).post("/", content=body(event(1)))
    assert response.status_code == 500
    assert "the capture cannot be written: [Errno 28] No space left" in response.text
    assert (receiver.events, receiver.counts.events) == ([], 0)
    assert client(receiver).post("/", content=body(event(1))).status_code == 200
    assert (receiver.counts.events, receiver.counts.duplicates) == (1, 0)
    receiver.close()
    first, second = path.read_bytes().splitlines()
    assert len(first) == 10
    assert orjson.loads(second) == event(1).to_dict()


def test_full_disk_from_the_first_byte(
    tmp_path: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "capture.jsonl"
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full_disk(writes=1))
        receiver = Receiver(capture=path)
    statuses = [client(receiver).post("/", content=body(event(1))).status_code for _ in range(2)]
    assert statuses == [500, 200]
    receiver.close()
    assert [orjson.loads(line) for line in path.read_bytes().splitlines()] == [event(1).to_dict()]


def test_closed_capture_is_500(tmp_path: Path, client: Client) -> None:
    receiver = Receiver(capture=tmp_path / "capture")
    receiver.close()
    response = client(receiver).post("/", content=body(event()))
    assert (response.status_code, receiver.events) == (500, [])


def test_deep_event_is_400(tmp_path: Path, client: Client) -> None:
    receiver = Receiver(capture=tmp_path / "capture", check=False)
    deep = '{"events": [{"event_type": "a", "properties": ' + "[" * 300 + "]" * 300 + "}]}"
    response = client(receiver).post("/", content=deep)
    assert (response.status_code, receiver.events) == (400, [])
    assert "nested too deep" in response.text
    receiver.close()


def test_listen_closes_capture(tmp_path: Path, client: Client) -> None:
    receiver = Receiver(capture=tmp_path / "capture")
    with listen(receiver):
        assert client(receiver).post("/", content=body(event())).status_code == 200
    assert captured(tmp_path / "capture") == [event().to_dict()]
    assert client(receiver).post("/", content=body(event())).status_code == 500
