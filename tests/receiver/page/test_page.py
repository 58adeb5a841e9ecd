"""What the page shows of requests and events, and what its buttons do."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest

from currents_export.errors import OptionError
from currents_export.receiver import (
    Receiver,
    ScriptedResponse,
    listen,
)
from currents_export.receiver.page import Page
from tests.receiver.page.conftest import Browser
from tests.support.currents import WRITE_KEY
from tests.support.events import CLICK, event, make_events
from tests.support.receivers import body, broken

Browse = Callable[[Page], Browser]
ALL = {"reveal": "1"}


def text_of(lines: list[dict[str, Any]]) -> str:
    return "".join(f"{line.get('key', '')}{line['text']}" for line in lines)


def test_requests(browse: Browse) -> None:
    user = browse(Page(Receiver(script=[ScriptedResponse(503)])))
    first = body(*make_events(3))
    user.send(first)
    user.send(first)
    user.send(b"{")
    window = user.ask("requests")
    assert [each["status"] for each in window["requests"]] == ["400", "200", "503"]
    assert [each["retry_of"] for each in window["requests"]] == [None, 0, None]
    assert [each["events"] for each in window["requests"]] == [None, 3, 3]
    assert [each["taken"] for each in window["requests"]] == [False, True, False]
    assert window["requests"][1]["bytes"] == len(first)
    assert "not JSON" in window["requests"][0]["reason"]
    assert [each["number"] for each in user.ask("requests", failed=1)["requests"]] == [2, 0]


def test_windows(browse: Browse) -> None:
    user = browse(Page(Receiver()))
    for number in range(5):
        user.send(body(*make_events(3)[:1], event(100 + number)))
    window = user.ask("events", limit=4)
    assert [each["number"] for each in window["events"]] == [9, 8, 7, 6]
    older = user.ask("events", limit=4, before=window["more"])
    assert [each["number"] for each in older["events"]] == [5, 4, 3, 2]
    last = user.ask("events", limit=4, before=older["more"])
    assert ([each["number"] for each in last["events"]], last["more"]) == ([1, 0], None)
    assert user.ask("requests", limit=2)["more"] == 3


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ({"type": "click"}, [1]),
        ({"type": "users.messages.*.Open"}, [3, 2, 0]),
        ({"user": "user-2"}, [2]),
        ({"campaign": "spring"}, [3]),
        ({"campaign": "c-77"}, [3]),
        ({"finding": "error"}, [2]),
        ({"finding": "any"}, [2]),
        ({"finding": "wrong_type"}, [2]),
        ({"finding": "email_address"}, [2]),
        ({"finding": "warning"}, []),
        ({"text": "SUMMER"}, [3]),
        ({"text": "größe"}, [3]),
        ({"text": "summer", "type": "click"}, []),
        ({"request": "0"}, [3, 2, 1, 0]),
        ({"request": "1"}, []),
    ],
)
def test_filters(browse: Browse, wanted: dict[str, str], numbers: list[int]) -> None:
    user = browse(Page(Receiver()))
    last = event(3, campaign_id="c-77", campaign_name="Spring", subject="Summer Größe")
    # These fields are not in this type, so only check the ones that are wanted.
    user.send(body(event(0), event(1, CLICK, url="https://example.com"), broken(2), last))
    found = user.ask("events", **wanted)["events"]
    expected = [each for each in numbers if each != 3 or wanted.get("finding") is None]
    if wanted.get("finding") in ("any", "warning"):
        found = [each for each in found if each["number"] != 3 and each["number"] != 1]
    assert [each["number"] for each in found] == expected


def test_user_filter_takes_the_tag(browse: Browse) -> None:
    user = browse(Page(Receiver()))
    user.send(body(*make_events(3)))
    shown = user.ask("events")["events"][1]
    assert shown["user"] == shown["tag"]
    assert "user-1" not in str(shown)
    assert [each["number"] for each in user.ask("events", user=shown["tag"])["events"]] == [1]
    assert user.ask("events", **ALL)["events"][1]["user"] == "user-1"


def test_event(browse: Browse) -> None:
    user = browse(Page(Receiver()))
    user.send(body(event(1), broken(2)))
    shown = user.ask("events")["events"][0]
    details = user.ask(f"events/{shown['id']}", **ALL)
    assert (details["type"], details["event_id"]) == (event(2).event_type, event(2).id)
    assert orjson.dumps(event(2).user["external_user_id"]).decode() in text_of(details["lines"])
    assert [each["code"] for each in details["all_findings"]] == ["wrong_type"]
    assert orjson.loads(details["source"]["text"]) == orjson.loads(body(event(1), broken(2)))
    masked = user.ask(f"events/{shown['id']}")
    assert masked["source"]["text"] is None
    assert "user-2" not in str(masked)


def test_raw_bytes(browse: Browse) -> None:
    user = browse(Page(Receiver()))
    given = b' { "events" : [ ] , "x": "\\u00e4" } '
    user.send(gzip.compress(given), **{"Content-Encoding": "gzip"})
    assert user.client.get("/_page/api/requests/0/body").status_code == 403
    download = user.client.get("/_page/api/requests/0/body?reveal=1")
    assert download.content == given
    assert "attachment" in download.headers["Content-Disposition"]
    assert user.ask("requests/0", **ALL)["bytes"] == len(gzip.compress(given))


def test_refused_events_are_shown(browse: Browse) -> None:
    user = browse(Page(Receiver(strict=True)))
    user.send(body(broken()))
    (shown,) = user.ask("events")["events"]
    assert (shown["taken"], shown["worst"], shown["findings"]) == (False, "error", 1)
    assert user.ask("requests")["requests"][0]["worst"] == "error"


def test_link_of_another_run(browse: Browse) -> None:
    user = browse(Page(Receiver()))
    user.send(body(event()))
    number = user.ask("events")["events"][0]["id"].partition("-")[2]
    for path, error in [
        (f"events/000000-{number}", "another run"),
        (f"events/{user.ask('summary')['run']}-7", "not kept any more"),
        ("requests/7", "not kept any more"),
    ]:
        response = user.client.get(f"/_page/api/{path}")
        assert response.status_code == 404
        assert error in response.json()["error"]


def test_oldest_go_first(browse: Browse) -> None:
    user = browse(Page(Receiver(), max_events=4, max_requests=2))
    for number in range(3):
        user.send(body(event(10 + number), event(20 + number)))
    events, requests = user.ask("events"), user.ask("requests")
    assert [each["number"] for each in events["events"]] == [5, 4, 3, 2]
    assert (events["kept"], events["dropped"], requests["kept"]) == (4, 2, 2)
    user.send(body(*make_events(9)))
    assert len(user.ask("events")["events"]) == 4
    assert user.ask("summary")["events"] == 15


def test_timeline(browse: Browse) -> None:
    user = browse(Page(Receiver()))
    first, second = event(5, campaign_id="c1"), event(5, CLICK, canvas_id="k1")
    later = event(5)
    values = [each.to_dict() for each in (later, second, first, event(6))]
    for at, value in zip((300, 200, 100, 50), values, strict=True):
        value["time"] = 1_750_000_000 + at
    user.send(body(*values))
    tag = user.ask("events", user="user-5")["events"][0]["tag"]
    shown = user.ask("timeline", user=tag)
    assert [each["number"] for each in shown["events"]] == [2, 1, 0]
    assert shown["user"] == tag
    journey = user.ask("timeline", user=tag, campaign="k1")
    assert [each["number"] for each in journey["events"]] == [1]
    assert user.ask("timeline", user="user-5", **ALL)["user"] == "user-5"
    assert user.ask("timeline", user="user")["events"] == []


def test_faults_come_first(browse: Browse) -> None:
    receiver = Receiver(script=[ScriptedResponse(500)])
    user = browse(Page(receiver))
    assert user.act("faults", {"kind": "429", "times": 1, "seconds": 2}).status_code == 200
    assert user.ask("summary")["fault"]["left"] == 1
    response = user.send(body(event()))
    assert (response.status_code, response.headers["Retry-After"]) == (429, "2")
    assert user.ask("summary")["fault"] is None
    assert [user.send(body(event())).status_code for _ in range(2)] == [500, 200]
    assert [each["fault"] for each in user.ask("requests")["requests"]] == [False, False, True]
    wrong = user.act("faults", {"kind": "teapot"})
    assert (wrong.status_code, "kind must be" in wrong.json()["error"]) == (400, True)


def test_lost_response_keeps_events() -> None:
    receiver = Receiver()
    page = Page(receiver)
    with listen(receiver, page=page) as url:
        origin = {"Origin": url}
        httpx.post(f"{url}/_page/api/faults", json={"kind": "lost", "times": 1}, headers=origin)
        with pytest.raises(httpx.TransportError):
            httpx.post(url, content=body(event()))
        (row,) = httpx.get(f"{url}/_page/api/requests").json()["requests"]
    assert (row["status"], row["taken"], len(receiver.events)) == ("reset", True, 1)


def test_send_again(browse: Browse) -> None:
    receiver = Receiver(write_keys=[WRITE_KEY])
    user = browse(Page(receiver))
    user.send(body(event(1), event(2)), path=f"/x?writeKey={WRITE_KEY}")
    shown = user.ask("events")["events"][0]["id"]
    assert user.act(f"events/{shown}/send").json() == {"status": "200"}
    assert [each["id"] for each in receiver.events] == [event(n).id for n in (1, 2, 2)]
    assert user.act("requests/0/send").json() == {"status": "200"}
    assert len(receiver.events) == 5
    newest = user.ask("requests")["requests"][0]
    assert (newest["resent"], newest["retry_of"]) == (True, 0)
    user.act("faults", {"kind": "reset", "times": 1})
    assert user.act("requests/0/send").json() == {"status": "reset"}


def test_clear(browse: Browse) -> None:
    user = browse(Page(Receiver()))
    user.send(body(event()))
    assert user.act("clear").status_code == 200
    assert (user.ask("events")["events"], user.ask("requests")["requests"]) == ([], [])
    assert user.ask("summary")["events"] == 1


def test_health(browse: Browse) -> None:
    user = browse(Page(Receiver(), health=lambda: {"state": "paused", "pending": 3}))
    assert user.ask("summary")["health"] == {"state": "paused", "pending": 3}
    assert browse(Page(Receiver())).ask("summary")["health"] is None


def test_summary(browse: Browse) -> None:
    user = browse(Page(Receiver()))
    user.send(body(event(1), event(1), broken(2), broken(3)))
    value = user.ask("summary")
    assert (value["events"], value["duplicates"], value["errors"]) == (4, 1, 2)
    assert value["by_status"] == {"200": 1}
    assert value["by_type"] == [[event().event_type, 4]]
    (finding,) = [each for each in value["findings"] if each["code"] == "wrong_type"]
    assert (finding["field"], finding["count"]) == ("properties.email_address", 2)
    assert value["latency"]["p50"] is not None


def test_reasons_do_not_quote_values(browse: Browse) -> None:
    user = browse(Page(Receiver(strict=True)))
    user.send(body(broken() | {"id": "private-id"}))
    user.send(b'{"events": [{"time": 49301234567890123456789}]}')
    masked = str(user.ask("requests"))
    assert "1 conformance error" in masked
    assert "private-id" not in masked
    assert "49301234567" not in masked
    assert "private-id" in str(user.ask("requests", **ALL))


def test_limits_are_checked() -> None:
    for limit in (0, -1, 1.5, True):
        with pytest.raises(OptionError, match="max_events is"):
            Page(Receiver(), max_events=limit)  # type: ignore[arg-type]


def test_page_of_another_receiver() -> None:
    with (
        pytest.raises(OptionError, match="the page is of another receiver"),
        listen(Receiver(), page=Page(Receiver())),
    ):
        pytest.fail("the receiver listens")
