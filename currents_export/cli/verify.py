"""`verify`: compare what was sent with what arrived."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Annotated

import typer

from ..errors import ReadError
from ..receiver.rudderstack import load_mapping
from ..verification import Delays, FindingKind, Report, Row, Verdict, reconcile
from ._current import load_current
from ._exit_codes import BAD_INPUT, NOT_ALL
from ._options import AsJson, CatalogDir, ExactlyOnce, MappingFile, ShowPersonalData
from ._report import HtmlFile, JunitFile, check_files, now_text, write_files
from ._streams import print_error, print_json, print_line
from ._tables import print_table
from ._wording import counted

__all__ = ["print_report", "run"]

_SHOWN_FIELDS = 20


def run(
    *,
    sent: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="What was sent: events, the record that send --record wrote, or the answer key "
            "that generate wrote; '-' is standard input.",
        ),
    ],
    received: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="What arrived: a capture of serve, messages of RudderStack as JSON, or the tracks "
            "table of a warehouse as CSV, JSON Lines, Parquet or DuckDB; '-' is standard input.",
        ),
    ],
    through: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="What is between the two: currents (nothing) or rudderstack (its Braze source). "
            "By default, it follows from the first arrival.",
        ),
    ] = None,
    current: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The Current's TOML file, if --sent contains what the Current was given, which a "
            "record does not. It says which events are not sent, and which fields are removed or "
            "hashed.",
        ),
    ] = None,
    mapping: MappingFile = None,
    answer_key: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="The answer key that generate wrote with the events. What it disturbed on purpose "
            "is not a finding.",
        ),
    ] = None,
    late_after: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="Report events that took longer to arrive: from their request, if --sent is a "
            "record, or else from their time.",
        ),
    ] = None,
    exactly_once: ExactlyOnce = False,
    in_order: Annotated[
        bool, typer.Option("--in-order", help="Exit with 1 if events are reordered, too.")
    ] = False,
    show_personal_data: ShowPersonalData = False,
    html: HtmlFile = None,
    junit: JunitFile = None,
    catalog_dir: CatalogDir = None,
    as_json: AsJson = False,
) -> None:
    """Compare what was sent with what arrived.

    The exit code is 0 if everything arrived as it should have, 1 if something did not, and 2 if an
    input could not be read. Duplicates and another order are reported, but are not wrong by
    default.
    """
    if [sent, received, answer_key].count("-") > 1:
        raise typer.BadParameter("only one of the inputs can be standard input")
    check_files(html, junit, sent, received, answer_key)
    unreadable: list[ReadError] = []

    def note(error: ReadError) -> None:
        unreadable.append(error)
        print_error(error)

    report = reconcile(
        sent,
        received,
        through=through,
        current=None if current is None else load_current(current, catalog_dir),
        mapping=None if mapping is None else load_mapping(mapping),
        answer_key=answer_key,
        late_after=late_after,
        exactly_once=exactly_once,
        in_order=in_order,
        on_unreadable=note,
    )
    is_written = write_files(
        report,
        html=html,
        junit=junit,
        title=f"{sent} against {received}",
        details={"Sent": sent, "Received": received, "Compared": now_text()},
        personal_data=show_personal_data,
    )
    if as_json:
        print_json(report.to_dict(personal_data=show_personal_data))
    else:
        print_report(report, personal_data=show_personal_data)
    if unreadable or not is_written:
        raise typer.Exit(BAD_INPUT)
    if report.verdict is Verdict.WRONG:
        raise typer.Exit(NOT_ALL)


def print_report(report: Report, *, personal_data: bool) -> None:
    """Print a report as lines and tables."""
    print_line(f"{report.verdict}: {report.verdict.description}")
    noun = "event" if report.through == "currents" else "message"
    print_line(
        f"{counted(report.sent, 'event')} sent, {counted(report.received, noun)} received; "
        f"{counted(report.matched, 'id')} in both"
    )
    if rows := report.rows:
        print_table(
            {"count": "right", "what": "", "for example": ""},
            (
                (row.findings.count, _name(row), _first(row, personal_data=personal_data))
                for row in rows
            ),
        )
        for meaning, same in groupby(rows, key=attrgetter("meaning")):
            print_line(f"{', '.join(map(_name, same))}: {meaning}")
    if report.altered.by_field:
        fields = list(report.altered.by_field.items())[:_SHOWN_FIELDS]
        print_table({"count": "right", "altered field": ""}, ((n, name) for name, n in fields))
    _print_delays(report.ages, "an event's time")
    _print_delays(report.latency, "the request that delivered it")
    if report.absent:
        shown = ", ".join(report.absent[:_SHOWN_FIELDS])
        more = ", ..." if len(report.absent) > _SHOWN_FIELDS else ""
        print_line(f"not compared, since the table has no columns for them: {shown}{more}")
    if report.without_id:
        print_line(f"{counted(report.without_id, 'event')} without an id could not be compared")


def _print_delays(delays: Delays | None, since: str) -> None:
    if delays is not None:
        print_line(
            f"seconds from {since} to its arrival: {_number(delays.p50)} (half of the events), "
            f"{_number(delays.p95)} (95 of 100), {_number(delays.max)} (the most)"
        )


def _number(seconds: float) -> str:
    return f"{seconds:,.0f}" if abs(seconds) >= 1000 else f"{seconds:g}"


def _name(row: Row) -> str:
    return str(row.kind) if row.reason is None else f"{row.kind} ({row.reason})"


def _first(row: Row, *, personal_data: bool) -> str:
    if not row.findings.examples:
        return ""
    example = row.findings.examples[0]
    text = f"{example.id} ({example.event_type})"
    if example.field is None:
        return text
    values = example.to_dict(personal_data=personal_data)
    if row.kind is FindingKind.LATE:
        return f"{text}: {_number(values['got'])} seconds, more than {values['expected']:g}"
    return f"{text}: {example.field} is {values['got']!r}, not {values['expected']!r}"
