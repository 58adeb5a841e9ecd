"""The names nearest to a mistyped one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export._suggestions import did_you_mean, nearest
from currents_export.catalog import Catalog
from tests.support.events import OPEN

NAMES = tuple(Catalog.load())


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("users.messages.email.Opne", OPEN),
        ("USERS.MESSAGES.EMAIL.OPEN", OPEN),
        ("email.Opne", OPEN),
        ("purchse", "users.behaviors.Purchase"),
        ("pushnotification.open", "users.messages.pushnotification.Open"),
        ("users.behaviors.purchase", "users.behaviors.Purchase"),
    ],
)
def test_mistyped_name(typed: str, meant: str) -> None:
    assert nearest(typed, NAMES)[0] == meant


@pytest.mark.parametrize("typed", ["", "zzzz", "\x00", "completely different"])
def test_nothing_is_near(typed: str) -> None:
    assert nearest(typed, NAMES) == ()
    assert did_you_mean(typed, NAMES) == ""


@pytest.mark.parametrize("most", [1, 2, 5])
def test_at_most_as_many_as_requested(most: int) -> None:
    assert len(nearest("users.messages.email.Send", NAMES, most=most)) == most


def test_name_found_twice_appears_once() -> None:
    # Both the whole name and its last two parts are similar to the typed text.
    assert nearest("a.b", ["a.b", "a.c"]) == ("a.b", "a.c")
    assert nearest("x.a.bc", ["x.a.bd"]) == ("x.a.bd",)


def test_name_found_twice_displaces_no_other() -> None:
    known = ["a.bc.de", "ab.bc.df", "ab.bc.dg"]
    assert set(nearest("bc.de", known, most=3)) == set(known)


def test_names_with_the_same_last_parts() -> None:
    known = ["x.email.open", "y.email.open"]
    assert set(nearest("email.opn", known)) == set(known)


def test_clause_joins_the_names() -> None:
    assert did_you_mean("ab1", ["ab2"]) == "; did you mean 'ab2'?"
    assert did_you_mean("ab1", ["ab2", "ab3"]).count(" or ") == 1


@given(st.sampled_from(NAMES))
def test_name_is_nearest_to_itself(name: str) -> None:
    assert nearest(name, NAMES)[0] == name


@given(st.text(max_size=40))
def test_suggestions_are_known_and_unique(typed: str) -> None:
    found = nearest(typed, NAMES)
    assert set(found) <= set(NAMES)
    assert len(found) == len(set(found)) <= 3
