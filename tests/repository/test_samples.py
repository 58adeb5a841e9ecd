from __future__ import annotations

import json
from pathlib import Path

from currents_export.catalog import Catalog, check_event
from currents_export.current import Current, Region
from currents_export.reading import Located, read_path
from currents_export.simulation import SAMPLE_TIME, World

SAMPLES = Path(__file__).parents[2] / "samples"


def samples() -> list[Located]:
    items = [*read_path(SAMPLES / "events.jsonl")]
    assert all(isinstance(item, Located) for item in items)
    return [item for item in items if isinstance(item, Located)]


def test_one_valid_event_of_every_type() -> None:
    catalog = Catalog.load()
    assert [item.value["event_type"] for item in samples()] == list(catalog)
    for item in samples():
        assert check_event(catalog, item.value) == []


def test_events_are_those_the_product_makes() -> None:
    """Names of people come from Faker, whose lists change; everything else comes from this
    package."""

    def ours(value: dict[str, object]) -> object:
        return json.loads(json.dumps(value), object_pairs_hook=lambda pairs: [k for k, _ in pairs])

    world = World(1)
    for item in samples():
        made = world.sample(item.value["event_type"], time=SAMPLE_TIME).to_dict()
        assert (made["id"], made["time"]) == (item.value["id"], item.value["time"])
        assert ours(made) == ours(item.value)


def test_current_is_valid() -> None:
    current = Current.load(SAMPLES / "current.toml", environ={})
    assert current.region is Region.US
    assert "users.messages.email.Open" in current.selected
    assert set(current.field_transformations) == {"email_address", "to_phone_number"}
