"""The page of a report."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import attrs
import pytest

from currents_export.verification import (
    Delays,
    FindingKind,
    Findings,
    Report,
    Stages,
    Through,
    sentence,
    to_html,
)
from currents_export.verification._sentences import LABELS
from tests.support.events import OPEN
from tests.support.pages import Page
from tests.support.reports import EMAIL, HOSTILE, full_report, hostile_report, right_report

REPORTS = [full_report(), right_report(), hostile_report(), right_report(vanished={}, sent=13_004)]


@pytest.fixture(scope="module")
def full() -> Page:
    return Page(to_html(full_report(), title="Shop", details={"Run": "today"}))


@pytest.mark.parametrize("personal_data", [False, True])
@pytest.mark.parametrize("report", REPORTS)
def test_page_needs_nothing_else(report: Report, personal_data: bool) -> None:
    text = to_html(report, personal_data=personal_data)
    page = Page(text)
    assert page.unclosed == []
    assert len(page.all("script")) == len(page.all("style")) == 1
    links = [
        value
        for each in page.elements
        for name, value in each.attributes.items()
        if name in ("src", "href", "srcset", "action", "data", "poster", "xlink:href")
    ]
    assert links == ["data:,", "#findings"]
    assert not re.search(r"url\(|@import", page.all("style")[0].text)
    handlers = [n for each in page.elements for n in each.attributes if n.startswith("on")]
    assert handlers == []
    assert "alert" not in page.all("script")[0].text


@pytest.mark.parametrize("report", REPORTS)
def test_policy_allows_the_script_only(report: Report) -> None:
    page = Page(to_html(report))
    digest = hashlib.sha256(page.all("script")[0].text.encode()).digest()
    (policy,) = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    rules = dict(each.split(" ", 1) for each in policy.attributes["content"].split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == f"'sha256-{base64.b64encode(digest).decode()}'"


@pytest.mark.parametrize("personal_data", [False, True])
def test_hostile_events(personal_data: bool) -> None:
    text = to_html(hostile_report(), title=HOSTILE, personal_data=personal_data)
    page = Page(text)
    assert len(text.encode()) < 150_000
    for each in ("\u202e", "\x00", "\ud800"):
        assert each not in text
    assert "</script><script>alert(1)</script>" in page.text
    assert "1,048,576 characters" in page.text


def test_verdict_first(full: Page) -> None:
    assert [each.text for each in full.all("h1")] == ["The RudderStack source is not right"]
    assert full.all("title")[0].text == "The RudderStack source is not right · Shop"
    assert full.all("p", class_="lead")[0].text == (
        "131 lost, 4 not accepted, 2 dropped, 12 with a wrong time (2 h later), 5 with a wrong "
        "name, 1 with personal data in clear (traits.email), 40 changed (properties.price), 7 "
        "unexpected, 3 late."
    )
    names = [each.name for each in full.elements]
    assert names.index("h1") < names.index("table")
    right = Page(to_html(right_report()))
    assert right.all("h1")[0].text == "The RudderStack source is right"
    assert right.all("div", class_="right")
    assert not right.all("div", class_="wrong")


def test_headings_are_in_order(full: Page) -> None:
    levels = [each.name for each in full.elements if re.fullmatch(r"h\d", each.name)]
    assert levels[0] == "h1"
    assert set(levels[1:]) == {"h2"}
    assert full.all("html")[0].attributes["lang"] == "en"
    ids = [each.attributes["id"] for each in full.elements if "id" in each.attributes]
    assert len(ids) == len(set(ids))
    labelled = [each.attributes["aria-labelledby"] for each in full.all("section")]
    assert set(labelled) <= set(ids)


def test_details(full: Page) -> None:
    (details,) = full.all("dl", class_="details")
    assert details.text.strip() == "Runtoday"


def test_funnel(full: Page) -> None:
    (funnel,) = full.all("ol", class_="funnel")
    assert funnel.text.split("\n")[1:] != []
    assert " ".join(funnel.text.split()) == (
        "sent 13,320 accepted 13,016 should arrive 12,998 arrived 12,867"
    )
    (table,) = full.all("table", class_="types")
    first = next(each.text.split() for each in full.all("tr", class_="bad") if OPEN in each.text)
    assert first == [OPEN, "4,004", "4,004", "4,004", "3,873", "96.7", "%"]
    assert "none expected" in table.text


def test_funnel_without_a_record() -> None:
    page = Page(to_html(right_report(stages={OPEN: Stages(3, None, 3, 2)})))
    (funnel,) = page.all("ol", class_="funnel")
    assert funnel.text.split() == ["sent", "3", "should", "arrive", "3", "arrived", "2"]


def test_charts(full: Page) -> None:
    charts = full.all("svg", role="img")
    histogram, rates = (each.attributes["aria-label"] for each in charts)
    assert "500 ms to 1 s: 4,300" in histogram
    assert "in 60 steps of 10 s" in rates
    assert [each.text for each in full.all("text", class_="mark")] == ["half", "95 %"]
    titles = [each.text for each in full.all("title") if "svg" in each.inside]
    assert any(re.fullmatch(r"12:01:40: \d+ sent, \d+ arrived", each) for each in titles)
    assert any(each.startswith("200 ms to 500 ms: 3,920") for each in titles)
    for each in full.all("rect"):
        assert all(
            0 <= float(each.attributes[name].rstrip("%")) <= 100.01
            for name in ("x", "width", "y", "height")
        )


def test_page_without_times() -> None:
    page = Page(to_html(right_report(latency=None, rates=None, stages={})))
    assert page.all("svg", role="img") == []
    ages = Page(to_html(right_report(latency=None, ages=Delays(1, 2, 3, 4))))
    assert len(ages.all("svg", role="img")) == 1


def test_findings_can_be_filtered(full: Page) -> None:
    kinds = [each.attributes["value"] for each in full.all("option") if "value" in each.attributes]
    groups = full.all("tbody", class_="bad") + full.all("tbody", class_="fine")
    shown = [each.attributes["data-kind"] for each in groups]
    assert {*FindingKind} - {*shown} == {FindingKind.DUPLICATED}
    assert {*shown} < {*kinds}
    types = {
        each.attributes["data-type"] for each in full.all("tr") if "data-type" in each.attributes
    }
    assert types < {*kinds}
    wrong = [each.attributes["data-kind"] for each in full.all("tbody", class_="bad")]
    assert shown[: len(wrong)] == wrong
    assert FindingKind.LOST in wrong
    assert FindingKind.REDELIVERED not in wrong
    (form,) = full.all("form")
    assert "hidden" in form.attributes  # the script shows it
    for each in ("select", "input"):
        assert all("label" in field.inside for field in full.all(each))


def test_allowed_findings_are_wrong_on_demand() -> None:
    page = Page(to_html(full_report(exactly_once=True, in_order=True)))
    wrong = {each.attributes["data-kind"] for each in page.all("tbody", class_="bad")}
    assert {FindingKind.REDELIVERED, FindingKind.REPEATED, FindingKind.REORDERED} <= wrong


def test_labels_are_complete() -> None:
    assert LABELS.keys() == {*FindingKind}


def test_side_by_side(full: Page) -> None:
    first, second = full.all("details", class_="side")
    marked = [each.text for each in full.all("del")], [each.text for each in full.all("ins")]
    assert '  "price": 9.95' in [each[2:] for each in marked[0]]
    assert '  "price": 10' in [each[2:] for each in marked[1]]
    assert "properties.price" in first.text
    # Only one side has them.
    assert any('"extra"' in each for each in marked[1])
    assert not any('"extra"' in each for each in marked[0])
    assert '"2026-07-01T14:00:00.000Z"' in second.text


def test_personal_data() -> None:
    hidden = to_html(full_report())
    assert "lovelace" not in hidden.lower()
    # The texts differ, although their masks do not.
    marked = [each.text.strip() for each in Page(hidden).all("del")]
    assert '"email": "(24 characters)"' in marked
    shown = to_html(full_report(), personal_data=True)
    assert EMAIL in shown
    assert "This page shows personal data." in shown


def test_nothing_found() -> None:
    page = Page(to_html(REPORTS[-1]))
    assert page.all("table", class_="findings") == []
    assert "Nothing was found: each message arrived once" in page.text


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "The RudderStack source is right: all 13,004 messages that should have arrived did"),
        ({"stages": {}}, "every message that should have arrived did, as it should."),
        ({"stages": {OPEN: Stages(1, 1, 1, 1)}}, "the one message that should have arrived did"),
        ({"through": Through.CURRENTS}, "The stream is right: all 13,004 events"),
        ({"unexpected": Findings(2)}, "The RudderStack source is not right: 2 unexpected."),
    ],
)
def test_sentences(changes: dict[str, Any], says: str) -> None:
    assert says in sentence(right_report(**changes))


def test_many_event_types() -> None:
    """A page has a limit, and says what it leaves out."""
    many = {f"type {n}": 1 for n in range(5000)}
    report = right_report(unexpected=Findings(5000, (), many))
    page = Page(to_html(report))
    rows = [each for each in page.all("tr") if "data-type" in each.attributes]
    assert len(rows) == 3000
    assert "2,001 more rows are left out" in page.text


def test_attrs_reports_are_not_changed() -> None:
    report = full_report()
    before = attrs.asdict(report)
    to_html(report)
    assert attrs.asdict(report) == before
