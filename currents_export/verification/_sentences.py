"""What reports say in words: a verdict in a sentence, labels of findings, and examples."""

from __future__ import annotations

import json
from typing import Any

from .._redaction import printable
from .findings import Example, FindingKind, Row
from .report import Report, Through, Verdict

__all__ = [
    "LABELS",
    "because",
    "cut",
    "example_text",
    "headline",
    "sentence",
    "shown_name",
    "value_text",
    "visible",
]

#: What each kind of finding is called at the head of a row.
LABELS: dict[FindingKind, str] = {
    FindingKind.LOST: "lost",
    FindingKind.NOT_ACCEPTED: "not accepted",
    FindingKind.DROPPED: "dropped",
    FindingKind.REDELIVERED: "redelivered",
    FindingKind.REPEATED: "repeated",
    FindingKind.DUPLICATED: "duplicated",
    FindingKind.WRONG_TIME: "wrong time",
    FindingKind.UNMAPPED_NAMES: "wrong name",
    FindingKind.CLEAR_PERSONAL_DATA: "personal data in clear",
    FindingKind.CHANGED: "changed",
    FindingKind.UNEXPECTED: "unexpected",
    FindingKind.REORDERED: "reordered",
    FindingKind.LATE: "late",
    FindingKind.FILTERED: "filtered",
    FindingKind.VANISHED: "vanished",
    FindingKind.REDUCED: "reduced",
    FindingKind.DISTURBED: "disturbed",
}

#: How the sentence says it after a number, where that is not the label.
_PHRASES = {
    FindingKind.WRONG_TIME: "with a wrong time",
    FindingKind.UNMAPPED_NAMES: "with a wrong name",
    FindingKind.CLEAR_PERSONAL_DATA: "with personal data in clear",
}

#: The most characters of a text or a value that a report shows.
_MOST = 200
#: The most fields that the sentence names, and the most characters of each.
_MOST_FIELDS = 3
_MOST_OF_FIELD = 60


def headline(report: Report) -> str:
    """Return the verdict in a few words."""
    what = "The RudderStack source" if report.through is Through.RUDDERSTACK else "The stream"
    return f"{what} is {'right' if report.verdict is Verdict.RIGHT else 'not right'}"


def sentence(report: Report) -> str:
    """Return the verdict, and the numbers it follows from, in a sentence."""
    return f"{headline(report)}: {because(report)}."


def because(report: Report) -> str:
    """Return the numbers that the verdict follows from, in words."""
    if report.verdict is Verdict.WRONG:
        return ", ".join(_counted(row, report) for row in report.rows if row.is_wrong)
    noun = "message" if report.through is Through.RUDDERSTACK else "event"
    expected = sum(each.transformed for each in report.stages.values())
    if expected > 1:
        return f"all {expected:,} {noun}s that should have arrived did, as they should"
    what = f"the one {noun}" if expected else f"every {noun}"
    return f"{what} that should have arrived did, as it should"


def _counted(row: Row, report: Report) -> str:
    text = f"{row.findings.count:,} {_PHRASES.get(row.kind, LABELS[row.kind])}"
    if row.kind is FindingKind.WRONG_TIME and (shift := _shift(report.altered.shift_s)):
        return f"{text} ({shift})"
    if row.kind in (FindingKind.CHANGED, FindingKind.CLEAR_PERSONAL_DATA):
        fields = [*dict.fromkeys(each.field for each in row.findings.examples if each.field)]
        if fields:
            names = ", ".join(shown_name(each, _MOST_OF_FIELD) for each in fields[:_MOST_FIELDS])
            rest = len(fields) - _MOST_FIELDS
            return f"{text} ({names}{f' and {rest} more' if rest > 0 else ''})"
    return text


def _shift(seconds: float | None) -> str:
    if not seconds:
        return ""
    amount = abs(seconds)
    hours = amount / 3600
    much = f"{hours:g} h" if hours.is_integer() else f"{amount:g} s"
    return f"{much} {'later' if seconds > 0 else 'earlier'}"


def cut(text: str, most: int = _MOST) -> str:
    """Return the beginning of a long text, and how long it is."""
    return text if len(text) <= most else f"{text[:most]}... ({len(text):,} characters)"


def shown_name(text: str, most: int = _MOST) -> str:
    """Return an id, a name or the path of a field that came from outside, safe to show."""
    return printable(cut(text, most))


def visible(text: str) -> str:
    """Return a text with its invisible characters as escapes; unlike `printable`, keep spaces."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def value_text(value: Any) -> str:
    """Return a JSON value as text, cut short, with what is invisible written as an escape."""
    if isinstance(value, str):
        value = cut(value)
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (ValueError, TypeError, RecursionError):  # for example, a number of 5,000 digits
        return f"a value of type {type(value).__name__}"
    return visible(cut(text, 2 * _MOST))


def example_text(example: Example, *, personal_data: bool) -> str:
    """Return an example in a line.

    Args:
        example: the example.
        personal_data: whether to show texts, which may be personal data.
    """
    text = shown_name(example.id) or "(no id)"
    if example.field is None:
        return text
    values = example.to_dict(personal_data=personal_data)
    got, expected = value_text(values["got"]), value_text(values["expected"])
    return f"{text}: {shown_name(example.field)} is {got}, not {expected}"
