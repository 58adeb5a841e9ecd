"""A receiver written with Flask, and its tests."""

from __future__ import annotations

from collections.abc import Callable

import flask
import pytest

from currents_export import Current, Sender, World

app = flask.Flask("receiver")
opened: set[str] = set()


@app.post("/currents")
def take() -> str:
    """Keep who opened an email."""
    for event in flask.request.get_json()["events"]:
        opened.add(event["user"]["external_user_id"])
    return ""


@pytest.fixture
def sender(current_for: Callable[..., Current], currents_sender: Callable[..., Sender]) -> Sender:
    opened.clear()
    return currents_sender(current_for(app, path="/currents", event_types=["*.email.Open"]))


def test_opens_of_a_journey(sender: Sender, braze_world: World) -> None:
    journey = braze_world.journey("newsletter", outcome="opened")
    sender.send(journey)
    assert sender.flush().complete
    assert opened == {journey[0].user["external_user_id"]}


def test_exception_of_the_view_is_raised(sender: Sender, braze_world: World) -> None:
    sender.send(braze_world.sample("users.messages.email.Open", external_user_id=None))
    with pytest.raises(KeyError, match="external_user_id"):
        sender.flush()
