"""Docstrings of the public classes."""

from __future__ import annotations

import inspect
from typing import Any

import attrs
import pytest

import currents_export
from currents_export import (
    catalog,
    coherence,
    delivery,
    destinations,
    payload,
    reading,
    receiver,
    simulation,
    verification,
)
from currents_export.destinations import DestinationFields

_PACKAGES = (
    currents_export,
    catalog,
    coherence,
    delivery,
    destinations,
    payload,
    reading,
    receiver,
    simulation,
    verification,
)
CLASSES = {
    f"{package.__name__.rpartition('.')[2]}.{name}": found
    for package in _PACKAGES
    for name in package.__all__
    # Current inherits the fields of destinations, and describes them.
    if inspect.isclass(found := getattr(package, name)) and found is not DestinationFields
}


def attributes_of(kind: type[Any]) -> tuple[str, ...]:
    """Return the public attributes of a class of attrs, or of a named tuple."""
    names = [each.name for each in attrs.fields(kind)] if attrs.has(kind) else []
    names += getattr(kind, "_fields", ())
    return tuple(name for name in names if not name.startswith("_"))


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_every_attribute_is_described(name: str) -> None:
    # Python 3.13 removes the indentation of docstrings, earlier versions keep it.
    documents = "\n".join(inspect.cleandoc(each.__doc__ or "") for each in CLASSES[name].__mro__)
    for attribute in attributes_of(CLASSES[name]):
        assert f"\n    {attribute}: " in documents


def test_classes_are_found() -> None:
    assert {"currents_export.Event", "delivery.Result", "receiver.RudderStack"} <= CLASSES.keys()
    assert attributes_of(CLASSES["simulation.Survey"]) == ("id", "questions")
    assert "id" in attributes_of(CLASSES["delivery.Drop"])
