"""Conformance findings of a receiver."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from currents_export.catalog import Catalog, FindingCode
from currents_export.receiver import AppTransport, FindingCount, Receiver
from tests.support.events import OPEN, event, make_events
from tests.support.receivers import Client, body, broken


def test_conforming_events(client: Client) -> None:
    receiver = Receiver()
    client(receiver).post("/", content=body(*make_events(3)))
    assert (receiver.counts.errors, receiver.counts.warnings, receiver.counts.findings) == (
        0,
        0,
        (),
    )


def test_most_frequent_finding_is_first(client: Client) -> None:
    receiver = Receiver()
    client(receiver).post("/", content=body(event(0, unknown=1), broken(1), broken(2)))
    error, warning = receiver.counts.findings
    assert (receiver.counts.errors, receiver.counts.warnings) == (2, 1)
    assert (error.level, error.event_type, error.count) == ("error", OPEN, 2)
    assert error.field == "properties.email_address"
    assert "7" in error.problem
    assert (warning.level, warning.field, warning.count) == ("warning", "properties.unknown", 1)


def test_finding_shows_first_problem(client: Client) -> None:
    receiver = Receiver()
    first = broken(1) | {"properties": {"email_address": 1}}
    second = broken(2) | {"properties": {"email_address": 2}}
    client(receiver).post("/", content=body(first, second))
    (finding,) = receiver.counts.findings
    assert finding == FindingCount(
        "error",
        OPEN,
        "properties.email_address",
        "it is 1",
        finding.expected,
        2,
        FindingCode.WRONG_TYPE,
    )


def test_kinds_of_findings_are_bounded(client: Client) -> None:
    receiver = Receiver()
    new: dict[str, Any] = {f"new_{n}": 1 for n in range(1_005)}
    client(receiver).post("/", content=body(event(0, **new)))
    client(receiver).post("/", content=body(event(1, new_7=1, new_1004=1)))
    counts = receiver.counts
    assert len(counts.findings) == 1_000
    assert counts.warnings == 1_007
    assert (counts.findings[0].field, counts.findings[0].count) == ("properties.new_7", 2)


def test_catalog_of_another_version(client: Client) -> None:
    old, new = Receiver(catalog=Catalog.load(1)), Receiver()
    for receiver in (old, new):
        client(receiver).post("/", content=body(event(0, "users.messages.banner.Click")))
    assert any(each.field == "event_type" for each in old.counts.findings)
    assert not any(each.field == "event_type" for each in new.counts.findings)


def test_check_can_be_off(client: Client) -> None:
    receiver = Receiver(check=False)
    response = client(receiver).post("/", headers={"Content-Type": "x"}, content=body(broken()))
    assert response.status_code == 200
    assert receiver.counts.findings == ()
    assert len(receiver.events) == 1


def test_strict_takes_nothing(tmp_path: Path, client: Client) -> None:
    receiver = Receiver(strict=True, check=False, capture=tmp_path / "capture")
    response = client(receiver).post("/", content=body(event(1), broken(2), broken(3)))
    assert response.status_code == 400
    assert "2 conformance errors; " in response.text
    assert "properties.email_address" in response.text
    assert receiver.events == []
    assert (receiver.counts.events, receiver.counts.errors) == (0, 2)
    assert client(receiver).post("/", content=body(event(1, unknown=1))).status_code == 200
    assert (receiver.counts.events, receiver.counts.warnings) == (1, 1)
    receiver.close()
    assert (tmp_path / "capture").read_bytes().count(b"\n") == 1


@pytest.mark.parametrize(
    ("headers", "problem"),
    [
        ({"Content-Type": "text/plain"}, "the header is 'text/plain'"),
        ({"Content-Type": ""}, "the header is ''"),
        ({"Braze-Currents-Version": "2"}, "the header is '2'"),
    ],
)
def test_unusual_headers(headers: dict[str, str], problem: str, client: Client) -> None:
    receiver = Receiver()
    assert client(receiver).post("/", headers=headers, content=body(event())).status_code == 200
    (finding,) = receiver.counts.findings
    (name,) = headers
    assert (finding.level, finding.event_type, finding.field) == ("warning", None, name)
    assert finding.problem == problem


def test_missing_headers() -> None:
    receiver = Receiver()
    with httpx.Client(transport=AppTransport(receiver.app)) as plain:
        plain.post("http://receiver.test/", content=body(event()))
    assert {each.field for each in receiver.counts.findings} == {
        "Content-Type",
        "Braze-Currents-Version",
    }
    assert {each.problem for each in receiver.counts.findings} == {"the header is missing"}


def test_content_type_with_charset(client: Client) -> None:
    receiver = Receiver()
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    client(receiver).post("/", headers=headers, content=body(event()))
    assert receiver.counts.findings == ()


def test_strict_ignores_headers(client: Client) -> None:
    receiver = Receiver(strict=True)
    headers = {"Content-Type": "text/plain"}
    assert client(receiver).post("/", headers=headers, content=body(event())).status_code == 200
