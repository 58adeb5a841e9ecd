"""The JSON Schemas are sound, and say what the conformance check says."""

from __future__ import annotations

import functools
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from currents_export.catalog import Catalog, check_event, json_schema
from tests.support.events import EVENT_ID, good_event
from tests.support.strategies import json_values

VERSIONS = [version.number for version in Catalog.versions()]

#: Values of every type, those at the borders of the types above all.
_values = (
    st.sampled_from(
        [
            *(None, True, False, 0, 1, -1, 1.0, 1.5, 0.0, "", "x", "true", EVENT_ID, [], [None]),
            *(["a"], ["a", 1], {}, {"a": 1}, 10**11, 10**11 - 1, 1e11, 1e300, -1.0, 2**80),
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


@pytest.mark.parametrize("version", [VERSIONS[0], VERSIONS[-1]])
def test_the_schema_of_every_type_is_valid(version: int) -> None:
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
        event = good_event(each, optional=optional)
        assert validator(each.name, version).is_valid(event)


def test_the_schema_says_of_a_field_what_the_catalog_knows() -> None:
    schema = json_schema(Catalog.load()["users.messages.email.Open"], 10)
    fields = schema["properties"]["properties"]["properties"]
    assert fields["campaign_id"]["format"] == "uuid"
    assert fields["email_address"]["format"] == "email"
    assert fields["device_class"]["examples"] == ["mobile", "desktop", "tablet"]
    assert fields["device_class"]["type"] == ["string", "null"]
    assert schema["properties"]["user"]["properties"]["user_id"]["type"] == "string"
    assert schema["properties"]["event_type"] == {"const": "users.messages.email.Open"}


def test_the_examples_are_of_the_type_of_their_field() -> None:
    for each in Catalog.load().event_types:
        schema = json_schema(each, 10)
        for part in ("user", "properties"):
            for field in schema["properties"][part]["properties"].values():
                for example in field.get("examples", ()):
                    assert jsonschema.Draft202012Validator(field).is_valid(example)


def test_one_schema_shares_nothing_with_another() -> None:
    each = Catalog.load()["users.messages.sms.InboundReceive"]
    first = json_schema(each, 10)
    first["properties"]["properties"]["properties"]["media_urls"]["items"]["type"] = "null"
    again = json_schema(each, 10)
    assert again["properties"]["properties"]["properties"]["media_urls"]["items"] == {
        "type": "string"
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_an_event_that_lacks_a_required_field_is_invalid(version: int) -> None:
    for each in Catalog.load(version).event_types:
        for field in each.fields.values():
            event = good_event(each)
            if field.required:
                del event[field.part][field.name]
                assert not validator(each.name, version).is_valid(event)
                assert errors(each.name, version, event)


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, int, dict[str, Any]]:
    """A good event of any type and version, in which a few things were changed or taken out."""
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
            target[name] = draw(_values)
    return each.name, version, event


@given(mutated())
@settings(max_examples=600)
def test_an_event_has_an_error_if_and_only_if_the_schema_rejects_it(
    case: tuple[str, int, dict[str, Any]],
) -> None:
    name, version, event = case
    rejected = [error.message for error in validator(name, version).iter_errors(event)]
    assert bool(errors(name, version, event)) == bool(rejected), rejected


@pytest.mark.parametrize("value", [None, True, 0, 1.0, 1.5, "x", ["a"], ["a", 1], {}, 2**80])
def test_schema_and_check_agree_on_every_field(value: Any) -> None:
    for each in Catalog.load().event_types:
        for field in each.fields.values():
            event = good_event(each)
            event[field.part][field.name] = value
            is_valid = validator(each.name, 10).is_valid(event)
            assert is_valid == (not errors(each.name, 10, event)), field.path
