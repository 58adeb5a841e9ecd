"""Findings in a form that tests can compare."""

from __future__ import annotations

from typing import Any, NamedTuple

from currents_export.catalog import Catalog, check_event


class Found(NamedTuple):
    """A finding without the event that it is about."""

    code: str
    field: str
    problem: str
    expected: str


def found_in(event: Any, version: int | None = None) -> list[Found]:
    """Check an event against a schema version."""
    return [
        Found(each.code, each.field, each.problem, each.expected)
        for each in check_event(Catalog.load(version), event)
    ]
