"""A report as JUnit XML."""

from __future__ import annotations

from xml.etree import ElementTree

from currents_export.verification import FindingKind, Report, to_junit
from tests.support.events import CLICK, OPEN, SEND
from tests.support.reports import EMAIL, full_report, hostile_report, right_report

EXPLAINED = {"filtered", "vanished", "reduced", "disturbed"}


def parsed(report: Report, *, personal_data: bool = False) -> ElementTree.Element:
    text = to_junit(report, personal_data=personal_data)
    return ElementTree.fromstring(text.encode())


def cases(root: ElementTree.Element, group: str) -> dict[str, ElementTree.Element]:
    found = [case for case in root.iter("testcase") if case.attrib["classname"].endswith(group)]
    return {case.attrib["name"]: case for case in found}


def failed(root: ElementTree.Element, group: str) -> set[str]:
    found = cases(root, group).items()
    return {name for name, case in found if case.find("failure") is not None}


def test_right() -> None:
    root = parsed(right_report())
    assert (root.tag, root.attrib["failures"]) == ("testsuites", "0")
    assert root.attrib["tests"] == str(len([*root.iter("testcase")]))
    assert cases(root, "checks").keys() == {*FindingKind} - EXPLAINED
    assert cases(root, "event_types").keys() == {OPEN, CLICK, SEND}
    suite, types = root
    assert suite.attrib["name"] == "The RudderStack source is right"
    assert types.attrib["failures"] == "0"
    properties = {each.attrib["name"]: each.attrib["value"] for each in suite.iter("property")}
    assert properties == {
        "verdict": "right",
        "through": "rudderstack",
        "sent": "13020",
        "received": "13004",
        "matched": "13004",
    }
    output = suite.find("system-out")
    assert output is not None
    assert output.text is not None
    assert "all 13,004 messages" in output.text
    assert "16 vanished" in output.text


def test_wrong() -> None:
    root = parsed(full_report())
    allowed = {"redelivered", "repeated", "duplicated", "reordered"}
    assert failed(root, "checks") == {*FindingKind} - EXPLAINED - allowed
    assert failed(root, "event_types") == {OPEN, SEND, "Signed Up"}
    assert root.attrib["failures"] == str(len([*root.iter("failure")]))
    failure = cases(root, "checks")["lost"].find("failure")
    assert failure is not None
    assert failure.attrib["type"] == "lost"
    assert failure.attrib["message"].startswith("131 lost: should have arrived and did not: look")
    assert failure.text is not None
    assert len(failure.text.splitlines()) == 21
    failure = cases(root, "event_types")[SEND].find("failure")
    assert failure is not None
    assert failure.attrib["type"] == "not_accepted,dropped"
    output = cases(root, "checks")["repeated"].find("system-out")
    assert output is not None
    assert output.text is not None
    assert output.text.startswith("3 repeated: arrived more often than sent")


def test_duplicates_fail_on_demand() -> None:
    root = parsed(full_report(exactly_once=True, in_order=True))
    assert {"redelivered", "repeated", "reordered"} <= failed(root, "checks")
    assert CLICK in failed(root, "event_types")


def test_personal_data() -> None:
    assert EMAIL not in to_junit(full_report())
    assert "(24 characters)" in to_junit(full_report())
    assert EMAIL in to_junit(full_report(), personal_data=True)


def test_hostile_events() -> None:
    for personal_data in (False, True):
        text = to_junit(hostile_report(), personal_data=personal_data)
        root = ElementTree.fromstring(text.encode())
        assert len(text) < 50_000
        assert any("alert(1)" in name for name in cases(root, "event_types"))
        assert [*root.iter("script")] == []
