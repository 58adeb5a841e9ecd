"""Bodies that a receiver does not take, and what it says about them."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import orjson
import pytest

from currents_export.payload import encode_body, encode_event
from currents_export.receiver import AppTransport, Receiver
from tests.support.events import event

BODY = encode_body([encode_event(event())])


@contextmanager
def client(receiver: Receiver) -> Iterator[httpx.Client]:
    transport = AppTransport(receiver.app)
    with httpx.Client(transport=transport, base_url="http://receiver.test") as made:
        yield made


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (gzip.compress(BODY), {"Content-Encoding": "gzip"}),
        (gzip.compress(BODY), {"Content-Encoding": " GZIP "}),
        (gzip.compress(BODY), {}),
        (BODY, {"Content-Encoding": "gzip"}),
    ],
)
def test_gzip_is_answered_415(content: bytes, headers: dict[str, str]) -> None:
    receiver = Receiver()
    with client(receiver) as to:
        response = to.post("/", content=content, headers=headers)
    assert response.status_code == 415
    assert "compressed (gzip)" in response.text
    assert receiver.counts.events == 0


@pytest.mark.parametrize("encoding", ["", "identity"])
def test_plain_bodies_are_taken(encoding: str) -> None:
    receiver = Receiver()
    with client(receiver) as to:
        response = to.post("/", content=BODY, headers={"Content-Encoding": encoding})
    assert (response.status_code, receiver.counts.events) == (200, 1)


@pytest.mark.parametrize(
    "number", ["123456789012345678901234567890", str(2**64), str(-(2**63) - 1)]
)
def test_large_number_is_answered_400(number: str) -> None:
    receiver = Receiver(check=False)
    events = [event(0).to_dict(), event(1, nested={"list": [1, "N"]}).to_dict()]
    content = orjson.dumps({"events": events}).replace(b'"N"', number.encode())
    with client(receiver) as to:
        response = to.post("/", content=content)
    assert response.status_code == 400
    field = "events[1].properties.nested.list[1]"
    problem = "a whole number of more than 64 bits; write it as a string"
    assert response.text == f"{field} is {number}, {problem}\n"
    assert receiver.counts.events == 0


def test_largest_numbers_are_taken() -> None:
    receiver = Receiver(check=False)
    numbers = [2**64 - 1, -(2**63)]
    with client(receiver) as to:
        response = to.post("/", content=encode_body([encode_event(event(numbers=numbers))]))
    assert response.status_code == 200
    assert receiver.events[0]["properties"]["numbers"] == numbers
