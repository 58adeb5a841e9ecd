"""`to_html`: a report as one self-contained page."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from .._redaction import printable
from .._version import __version__
from ._html_charts import duration, funnels, histogram, rate_chart
from ._html_diff import Line, lines_of
from ._sentences import LABELS, because, cut, example_text, headline, shown_name
from .findings import Row
from .report import Report, Through, Verdict

if TYPE_CHECKING:
    import jinja2

__all__ = ["to_html"]

#: The most rows of the table of findings; a stream can have a thousand event types.
_MOST_ROWS = 3000
#: The most altered fields that are named of an event.
_MOST_NAMED = 20
#: The most altered fields, and the most altered events, that a page shows.
_MOST_FIELDS = 50
_MOST_PAIRS = 10


class _Finding(NamedTuple):
    """A row of the table of findings: those of an event type in a group."""

    event_type: str
    number: int
    examples: tuple[str, ...]


class _Group(NamedTuple):
    """The findings of one kind."""

    kind: str
    label: str
    number: int
    is_wrong: bool
    meaning: str
    findings: tuple[_Finding, ...]


class _Side(NamedTuple):
    """An altered event side by side."""

    id: str
    event_type: str
    fields: str
    lines: list[Line]


def to_html(
    report: Report,
    *,
    title: str = "Sent against received",
    details: Mapping[str, str] | None = None,
    personal_data: bool = False,
) -> str:
    """Return a report as an HTML page that needs nothing else: no network, no other file.

    Names, ids and values come from events, so they are escaped, cut if they are long, and shown
    with invisible characters as escapes. The page's policy lets no script run but its own.

    Args:
        report: the report.
        title: what the page is called.
        details: what the page says about the run, such as the names of the inputs; it must contain
            no secrets.
        personal_data: whether to show texts of events, which may be personal data. By default,
            only their lengths are shown.
    """
    whole, of_types = funnels(report.stages)
    delays = report.latency or report.ages
    groups = [*_groups(report, personal_data=personal_data)]
    rows = sum(len(_by_event_type(row)) for row in report.rows)
    shown = [each for group in groups for each in group.findings]
    fields = list(report.altered.by_field.items())
    style, script = _asset("report.css"), _asset("report.js")
    text = (
        _environment()
        .get_template("report.html.jinja")
        .render(
            report=report,
            is_right=report.verdict is Verdict.RIGHT,
            noun="message" if report.through is Through.RUDDERSTACK else "event",
            title=printable(cut(title)),
            details={name: printable(cut(value)) for name, value in (details or {}).items()},
            headline=headline(report),
            sentence=_capitalized(because(report)),
            tiles=[*_tiles(report)],
            funnel=whole,
            funnels=of_types,
            delays=delays,
            is_latency=report.latency is not None,
            histogram=None if delays is None else histogram(delays),
            rates=None if report.rates is None else rate_chart(report.rates),
            outside=0 if report.rates is None else report.rates.outside,
            groups=groups,
            left_out=rows - len(shown),
            kinds={each.kind: each.label for each in groups},
            event_types=sorted({each.event_type for each in shown}),
            fields=[(shown_name(name), count) for name, count in fields[:_MOST_FIELDS]],
            more_fields=max(0, len(fields) - _MOST_FIELDS),
            sides=[*_sides(report, personal_data=personal_data)],
            personal_data=personal_data,
            version=__version__,
            style=style,
            script=script,
            script_digest=_digest(script),
        )
    )
    # A page is UTF-8, which lone surrogates cannot be written in.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


@cache
def _environment() -> jinja2.Environment:
    import jinja2  # noqa: PLC0415 - most users of this package make no page

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_asset),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = lambda value: f"{value:,}"
    environment.filters["duration"] = duration
    return environment


@cache
def _asset(name: str) -> str:
    """Return a file of the package's templates."""
    return files("currents_export.verification").joinpath("templates", name).read_text("utf-8")


def _digest(script: str) -> str:
    """Return the name of a script in a Content-Security-Policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _capitalized(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _tiles(report: Report) -> Iterator[tuple[str, int, str]]:
    """Yield the numbers at the top: the label, the number, and `bad`, `noted` or nothing."""
    yield "sent", report.sent, ""
    yield "received", report.received, ""
    tolerated = {"duplicated": report.exactly_once, "reordered": report.in_order}
    for name in ("missing", "duplicated", "altered", "unexpected", "reordered", "late"):
        count = getattr(report, name).count
        mood = "" if not count else "bad" if tolerated.get(name, True) else "noted"
        yield name, count, mood


def _groups(report: Report, *, personal_data: bool) -> Iterator[_Group]:
    """Yield the groups of the table of findings, those that are wrong first."""
    left = _MOST_ROWS
    for row in sorted(report.rows, key=lambda row: not row.is_wrong):
        shown = _by_event_type(row)[:left]
        left -= len(shown)
        yield _Group(
            kind=row.kind.value,
            label=LABELS[row.kind],
            number=row.findings.count,
            is_wrong=row.is_wrong,
            meaning=row.meaning,
            findings=tuple(
                _Finding(
                    shown_name(event_type or "any"),
                    count,
                    tuple(
                        example_text(each, personal_data=personal_data)
                        for each in row.findings.examples
                        if event_type in (None, each.event_type)
                    ),
                )
                for event_type, count in shown
            ),
        )


def _by_event_type(row: Row) -> list[tuple[str | None, int]]:
    by_event_type = row.findings.by_event_type
    if not by_event_type:
        return [(None, row.findings.count)]
    return sorted(by_event_type.items(), key=lambda item: (-item[1], item[0]))


def _sides(report: Report, *, personal_data: bool) -> Iterator[_Side]:
    for pair in report.altered.pairs[:_MOST_PAIRS]:
        fields = ", ".join(shown_name(each) for each in pair.fields[:_MOST_NAMED])
        lines = lines_of(pair.expected, pair.got, personal_data=personal_data)
        yield _Side(shown_name(pair.id), shown_name(pair.event_type), fields, lines)
