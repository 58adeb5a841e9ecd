"""What notebooks show: escaped, bounded, and in the colors of the notebook."""

from __future__ import annotations

import datetime
from html.parser import HTMLParser
from typing import Any, Protocol

import httpx
import pytest

from currents_export import Event, ManualClock, Result, Sender
from currents_export.verification import reconcile
from tests.support.currents import TOKEN, custom
from tests.support.events import CLICK, OPEN, event
from tests.support.servers import Responding

HOSTILE = "</script><b onmouseover='x'>\u202eevil\ud800</pre></td>"
TAGS = {"div", "strong", "pre", "table", "thead", "tbody", "tr", "th", "td"}


class Displayed(Protocol):
    def _repr_html_(self) -> str: ...


class Page(HTMLParser):
    """The elements and the text of a page; fails where elements are not nested properly."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.styles: set[str] = set()
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert {name for name, _ in attrs} <= {"style"}
        self.tags.add(tag)
        self.styles |= {value or "" for _, value in attrs}
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def shown(value: Displayed) -> Page:
    html = value._repr_html_()
    page = Page(html)
    html.encode()  # a notebook is saved as UTF-8
    assert page.tags <= TAGS
    assert not any(each in style for style in page.styles for each in ("color", "background"))
    assert "\u202e" not in html
    return page


def delivered(*events: Event, status: int = 200, text: str = "", **values: Any) -> Result:
    transport = Responding(lambda _: httpx.Response(status, text=text))
    current = custom(bearer_token=TOKEN, **values)
    with Sender(current, transport=transport, clock=ManualClock(skip=60.0)) as sender:
        sender.send(events)
        return sender.flush(timeout=10.0)


def test_event_shows_its_content() -> None:
    text = shown(Event(OPEN, 1_782_907_200, {"user_id": "Łucja"}, {"n": 1.5})).text
    assert text.startswith(f"{OPEN}2026-07-01 12:00:00 UTC{{")
    assert '"user_id": "Łucja"' in text
    assert '"n": 1.5' in text


def test_hostile_event_is_only_text() -> None:
    page = shown(Event(HOSTILE, 1, {HOSTILE: HOSTILE}, {}, HOSTILE, {HOSTILE: [HOSTILE]}))
    assert page.text.count("</script><b onmouseover='x'>\\u202eevil") == 7


@pytest.mark.parametrize(
    "value", ["x" * 2**20, {str(n): n for n in range(100_000)}, [[[0] * 1000] * 1000] * 1000]
)
def test_large_event_is_cut(value: Any) -> None:
    page = shown(Event(OPEN, 1, properties={"large": value}))
    assert "large" in page.text
    assert page.text.endswith("... cut here")
    assert len(page.text) < 10_000


def circle() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["again"] = value
    return value


@pytest.mark.parametrize(
    "value",
    [10**5000, {(1, 2): 3}, circle()],
    ids=["number", "key", "circle"],
)
def test_event_that_is_not_json_shows_what_is(value: Any) -> None:
    text = shown(Event(OPEN, 1, {"user_id": "u1"}, {"odd": value})).text
    assert "u1" in text
    assert text.endswith("... the rest cannot be written as JSON")


def test_other_values_are_shown_as_python_writes_them() -> None:
    day = datetime.date(2026, 7, 1)
    assert "datetime.date(2026, 7, 1)" in shown(Event(OPEN, 1, properties={"day": day})).text


@pytest.mark.parametrize("time", [-(10**30), 10**30])
def test_impossible_time_is_only_in_the_content(time: int) -> None:
    text = shown(Event(OPEN, time)).text
    assert "UTC" not in text
    assert str(time) in text


def test_result_shows_totals_and_reasons() -> None:
    text = shown(delivered(event(0), event(1), event(2, CLICK), event_types=[OPEN])).text
    assert "active: events are sentRequests: 1, 0 of them retriesDuration: 0.0 s" in text
    assert "all22001" in text
    assert f"{OPEN}22000" in text
    assert f"{CLICK}00001" in text
    assert "filteredevent type not selected1" in text


def test_hostile_result_is_only_text() -> None:
    result = delivered(
        event(0),
        Event(HOSTILE.replace("\ud800", ""), 1, {"user_id": "u1", "external_user_id": "e1"}),
        status=401,
        text=f"{HOSTILE[:30]} {TOKEN}",
        unknown_event_types="send",
    )
    page = shown(result)
    assert "paused: nothing is sent" in page.text
    assert page.text.count("</script><b onmouseover='x'>") == 2
    assert TOKEN not in page.text


def test_many_types_are_cut() -> None:
    page = shown(delivered(*(Event(f"type-{n:03}", 1) for n in range(200))))
    assert "type-048" in page.text
    assert "type-049" not in page.text
    assert "... and 151 more" in page.text


def test_report_shows_what_is_wrong() -> None:
    sent = [event(n) for n in range(3)]
    text = shown(reconcile(sent, [sent[0], sent[1], sent[1]])).text
    assert "wrong: something did not arrive as it should have3 sent, 3 received, 2 matched" in text
    assert "lost1yes" in text
    assert "..." not in text
    assert "duplicated1no" in text


def test_right_report_has_no_table() -> None:
    assert "table" not in shown(reconcile([event(0)], [event(0)])).tags
