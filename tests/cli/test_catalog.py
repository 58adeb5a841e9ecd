from __future__ import annotations

import json

import pytest

from currents_export.catalog import Catalog
from tests.cli.support import run
from tests.support.events import CLICK, OPEN


def test_events_by_pattern() -> None:
    result = run("events", "users.messages.email.*")
    assert result.exit_code == 0
    header, *rows = result.stdout.splitlines()
    assert header.split() == ["event", "type", "family", "since", "status", "description"]
    expected = Catalog.load().select("users.messages.email.*")
    assert [row.split()[0] for row in rows] == [each.name for each in expected]
    assert (
        result.stderr
        == f"{len(rows)} event types in schema version {Catalog.load().schema_version}\n"
    )


def test_events_of_a_version() -> None:
    all_, first = json.loads(run("events", "--json").stdout), run("events", "--schema-version", 1)
    assert [each["name"] for each in all_] == [each.name for each in Catalog.load().event_types]
    assert set(all_[0]) == {"name", "family", "since", "status", "description"}
    assert len(first.stdout.splitlines()) == 1 + len(Catalog.load(1).event_types)


def test_events_with_fields() -> None:
    result = run("events", OPEN, CLICK, "--fields")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert sum(line.startswith(("users.messages.email.Open: ",)) for line in lines) == 1
    user_id = next(line.split() for line in lines if line.startswith("user.user_id "))
    assert user_id[:4] == ["user.user_id", "string", "yes", "1"]
    (report,) = json.loads(run("events", OPEN, "--fields", "--json").stdout)
    paths = [field["path"] for field in report["fields"]]
    assert paths == [field.path for field in Catalog.load()[OPEN].fields.values()]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["events", "users.messages.email.Opne"], "did you mean 'users.messages.email.Open'"),
        (["events", "email.Opne"], "did you mean 'users.messages.email.Open'"),
        (["events", "--schema-version", "99"], "schema version 99 is not known"),
        (["schema", "users.messages.email.Opne"], "did you mean 'users.messages.email.Open'"),
        (["schema", OPEN, "--schema-version", "0"], "schema version 0 is not known"),
        (["schema", "users.messages.banner.Click", "--schema-version", "1"], "schema version"),
        (["generate", "--event-type", "email.Opne"], "did you mean 'users.messages.email.Open'"),
        (["generate", "--schema-version", "99"], "schema version 99 is not known"),
        (["validate", "--schema-version", "99"], "schema version 99 is not known"),
        (["serve", "--schema-version", "99"], "schema version 99 is not known"),
    ],
)
def test_unknown_name(args: list[str], says: str) -> None:
    result = run(*args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ")
    assert says in result.stderr


def test_schema() -> None:
    wide, narrow = run("schema", OPEN), run("schema", OPEN, "--json")
    assert json.loads(wide.stdout) == json.loads(narrow.stdout)
    assert len(narrow.stdout.splitlines()) == 1 < len(wide.stdout.splitlines())
    assert "user_id" in wide.stdout
