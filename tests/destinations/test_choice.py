"""Choosing a destination by the fields that are given; a new one needs only its registration."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, ClassVar

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.destinations import (
    DESTINATIONS,
    Destination,
    DestinationFields,
    choose_destination,
    kind_of,
)
from currents_export.errors import CurrentError
from tests.support.currents import CUSTOM, ENDPOINT, KEY, NAMES, RUDDERSTACK, problems


@attrs.frozen(kw_only=True)
class Warehouse(Destination):
    """A third destination, with a field that the others do not have."""

    name: ClassVar[str] = "warehouse"
    label: ClassVar[str] = "Warehouse"
    url_field: ClassVar[str] = "warehouse_url"
    url_example: ClassVar[str] = "https://warehouse/"

    warehouse_url: str
    bucket: str

    def problems(self) -> Iterator[tuple[str, str]]:
        if not self.bucket:
            yield "bucket", "it is missing"

    @property
    def needs_external_user_id(self) -> bool:
        return False


THREE: tuple[type[Destination], ...] = (*DESTINATIONS, Warehouse)


def problems_of(**values: Any) -> list[tuple[str, str]]:
    with pytest.raises(CurrentError) as caught:
        choose_destination(values, THREE)
    return list(caught.value.problems)


def test_every_destination_is_registered() -> None:
    form = {field.name for field in attrs.fields(DestinationFields)}
    for kind in DESTINATIONS:
        assert kind.url_field in kind.required_fields()
        assert {field.name for field in attrs.fields(kind)} <= form
    assert form == {field.name for kind in DESTINATIONS for field in attrs.fields(kind)}
    for attribute in ("name", "label", "url_field"):
        assert len({getattr(kind, attribute) for kind in DESTINATIONS}) == len(DESTINATIONS)


def test_form_describes_fields_as_their_destination_does() -> None:
    form = attrs.fields_dict(DestinationFields)
    for kind in DESTINATIONS:
        for name, field in attrs.fields_dict(kind).items():
            assert form[name].metadata == field.metadata
            assert field.metadata.keys() == {"label", "comment", "example", "secret"}


def test_third_destination_is_chosen() -> None:
    values = {"warehouse_url": "https://warehouse/x", "bucket": "b", "key": None}
    destination = choose_destination(values, THREE)
    assert destination == Warehouse(warehouse_url="https://warehouse/x", bucket="b")
    assert destination.url == "https://warehouse/x"
    assert destination.judge(204, "").holds


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        ({"bucket"}, Warehouse),
        ({"region", "warehouse_url"}, Warehouse),
        ({"bearer_token"}, DESTINATIONS[1]),
        ({"key", "endpoint"}, DESTINATIONS[0]),
        ({"allow_plain_http", "contact_email"}, None),
        ((), None),
    ],
)
def test_fields_decide_the_kind(names: Collection[str], kind: type[Destination] | None) -> None:
    assert kind_of(names, THREE) is kind


def test_third_destination_lists_its_problems() -> None:
    assert problems_of(warehouse_url="https://warehouse/x") == [("bucket", "it is missing")]
    assert problems_of(warehouse_url="https://warehouse/x", bucket="b", region="US") == [
        ("region", "it goes with key (RudderStack), not with warehouse_url (Warehouse)")
    ]


def test_fields_of_three_destinations_conflict() -> None:
    fields = [f"{kind.url_field} ({kind.label})" for kind in THREE]
    found = problems_of(
        key=KEY, region="US", endpoint=ENDPOINT, warehouse_url="https://w/", bucket="b"
    )
    assert found == [
        ("endpoint", f"a Current has {' or '.join(fields)}, not all"),
    ]


def test_nothing_given_names_the_choices() -> None:
    [(field, message)] = problems(NAMES)
    assert field == "key"
    for kind in DESTINATIONS:
        assert f"{kind.url_field} ({kind.label}: {kind.url_example})" in message


def test_each_field_at_fault_is_reported() -> None:
    found = problems(NAMES, region="XX", bearer_token="a b")
    assert {field for field, _ in found} == {"key", "region", "bearer_token"}


_values = st.none() | st.sampled_from(["", "x", KEY, ENDPOINT, "US", True, False, 5])


@given(st.fixed_dictionaries({f.name: _values for f in attrs.fields(DestinationFields)}))
def test_any_choice_works_or_has_problems(values: dict[str, Any]) -> None:
    try:
        destination = choose_destination(values)
    except CurrentError as error:
        assert {name for name, _ in error.problems} <= values.keys()  # noqa: PT017
        assert len(set(error.problems)) == len(error.problems)  # noqa: PT017
    else:
        assert values[destination.url_field] == destination.url
        others = [kind for kind in DESTINATIONS if not isinstance(destination, kind)]
        assert all(values[kind.url_field] is None for kind in others)


@pytest.mark.parametrize("base", [RUDDERSTACK, CUSTOM])
def test_no_other_field_is_needed(base: dict[str, str]) -> None:
    assert choose_destination(base).url == base.get("key", ENDPOINT)
