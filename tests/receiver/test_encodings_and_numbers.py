"""Encodings and numbers that a receiver takes, and what it says about others."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import orjson
import pytest

from currents_export.payload import encode_body, encode_event
from currents_export.receiver import AppTransport, Receiver, listen
from tests.support.events import event

BODY = encode_body([encode_event(event())])


@contextmanager
def client(receiver: Receiver) -> Iterator[httpx.Client]:
    transport = AppTransport(receiver.app)
    with httpx.Client(transport=transport, base_url="http://receiver.test") as made:
        yield made


@pytest.mark.parametrize("encoding", ["gzip", " GZIP ", "x-gzip"])
def test_gzip_is_decoded(encoding: str) -> None:
    receiver = Receiver()
    with client(receiver) as to:
        response = to.post("/", content=gzip.compress(BODY), headers={"Content-Encoding": encoding})
    assert (response.status_code, receiver.events) == (200, [event().to_dict()])


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_gzip_in_parts(size: int) -> None:
    receiver = Receiver()
    content = gzip.compress(BODY)
    parts = (content[at : at + size] for at in range(0, len(content), size))
    with listen(receiver) as url:
        response = httpx.post(url, content=parts, headers={"Content-Encoding": "gzip"})
    assert (response.status_code, receiver.events) == (200, [event().to_dict()])


def test_empty_body_with_gzip_header() -> None:
    receiver = Receiver()
    with client(receiver) as to:
        response = to.post("/", headers={"Content-Encoding": "gzip"})
    assert (response.status_code, receiver.counts.events) == (200, 0)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (BODY, "not valid gzip\n"),
        (b"\x1f\x8b", "not valid gzip: its end is missing"),
        (gzip.compress(BODY)[:-1], "not valid gzip: its end is missing"),
        (gzip.compress(BODY)[:-8] + bytes(8), "not valid gzip\n"),
        (gzip.compress(BODY) + b"{", "not valid gzip: bytes follow its end"),
        (gzip.compress(BODY) * 2, "not valid gzip: bytes follow its end"),
    ],
)
def test_broken_gzip_is_answered_400(content: bytes, says: str) -> None:
    receiver = Receiver()
    with client(receiver) as to:
        response = to.post("/", content=content, headers={"Content-Encoding": "gzip"})
    assert (response.status_code, receiver.counts.events) == (400, 0)
    assert says in response.text


@pytest.mark.parametrize(
    ("content", "headers", "says"),
    [
        (gzip.compress(BODY), {}, "send it once, with the header Content-Encoding: gzip"),
        (gzip.compress(BODY), {"Content-Encoding": "identity"}, "compressed (gzip)"),
        (
            gzip.compress(gzip.compress(BODY)),
            {"Content-Encoding": "gzip"},
            "compressed (gzip); send it once",
        ),
        (BODY, {"Content-Encoding": "br"}, "compressed ('br')"),
        (BODY, {"Content-Encoding": "gzip, gzip"}, "compressed ('gzip, gzip')"),
        (BODY, {"Content-Encoding": "deflate"}, "it must be plain JSON or gzip"),
    ],
)
def test_other_encodings_are_answered_415(
    content: bytes, headers: dict[str, str], says: str
) -> None:
    receiver = Receiver()
    with client(receiver) as to:
        response = to.post("/", content=content, headers=headers)
    assert (response.status_code, receiver.counts.events) == (415, 0)
    assert says in response.text


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
