"""A receiver written with FastAPI, and its tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import Body, FastAPI, Header, HTTPException

from currents_export import Current, Event, Sender, World

app = FastAPI()
prices: dict[str, float] = {}


@app.post("/currents")
def take(
    events: Annotated[list[dict[str, Any]], Body(embed=True)],
    authorization: Annotated[str, Header()] = "",
) -> dict[str, int]:
    """Keep the price of each purchase by its id, so that duplicates change nothing."""
    if authorization != "Bearer letmein":
        raise HTTPException(401)
    prices.update({each["id"]: each["properties"]["price"] for each in events})
    return {"purchases": len(prices)}


@pytest.fixture
def sender(current_for: Callable[..., Current], currents_sender: Callable[..., Sender]) -> Sender:
    prices.clear()
    return currents_sender(current_for(app, path="/currents", bearer_token="letmein"))


def purchase(world: World, **fields: Any) -> Event:
    return world.sample("users.behaviors.Purchase", **fields)


def test_purchases_are_kept(sender: Sender, braze_world: World) -> None:
    sender.send([purchase(braze_world, price=5.0), purchase(braze_world, price=7.0)])
    assert sender.flush().complete
    assert sorted(prices.values()) == [5.0, 7.0]


def test_duplicate_is_kept_once(sender: Sender, braze_world: World) -> None:
    sender.send([purchase(braze_world, price=5.0)] * 2)
    assert sender.flush().delivered == 2
    assert [*prices.values()] == [5.0]


def test_exception_of_the_view_is_raised(sender: Sender, braze_world: World) -> None:
    sender.send(purchase(braze_world, price=None))
    with pytest.raises(KeyError, match="price"):
        sender.flush()


def test_wrong_token(
    current_for: Callable[..., Current], currents_sender: Callable[..., Sender]
) -> None:
    current = current_for(app, path="/currents", bearer_token="wrong")
    assert currents_sender(current).check_credentials().holds is False
