"""A schema version ahead of its release: every command uses it after an edit of the tables."""

from __future__ import annotations

import json
import shutil
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pytest

from currents_export.catalog import Catalog
from currents_export.receiver import Receiver, listen
from tests.cli.support import run
from tests.support.events import CLICK

NEW_TYPE = "users.messages.skywriting.Send"
#: A type in a channel that no table and no code names.
TYPE_ROW = (
    NEW_TYPE,
    "message_engagement",
    "{version}",
    "beta",
    "A message was written in the sky.",
)
FIELD_ROWS = (
    (NEW_TYPE, "user", "user_id", "string", "yes", "yes"),
    (NEW_TYPE, "user", "external_user_id", "string", "no", "yes"),
    (NEW_TYPE, "properties", "app_group_id", "string", "no", "no"),
    (NEW_TYPE, "properties", "campaign_id", "string", "no", "no"),
    (NEW_TYPE, "properties", "canvas_id", "string", "no", "no"),
    (NEW_TYPE, "properties", "dispatch_id", "string", "no", "no"),
    (NEW_TYPE, "properties", "message_variation_id", "string", "no", "no"),
    (NEW_TYPE, "properties", "aircraft", "string", "yes", "no"),
    (NEW_TYPE, "properties", "wind_speed", "number", "no", "no"),
    (NEW_TYPE, "properties", "crew", "array<string>", "no", "no"),
    (NEW_TYPE, "properties", "flight_plan", "object", "no", "no"),
    (NEW_TYPE, "properties", "is_visible", "boolean", "yes", "no"),
    # A new field of an old type.
    (CLICK, "properties", "cursor_speed", "integer", "no", "no"),
)
#: A new field's values, and a new value of an old field.
AIRCRAFT = ("biplane", "drone")


def append(path: Path, *rows: tuple[str, ...]) -> None:
    with path.open("a", encoding="utf-8") as table:
        table.writelines("\t".join(row) + "\n" for row in rows)


@pytest.fixture(scope="module")
def version() -> int:
    return Catalog.load().schema_version + 1


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory, version: int) -> Path:
    """Copy the packaged tables, and add a version."""
    directory = tmp_path_factory.mktemp("catalog") / "tables"
    with as_file(files("currents_export.catalog") / "data") as packaged:
        shutil.copytree(packaged, directory)
    append(directory / "event_types.tsv", tuple(each.format(version=version) for each in TYPE_ROW))
    append(directory / "event_fields.tsv", *((*each, str(version), "") for each in FIELD_ROWS))
    append(directory / "field_values.tsv", (NEW_TYPE, "aircraft", "", "|".join(AIRCRAFT), "no"))
    types, fields = (
        Catalog.load().event_types,
        sum(len(e.fields) for e in Catalog.load().event_types),
    )
    append(
        directory / "versions.tsv",
        (str(version), "2027-01-06", str(len(types) + 1), str(fields + len(FIELD_ROWS))),
    )
    return directory


def lines(*args: object) -> list[dict[str, Any]]:
    result = run(*args)
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_demo(tables: Path, version: int) -> None:
    result = run("demo", "--catalog", tables, "--json")
    assert result.exit_code == 0, result.stderr
    reported = json.loads(result.stdout)
    assert reported["by_event_type"][NEW_TYPE]["delivered"] == 1
    assert (reported["missing"], reported["received"]["findings"]) == (0, [])
    assert reported["accepted"] == len(Catalog.load(version, tables))


def test_events_and_schema(tables: Path, version: int) -> None:
    (described,) = json.loads(run("events", NEW_TYPE, "--catalog", tables, "--json").stdout)
    assert described["since"] == version
    schema = json.loads(run("schema", NEW_TYPE, "--catalog", tables).stdout)
    assert schema["properties"]["properties"]["properties"]["aircraft"]["examples"] == [*AIRCRAFT]
    assert run("schema", NEW_TYPE).exit_code == 2


def test_traffic_is_generated_and_valid(tables: Path, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    args = ("--catalog", tables, "--event-type", NEW_TYPE, "--event-type", CLICK, "-n", 200)
    assert run("generate", *args, "--seed", 1, "-o", path).exit_code == 0
    events = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    new = [each["properties"] for each in events if each["event_type"] == NEW_TYPE]
    assert {each["aircraft"] for each in new} == {*AIRCRAFT}
    assert all(each.get("campaign_id") or each.get("canvas_id") for each in new)
    assert all(each["dispatch_id"] for each in new)
    assert any("cursor_speed" in each["properties"] for each in events)
    assert run("validate", path, "--catalog", tables, "--strict").exit_code == 0
    assert run("validate", path, "--strict").exit_code == 1


def test_samples_fill_every_field(tables: Path, version: int) -> None:
    catalog = Catalog.load(version, tables)
    filled: dict[str, set[str]] = {}
    for side in ((), ("--canvas",)):
        for each in lines("generate", "--samples", *side, "--catalog", tables, "--seed", 1):
            filled.setdefault(each["event_type"], set()).update(
                f"{part}.{name}" for part in ("user", "properties") for name in each[part]
            )
    for event_type in (catalog[NEW_TYPE], catalog[CLICK]):
        assert filled[event_type.name] == set(event_type.fields)


@pytest.mark.parametrize("kind", [("--samples",), ("--samples", "--canvas"), ("--placeholders",)])
def test_samples_are_valid(kind: tuple[str, ...], tables: Path, tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    assert run("generate", *kind, "--catalog", tables, "-o", path).exit_code == 0
    checked = json.loads(run("validate", path, "--catalog", tables, "--json").stdout)
    assert checked["errors"] == 0
    if kind != ("--placeholders",):
        assert checked["findings"] == []


def test_send(tables: Path, tmp_path: Path, version: int) -> None:
    receiver = Receiver(catalog=Catalog.load(version, tables))
    path, current = tmp_path / "samples.jsonl", tmp_path / "current.toml"
    args = ("--samples", "--event-type", NEW_TYPE, "--catalog", tables, "-o", path)
    assert run("generate", *args).exit_code == 0
    with listen(receiver) as url:
        current.write_text(
            f'integration_name = "x"\ncontact_email = "x@example.com"\nendpoint = "{url}"\n'
        )
        result = run("send", path, "--current", current, "--catalog", tables)
        assert result.exit_code == 0, result.stderr
        assert run("send", path, "--current", current).exit_code == 2
        current.write_text(f"{current.read_text()}catalog_dir = {json.dumps(str(tables))}\n")
        assert run("send", path, "--current", current).exit_code == 0
    assert receiver.counts.by_event_type == {NEW_TYPE: 2}
    assert receiver.counts.findings == ()


def test_variable_names_the_tables(
    tables: Path, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CURRENTS_EXPORT_CATALOG_DIR", str(tables))
    assert run("events", NEW_TYPE).stderr.endswith(f"in schema version {version}\n")


def test_missing_tables(tmp_path: Path) -> None:
    result = run("events", "--catalog", tmp_path / "none")
    assert (result.exit_code, result.stdout) == (2, "")
    assert str(tmp_path / "none") in result.stderr
