"""Nearest names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export._suggestions import did_you_mean, nearest
from currents_export.catalog import Catalog

NAMES = tuple(Catalog.load())


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("users.messages.email.Opne", "users.messages.email.Open"),
        ("USERS.MESSAGES.EMAIL.OPEN", "users.messages.email.Open"),
        ("email.Opne", "users.messages.email.Open"),
        ("purchse", "users.behaviors.Purchase"),
        ("pushnotification.open", "users.messages.pushnotification.Open"),
        ("users.behaviors.purchase", "users.behaviors.Purchase"),
    ],
)
def test_a_slip_is_near_to_what_was_meant(typed: str, meant: str) -> None:
    assert nearest(typed, NAMES)[0] == meant


@pytest.mark.parametrize("typed", ["", "zzzz", "\x00", "completely different"])
def test_nothing_is_near_to_what_is_like_no_name(typed: str) -> None:
    assert nearest(typed, NAMES) == ()
    assert did_you_mean(typed, NAMES) == ""


@pytest.mark.parametrize("most", [1, 2, 5])
def test_no_more_names_come_than_asked_for(most: int) -> None:
    assert len(nearest("users.messages.email.Send", NAMES, most=most)) == most


def test_a_name_comes_once_though_found_twice() -> None:
    # Both its whole and its last two parts are like what was typed.
    assert nearest("a.b", ["a.b", "a.c"]) == ("a.b", "a.c")
    assert nearest("x.a.bc", ["x.a.bd"]) == ("x.a.bd",)


def test_a_name_found_twice_takes_no_place_of_another() -> None:
    known = ["a.bc.de", "ab.bc.df", "ab.bc.dg"]
    assert set(nearest("bc.de", known, most=3)) == set(known)


def test_names_that_share_their_last_parts_are_all_found() -> None:
    assert set(nearest("email.opn", ["x.email.open", "y.email.open"])) == {
        "x.email.open",
        "y.email.open",
    }


def test_the_clause_joins_the_names() -> None:
    assert did_you_mean("ab1", ["ab2"]) == "; did you mean 'ab2'?"
    assert did_you_mean("ab1", ["ab2", "ab3"]).count(" or ") == 1


@given(st.sampled_from(NAMES))
def test_every_name_is_nearest_to_itself(name: str) -> None:
    assert nearest(name, NAMES)[0] == name


@given(st.text(max_size=40))
def test_only_known_names_are_suggested_and_each_once(typed: str) -> None:
    found = nearest(typed, NAMES)
    assert set(found) <= set(NAMES)
    assert len(found) == len(set(found)) <= 3
