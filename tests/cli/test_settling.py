from __future__ import annotations

from collections.abc import Callable

import pytest

from currents_export.cli._qa import parse_address
from currents_export.cli._settling import wait_until_settled
from currents_export.errors import OptionError


class Stream:
    """Arrivals at given seconds, and the clock that they follow."""

    def __init__(
        self, *at: float, interrupted_at: float = float("inf"), exists_at: float = 0
    ) -> None:
        self._at = at
        self._interrupted_at = interrupted_at
        self._exists_at = exists_at
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def arrived(self) -> int | None:
        if self.time < self._exists_at:
            return None
        return sum(at <= self.time for at in self._at)

    def wait(self, seconds: float) -> bool:
        assert seconds > 0
        self.time += seconds
        return self.time >= self._interrupted_at


def settled(stream: Stream, on_more: Callable[[int], object] = lambda _: None) -> bool:
    return wait_until_settled(
        stream.arrived,
        settle=60,
        timeout=600,
        wait=stream.wait,
        now=stream.now,
        on_more=on_more,
    )


@pytest.mark.parametrize(
    ("stream", "is_settled", "after"),
    [
        (Stream(), True, 60),
        (Stream(0), True, 60),
        (Stream(10, 50, 109), True, 169),
        (Stream(10, 71), True, 70),
        (Stream(*range(0, 1000, 30)), False, 600),
        (Stream(exists_at=200), True, 260),
        (Stream(exists_at=700), False, 600),
        (Stream(10, interrupted_at=20), False, 20),
    ],
)
def test_settling(stream: Stream, is_settled: bool, after: float) -> None:
    assert settled(stream) is is_settled
    assert stream.time == pytest.approx(after, abs=0.3)


def test_counts_what_is_new() -> None:
    more: list[int] = []
    assert settled(Stream(0, 0, 5, 6, 6), more.append)
    assert more == [2, 1, 2]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8090", ("127.0.0.1", 8090)),
        ("8090", ("127.0.0.1", 8090)),
        (":0", ("127.0.0.1", 0)),
        ("[::1]:8090", ("::1", 8090)),
        ("0.0.0.0:65535", ("0.0.0.0", 65535)),
    ],
)
def test_addresses(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", "localhost", "a:b", "a:", "a:65536", "a:9999999", "a:-1"])
def test_wrong_addresses(text: str) -> None:
    with pytest.raises(OptionError, match=r"must be like 127\.0\.0\.1:8090"):
        parse_address(text)
