"""A schema version ahead of its release: an edit of tables, and every command knows it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from currents_export.catalog import Catalog
from currents_export.receiver import Receiver, listen
from tests.cli.support import run
from tests.support.newer import NEW_VALUES, OLD_TYPE, REVIEW, SEND, THOUGHT, add_newer_version
from tests.support.tables import CopiedTables

NEW_TYPES = (SEND, THOUGHT, REVIEW)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packaged tables with one version more."""
    copied = CopiedTables(tmp_path_factory.mktemp("newer"))
    add_newer_version(copied)
    return copied.directory


#: Traffic depends on its start, too.
FIXED = ("--seed", 1, "--start", "2026-07-01T12:00:00Z")


@pytest.fixture(scope="module")
def catalog(tables: Path) -> Catalog:
    return Catalog.load(directory=tables)


def lines(*args: object) -> list[dict[str, Any]]:
    result = run(*args)
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_demo(tables: Path, catalog: Catalog) -> None:
    result = run("demo", "--catalog", tables, "--json")
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert [report["by_event_type"][name]["delivered"] for name in NEW_TYPES] == [1, 1, 1]
    assert report["accepted"] == len(catalog) == len(Catalog.load()) + len(NEW_TYPES)
    assert (report["missing"], report["received"]["findings"]) == (0, [])


def test_events_and_schema(tables: Path, catalog: Catalog) -> None:
    described = json.loads(run("events", *NEW_TYPES, "--catalog", tables, "--json").stdout)
    assert {each["since"] for each in described} == {catalog.schema_version}
    schema = json.loads(run("schema", SEND, "--catalog", tables).stdout)
    values = schema["properties"]["properties"]["properties"]["brain_wave"]["examples"]
    assert values == ["alpha", "beta"]
    assert run("schema", SEND).exit_code == 2


def test_traffic_is_generated_and_valid(tables: Path, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    types = [option for name in (SEND, OLD_TYPE) for option in ("--event-type", name)]
    args = ("--catalog", tables, *types, "-n", 2_000, *FIXED, "-o", path)
    assert run("generate", *args).exit_code == 0
    events = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    new = [each["properties"] for each in events if each["event_type"] == SEND]
    assert {each["brain_wave"] for each in new} == {"alpha", "beta"}
    assert all(each.get("campaign_id") or each.get("canvas_id") for each in new)
    assert all(each["dispatch_id"] for each in new)
    assert any(each["properties"].get("mood") for each in events if each["event_type"] == OLD_TYPE)
    assert run("validate", path, "--catalog", tables, "--strict").exit_code == 0
    assert run("validate", path, "--strict").exit_code == 1


#: Types of which a thousand events are quickly made; see test_default_makers for the others.
FREQUENT = (OLD_TYPE, "users.behaviors.CustomEvent", "users.campaigns.Conversion")


@pytest.mark.parametrize(
    ("event_type", "field", "new"),
    [(*each[1:3], each[4]) for each in NEW_VALUES if each[1] in FREQUENT],
)
def test_new_value_of_an_old_type(
    tables: Path, tmp_path: Path, event_type: str, field: str, new: str
) -> None:
    path = tmp_path / "events.jsonl"
    args = ("--catalog", tables, "--event-type", event_type, "-n", 1_000, *FIXED, "-o", path)
    assert run("generate", *args).exit_code == 0
    events = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert new in {str(each["properties"].get(field)) for each in events}
    assert run("validate", path, "--catalog", tables, "--strict").exit_code == 0


def test_samples_fill_every_field(tables: Path, catalog: Catalog) -> None:
    filled: dict[str, set[str]] = {}
    for side in ((), ("--canvas",)):
        for each in lines("generate", "--samples", *side, "--catalog", tables, "--seed", 1):
            filled.setdefault(each["event_type"], set()).update(
                f"{part}.{name}" for part in ("user", "properties") for name in each[part]
            )
    assert filled == {each.name: set(each.fields) for each in catalog.values()}


@pytest.mark.parametrize("kind", [("--samples",), ("--samples", "--canvas"), ("--placeholders",)])
def test_samples_are_valid(kind: tuple[str, ...], tables: Path, tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    assert run("generate", *kind, "--catalog", tables, "-o", path).exit_code == 0
    report = json.loads(run("validate", path, "--catalog", tables, "--json").stdout)
    assert report["errors"] == 0
    assert report["findings"] == [] or kind == ("--placeholders",)


def test_send(tables: Path, catalog: Catalog, tmp_path: Path) -> None:
    receiver = Receiver(catalog=catalog)
    path, current = tmp_path / "samples.jsonl", tmp_path / "current.toml"
    args = ("--samples", "--event-type", SEND, "--catalog", tables, "-o", path)
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
        assert run("test", "--current", current, "--json").exit_code == 0
    assert receiver.counts.by_event_type[SEND] == 3
    assert receiver.counts.findings == ()


def test_variable_names_the_tables(
    tables: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CURRENTS_EXPORT_CATALOG_DIR", str(tables))
    assert run("events", SEND).stderr.endswith(f"in schema version {catalog.schema_version}\n")


def test_missing_tables(tmp_path: Path) -> None:
    result = run("events", "--catalog", tmp_path / "none")
    assert (result.exit_code, result.stdout) == (2, "")
    assert str(tmp_path / "none") in result.stderr
