"""`to_junit`: a report as JUnit XML, which CI systems show."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree

from .._redaction import printable
from ._sentences import LABELS, example_text, headline, sentence, shown_name
from .findings import FindingKind, Row
from .report import Report

__all__ = ["to_junit"]

#: The findings that can be wrong, each a check. The others explain what did not arrive.
_CHECKS = tuple(
    each
    for each in FindingKind
    if each
    not in (
        FindingKind.FILTERED,
        FindingKind.VANISHED,
        FindingKind.REDUCED,
        FindingKind.DISTURBED,
    )
)


def to_junit(report: Report, *, personal_data: bool = False) -> str:
    """Return a report as JUnit XML: a test case for each check and for each event type.

    A case fails if it has a finding that makes the verdict wrong. Its message is the sentence that
    says what that means and where to look; its text has the first examples.

    Args:
        report: the report.
        personal_data: whether to show texts of events, which may be personal data.
    """
    root = ElementTree.Element("testsuites", name="currents-export")
    checks = ElementTree.SubElement(root, "testsuite", name=headline(report))
    _add_properties(checks, report)
    for kind in _CHECKS:
        rows = [row for row in report.rows if row.kind is kind]
        _add_case(checks, "checks", kind.value, rows, personal_data=personal_data)
    explained = [row for row in report.rows if row.kind not in _CHECKS]
    _add_output(checks, [sentence(report), *map(_line, explained)])
    types = ElementTree.SubElement(root, "testsuite", name="event types")
    for name in _event_types(report):
        rows = [row for row in report.rows if name in row.findings.by_event_type]
        of_type = [row for row in rows if row.kind in _CHECKS]
        _add_case(types, "event_types", name, of_type, personal_data=personal_data, event_type=name)
    suites = (checks, types)
    for suite in suites:
        _set_counts(suite, [suite])
    _set_counts(root, suites)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False).join(
        ('<?xml version="1.0" encoding="UTF-8"?>\n', "\n")
    )


def _event_types(report: Report) -> list[str]:
    found = set(report.stages)
    for row in report.rows:
        found.update(row.findings.by_event_type)
    return sorted(found)


def _add_properties(suite: ElementTree.Element, report: Report) -> None:
    properties = ElementTree.SubElement(suite, "properties")
    for name in ("verdict", "through", "sent", "received", "matched"):
        ElementTree.SubElement(properties, "property", name=name, value=str(getattr(report, name)))


def _add_case(
    suite: ElementTree.Element,
    group: str,
    name: str,
    rows: Iterable[Row],
    *,
    personal_data: bool,
    event_type: str | None = None,
) -> None:
    case = ElementTree.SubElement(
        suite, "testcase", classname=f"currents_export.{group}", name=shown_name(name), time="0"
    )
    rows = [*rows]
    wrong = [row for row in rows if row.is_wrong]
    if wrong:
        counted = ", ".join(f"{_count(row, event_type):,} {LABELS[row.kind]}" for row in wrong)
        meanings = "; ".join(dict.fromkeys(row.meaning for row in wrong))
        failure = ElementTree.SubElement(
            case,
            "failure",
            type=",".join(dict.fromkeys(row.kind.value for row in wrong)),
            message=printable(f"{counted}: {meanings}"),
        )
        failure.text = "\n".join(
            line
            for row in wrong
            for line in (_line(row, event_type), *_examples(row, event_type, personal_data))
        )
    _add_output(case, [_line(row, event_type) for row in rows if not row.is_wrong])


def _add_output(element: ElementTree.Element, lines: list[str]) -> None:
    if lines:
        ElementTree.SubElement(element, "system-out").text = "\n".join(lines)


def _count(row: Row, event_type: str | None) -> int:
    found = row.findings
    return found.count if event_type is None else found.by_event_type[event_type]


def _line(row: Row, event_type: str | None = None) -> str:
    return printable(f"{_count(row, event_type):,} {LABELS[row.kind]}: {row.meaning}")


def _examples(row: Row, event_type: str | None, personal_data: bool) -> list[str]:
    return [
        f"  {example_text(each, personal_data=personal_data)}"
        for each in row.findings.examples
        if event_type in (None, each.event_type)
    ]


def _set_counts(element: ElementTree.Element, suites: Iterable[ElementTree.Element]) -> None:
    cases = [case for suite in suites for case in suite.iter("testcase")]
    failures = sum(case.find("failure") is not None for case in cases)
    element.set("tests", str(len(cases)))
    element.set("failures", str(failures))
    element.set("errors", "0")
