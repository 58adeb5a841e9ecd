"""A receiver written with Django, and its tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path

from currents_export import Current, Sender, World

counts: dict[str, int] = {}


def take(request: HttpRequest) -> HttpResponse:
    """Count events by campaign."""
    for event in json.loads(request.body)["events"]:
        name = event["properties"]["campaign_name"]
        counts[name] = counts.get(name, 0) + 1
    return HttpResponse(status=204)


class Urls:
    urlpatterns = (path("currents", take),)


@pytest.fixture
def app() -> Iterator[WSGIHandler]:
    if not settings.configured:
        settings.configure(SECRET_KEY="test", ALLOWED_HOSTS=["localhost"], USE_TZ=True)
    with override_settings(ROOT_URLCONF=Urls):
        yield WSGIHandler()


@pytest.fixture
def sender(
    app: WSGIHandler, current_for: Callable[..., Current], currents_sender: Callable[..., Sender]
) -> Sender:
    counts.clear()
    return currents_sender(current_for(app, path="/currents"))


def test_campaigns_are_counted(sender: Sender, braze_world: World) -> None:
    sender.send(
        braze_world.sample("users.messages.email.Send", campaign_name=name)
        for name in ("Welcome", "Sale", "Sale ends today")
    )
    assert sender.flush().complete
    assert counts == {"Welcome": 1, "Sale": 1, "Sale ends today": 1}


def test_exception_of_the_view_is_raised(sender: Sender, braze_world: World) -> None:
    sender.send(braze_world.sample("users.messages.email.Send", campaign_name=None))
    with pytest.raises(KeyError, match="campaign_name"):
        sender.flush()
