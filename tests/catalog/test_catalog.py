"""The catalog as a mapping: its contents and lookups."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.catalog import Catalog, EventType
from currents_export.errors import CurrentsExportError, UnknownNameError
from tests.support.events import OPEN

NEWEST = Catalog.load()
FIRST = Catalog.load(1)


def test_is_a_mapping() -> None:
    assert isinstance(NEWEST, Mapping)
    assert list(NEWEST.keys()) == list(NEWEST) == sorted(NEWEST)
    assert tuple(NEWEST.values()) == NEWEST.event_types
    assert dict(NEWEST.items()) == {each.name: each for each in NEWEST.event_types}
    assert len(NEWEST) == len(NEWEST.event_types)


def test_getting_an_event_type() -> None:
    found = NEWEST[OPEN]
    assert isinstance(found, EventType)
    assert (found.name, found.family, found.since) == (OPEN, "message_engagement", 1)
    assert OPEN in NEWEST
    assert NEWEST.get(OPEN) is found


def test_getting_with_a_default() -> None:
    assert NEWEST.get("users.messages.email.Opne") is None
    assert NEWEST.get("users.messages.email.Opne", 5) == 5
    assert "users.messages.email.Opne" not in NEWEST


def test_equals_only_itself() -> None:
    assert Catalog.load() == NEWEST
    assert Catalog.load(Catalog.versions()[-2].number) != NEWEST
    assert len({NEWEST, FIRST, Catalog.load(1)}) == 2


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_copies_are_the_catalog_itself(copied: Any) -> None:
    assert copied(NEWEST) is NEWEST
    assert copied(FIRST) is FIRST


def test_event_types_can_be_copied() -> None:
    each = NEWEST[OPEN]
    assert pickle.loads(pickle.dumps(each)) == copy.deepcopy(each) == each


def test_cannot_be_changed() -> None:
    fields: Any = NEWEST[OPEN].fields
    with pytest.raises(TypeError):
        fields["properties.price"] = None
    with pytest.raises(AttributeError):
        NEWEST.schema_version = 1  # type: ignore[misc]


def test_repr_is_short() -> None:
    assert repr(FIRST) == "Catalog(schema_version=1, directory=None)"


# Unknown names


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("users.messages.email.Opne", OPEN),
        ("email.Click", "users.messages.email.Click"),
        ("users.behaviors.purchase", "users.behaviors.Purchase"),
    ],
)
def test_unknown_name_has_the_nearest(name: str, nearest: str) -> None:
    for look_up in (NEWEST.__getitem__, NEWEST.select):
        with pytest.raises(UnknownNameError) as caught:
            look_up(name)
        assert str(caught.value).startswith(f"unknown event type {name!r}; did you mean")
        assert repr(nearest) in str(caught.value)
        assert caught.value.name == name
        assert caught.value.nearest[0] == nearest


def test_unknown_name_without_neighbors() -> None:
    with pytest.raises(UnknownNameError) as caught:
        NEWEST["zzz"]
    assert str(caught.value) == "unknown event type 'zzz'"
    assert caught.value.nearest == ()


def test_unknown_name_is_a_key_error() -> None:
    with pytest.raises(KeyError) as caught:
        NEWEST["zzz"]
    assert isinstance(caught.value, CurrentsExportError)
    assert str(caught.value) == caught.value.args[0]


@pytest.mark.parametrize("name", [5, None, ("a",), 1.5])
def test_name_of_another_type(name: Any) -> None:
    assert name not in NEWEST
    with pytest.raises(KeyError, match="is not the name of an event type"):
        NEWEST[name]


@pytest.mark.parametrize(
    "pattern",
    [
        "users.canvas.costep.Send",
        "users.messages.banner.*",
        "agent_console",
        "agentconsole.*",
        "*.Retry",
    ],
)
def test_later_name_says_its_version(pattern: str) -> None:
    since = min(each.since for each in NEWEST.select(pattern))
    with pytest.raises(UnknownNameError) as caught:
        FIRST.select(pattern)
    assert str(caught.value) == (
        f"event type {pattern!r} was introduced in schema version {since}; this is version 1"
    )
    assert Catalog.load(since).select(pattern)
    with pytest.raises(UnknownNameError):
        Catalog.load(since - 1).select(pattern)


def test_get_of_a_later_name() -> None:
    name = "users.canvas.costep.Send"
    since = NEWEST[name].since
    with pytest.raises(
        UnknownNameError, match=f"was introduced in schema version {since}; this is"
    ):
        Catalog.load(since - 1)[name]


# Selections


def test_glob_is_not_a_name() -> None:
    with pytest.raises(UnknownNameError, match=r"no event type matches 'users\.\*'"):
        NEWEST["users.*"]
    assert "users.*" not in NEWEST


@pytest.mark.parametrize("family", NEWEST.families)
def test_select_by_family(family: str) -> None:
    found = NEWEST.select(family)
    assert [each.name for each in found] == [
        each.name for each in NEWEST.event_types if each.family == family
    ]


def test_families_of_a_version() -> None:
    assert NEWEST.families == ("agent_console", "customer_behavior", "message_engagement", "user")
    assert "agent_console" not in FIRST.families


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        (OPEN, {OPEN}),
        ("users.canvas.E?try", {"users.canvas.Entry"}),
        ("users.messages.email.[OC]*", {OPEN, "users.messages.email.Click"}),
        ("users.messages.*.Retry", {name for name in NEWEST if name.endswith(".Retry")}),
        ("*", set(NEWEST)),
        ("email.*", {name for name in NEWEST if name.startswith("users.messages.email.")}),
        ("email.[OC]*", {OPEN, "users.messages.email.Click"}),
        ("messages.email.O*", {OPEN}),
    ],
)
def test_select_by_glob(pattern: str, names: set[str]) -> None:
    assert {each.name for each in NEWEST.select(pattern)} == names


@pytest.mark.parametrize(
    ("pattern", "nearest"),
    [
        ("emial.*", "users.messages.email.*"),
        ("users.mesages.*", "users.messages.*"),
        ("USERS.*", "users.*"),
        ("messages.emial.*", "users.messages.email.*"),
    ],
)
def test_unmatched_glob_has_the_nearest(pattern: str, nearest: str) -> None:
    with pytest.raises(UnknownNameError, match="no event type matches") as caught:
        NEWEST.select(pattern)
    assert caught.value.nearest[0] == nearest
    assert all(NEWEST.select(each) for each in caught.value.nearest)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("email", "users.messages.email.*"),
        ("Messages.EMAIL", "users.messages.email.*"),
        ("costep", "users.canvas.costep.*"),
        ("users.messages", "users.messages.*"),
    ],
)
def test_middle_of_names_has_the_glob(name: str, nearest: str) -> None:
    with pytest.raises(UnknownNameError, match="unknown event type") as caught:
        NEWEST.select(name)
    assert caught.value.nearest == (nearest,)
    assert f"; did you mean {nearest!r}?" in str(caught.value)
    assert NEWEST.select(nearest)
    # A glob is not a key of the mapping.
    with pytest.raises(UnknownNameError) as caught:
        NEWEST[name]
    assert nearest not in caught.value.nearest


def test_family_is_not_suggested_for_a_dotted_name() -> None:
    with pytest.raises(UnknownNameError) as caught:
        NEWEST.select("user.x")
    assert "user" not in caught.value.nearest
    with pytest.raises(UnknownNameError) as caught:
        NEWEST.select("usr")
    assert caught.value.nearest == ("user",)


def test_selection_is_ordered_and_unique() -> None:
    found = NEWEST.select("users.messages.email.Send", "user", "users.messages.email.*", "user")
    names = [each.name for each in found]
    assert names == sorted(set(names))
    assert {"users.UserOrphan", "users.messages.email.Send"} <= set(names)


def test_no_pattern_selects_nothing() -> None:
    assert NEWEST.select() == ()


def test_one_bad_pattern_fails_the_selection() -> None:
    with pytest.raises(UnknownNameError, match=r"'users\.nothing\.\*'"):
        NEWEST.select("*", "users.nothing.*")


@given(st.text(max_size=30))
def test_any_pattern_selects_or_is_unknown(pattern: str) -> None:
    try:
        found = NEWEST.select(pattern)
    except UnknownNameError as error:
        assert error.name == pattern  # noqa: PT017 - either outcome is right
    else:
        assert found


# Fields


def test_fields_are_ordered_by_path() -> None:
    for each in NEWEST.event_types:
        assert [field.path for field in each.fields.values()] == list(each.fields)
        parts = [field.part for field in each.fields.values()]
        assert parts == sorted(parts, reverse=True)


def test_field_attributes() -> None:
    field = NEWEST["users.behaviors.Purchase"].fields["properties.price"]
    assert (field.name, field.part, field.json_type) == ("price", "properties", "number")
    assert field.required
    assert not field.personal
    assert NEWEST[OPEN].fields["properties.email_address"].personal


def test_user_has_at_most_four_fields() -> None:
    found = {
        field.name
        for each in NEWEST.event_types
        for field in each.fields.values()
        if field.part == "user"
    }
    assert found == {"user_id", "external_user_id", "device_id", "timezone"}


def test_fields_by_name() -> None:
    assert list(NEWEST.fields) == sorted(NEWEST.fields)
    assert sum(map(len, NEWEST.fields.values())) == sum(
        len(each.fields) for each in NEWEST.event_types
    )
    assert all(each.name == name for name, found in NEWEST.fields.items() for each in found)


def test_event_types_are_hashable() -> None:
    assert len({*NEWEST.event_types}) == len(NEWEST)
