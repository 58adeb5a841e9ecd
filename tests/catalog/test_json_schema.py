"""JSON Schemas are valid, and agree with `check_event`."""

from __future__ import annotations

import functools
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from currents_export.catalog import Catalog, check_event, json_schema
from tests.support.events import EVENT_ID, OPEN, event_with, good_event
from tests.support.strategies import json_values

VERSIONS = [version.number for version in Catalog.versions()]
NEWEST = Catalog.load()

#: Values of every type, especially those at the limits of the types.
values = (
    st.sampled_from(
        [
            *(None, True, False, 0, 1, -1, 1.0, 1.5, 0.0, "", "x", "true", EVENT_ID, [], [None]),
            *(["a"], ["a", 1], {}, {"a": 1}, 10**11, 10**11 - 1, 1e11, 1e300, -1.0, 2**64 - 1),
            *(-(2**63), 2.0**64, -1e300, ["a", None]),
        ]
    )
    | json_values
)


@functools.cache
def validator(name: str, version: int) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json_schema(Catalog.load(version)[name], version))


def errors(name: str, version: int, event: dict[str, Any]) -> list[str]:
    return [
        f"{found.field}: {found.problem}"
        for found in check_event(Catalog.load(version), event)
        if found.level == "error"
    ]


def is_valid(name: str, version: int, event: dict[str, Any]) -> bool:
    return bool(validator(name, version).is_valid(event))


@pytest.mark.parametrize("version", [VERSIONS[0], VERSIONS[-1]])
def test_schemas_are_valid(version: int) -> None:
    for each in Catalog.load(version).event_types:
        schema = json_schema(each, version)
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert schema["title"] == each.name
        assert schema["description"] == f"{each.description} Currents schema version {version}."


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("optional", [False, True])
def test_good_events_are_valid(version: int, optional: bool) -> None:
    for each in Catalog.load(version).event_types:
        assert is_valid(each.name, version, good_event(each, optional=optional))


def test_schema_of_a_field() -> None:
    schema = json_schema(NEWEST[OPEN], NEWEST.schema_version)
    fields = schema["properties"]["properties"]["properties"]
    assert fields["campaign_id"]["format"] == "uuid"
    assert fields["email_address"]["format"] == "email"
    assert fields["device_class"]["examples"] == ["mobile", "desktop", "tablet"]
    assert fields["device_class"]["type"] == ["string", "null"]
    assert schema["properties"]["user"]["properties"]["user_id"]["type"] == "string"
    assert schema["properties"]["event_type"] == {"const": OPEN}


def test_examples_have_the_right_type() -> None:
    for each in NEWEST.event_types:
        schema = json_schema(each, NEWEST.schema_version)
        for part in ("user", "properties"):
            for field in schema["properties"][part]["properties"].values():
                for example in field.get("examples", ()):
                    assert jsonschema.Draft202012Validator(field).is_valid(example)


def test_schemas_share_nothing() -> None:
    each = NEWEST["users.messages.sms.InboundReceive"]

    def items(schema: dict[str, Any]) -> Any:
        return schema["properties"]["properties"]["properties"]["media_urls"]["items"]

    items(json_schema(each, 1))["type"].append("boolean")
    assert items(json_schema(each, 1)) == {"type": ["string", "null"]}


@pytest.mark.parametrize("version", VERSIONS)
def test_required_fields(version: int) -> None:
    for each in Catalog.load(version).event_types:
        for field in each.fields.values():
            event = good_event(each)
            if field.required:
                del event[field.part][field.name]
                assert not is_valid(each.name, version, event)
                assert errors(each.name, version, event)


def test_field_that_became_optional() -> None:
    name, path = "users.messages.whatsapp.InboundReceive", "properties.user_phone_number"
    optional_since = NEWEST[name].fields[path].optional_since
    assert optional_since is not None
    event = good_event(NEWEST[name])
    assert "user_phone_number" not in event["properties"]
    assert not is_valid(name, optional_since - 1, event)
    assert is_valid(name, optional_since, event)


def test_time_with_a_decimal_point() -> None:
    event = good_event(NEWEST[OPEN]) | {"time": 1_782_907_200.0}
    assert errors(OPEN, VERSIONS[-1], event)
    assert is_valid(OPEN, VERSIONS[-1], event)


def test_large_numbers_in_objects() -> None:
    name = "users.behaviors.CustomEvent"
    event = event_with("properties.custom_properties", {"n": 2**64}, name)
    assert errors(name, VERSIONS[-1], event)
    assert is_valid(name, VERSIONS[-1], event)


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, int, dict[str, Any]]:
    """Make a good event of any type and version, and change or remove a few things in it."""
    version = draw(st.sampled_from(VERSIONS))
    each = draw(st.sampled_from(Catalog.load(version).event_types))
    event = good_event(each, optional=draw(st.booleans()))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(["top", "user", "properties", "properties", "properties"]))
        if place == "top":
            target, names = event, ["id", "time", "time", "user", "properties", "more"]
        elif isinstance(event.get(place), dict):
            known = [field.name for field in each.fields.values() if field.part == place]
            target, names = event[place], [*known, "more"]
        else:
            continue
        name = draw(st.sampled_from(names))
        if draw(st.booleans()):
            target.pop(name, None)
        else:
            target[name] = draw(values)
    return each.name, version, event


def is_time_with_a_point(event: dict[str, Any]) -> bool:
    return isinstance(event.get("time"), float)


@given(mutated().filter(lambda case: not is_time_with_a_point(case[2])))
@settings(max_examples=600)
def test_schema_and_check_agree(case: tuple[str, int, dict[str, Any]]) -> None:
    name, version, event = case
    rejected = [error.message for error in validator(name, version).iter_errors(event)]
    assert bool(errors(name, version, event)) == bool(rejected), rejected


@pytest.mark.parametrize(
    "value", [None, True, 0, 1.0, 1.5, "x", ["a"], ["a", None], ["a", 1], {}, 2**64 - 1, 1e300]
)
def test_schema_and_check_agree_everywhere(value: Any) -> None:
    for each in NEWEST.event_types:
        for field in each.fields.values():
            event = good_event(each)
            event[field.part][field.name] = value
            found = errors(each.name, VERSIONS[-1], event)
            assert is_valid(each.name, VERSIONS[-1], event) == (not found), field.path
