"""`validate`: check events against the schema, and a stream for coherence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any

import attrs
import typer

from ..catalog import Catalog, Finding, check_event
from ..coherence import IncoherenceFinding, StreamChecker
from ..errors import ReadError
from ._exit_codes import BAD_INPUT, NOT_ALL
from ._input import values_in
from ._options import AllowEmpty, AsJson, CatalogDir, Files, SchemaVersion
from ._streams import print_error, print_json, print_line, print_note
from ._tables import progress
from ._wording import counted

__all__ = ["run"]


def run(
    files: Files = None,
    *,
    schema_version: SchemaVersion = None,
    catalog_dir: CatalogDir = None,
    strict: Annotated[bool, typer.Option("--strict", help="Treat warnings as errors.")] = False,
    coherence: Annotated[
        bool,
        typer.Option(
            "--coherence",
            help="Also report events that contradict the events around them, such as an open "
            "before its send.",
        ),
    ] = False,
    whole: Annotated[
        bool,
        typer.Option(
            "--whole",
            help="Check coherence, and take the stream as complete from its beginning, so that a "
            "missing cause is reported too.",
        ),
    ] = False,
    allow_empty: AllowEmpty = False,
    as_json: AsJson = False,
) -> None:
    """Check events from files or standard input against the schema.

    Events may be JSON Lines, a JSON array, or request bodies. The exit code is 1 if an event breaks
    the schema or a rule of coherence, and 2 if something could not be read or there were no events.
    """
    catalog = Catalog.load(schema_version, catalog_dir)
    coherence = coherence or whole
    checker = StreamChecker(whole=whole, catalog_dir=catalog_dir) if coherence else None
    report = _Report(catalog.schema_version)
    with progress("checking events") as advance:
        for where, item in _checked(catalog, files, checker):
            if isinstance(item, str):
                report.by_event_type[item] += 1
                advance(1)
            elif isinstance(item, ReadError):
                report.unreadable += 1
                print_error(item)
            else:
                report.count(where, item, keep=as_json)
                if not as_json:
                    print_line(f"{where}: {item}")
    if as_json:
        print_json(report.to_dict(checker))
    else:
        report.print_summary(checker)
    total, unreadable = report.by_event_type.total(), report.unreadable
    empty = not total and not unreadable and not allow_empty
    if empty:
        print_error("the input contains no events; --allow-empty allows that")
    if unreadable or empty:
        raise typer.Exit(BAD_INPUT)
    levels = report.levels
    if report.incoherent or levels["error"] or (strict and levels["warning"]):
        raise typer.Exit(NOT_ALL)


@attrs.define
class _Report:
    """What was found so far, with the findings themselves if they are kept for JSON."""

    schema_version: int
    by_event_type: Counter[str] = attrs.Factory(Counter)
    levels: Counter[str] = attrs.Factory(Counter)
    incoherent: int = 0
    unreadable: int = 0
    findings: list[dict[str, Any]] = attrs.Factory(list)
    incoherences: list[dict[str, Any]] = attrs.Factory(list)

    def count(self, where: str, item: Finding | IncoherenceFinding, *, keep: bool) -> None:
        """Count a finding, and keep it if asked to."""
        if isinstance(item, IncoherenceFinding):
            self.incoherent += 1
            kept = self.incoherences
        else:
            self.levels[item.level] += 1
            kept = self.findings
        if keep:
            kept.append({"where": where} | item.to_dict())

    def to_dict(self, checker: StreamChecker | None) -> dict[str, Any]:
        """Return the report as a JSON object."""
        values = {
            "events": self.by_event_type.total(),
            "errors": self.levels["error"],
            "warnings": self.levels["warning"],
            "unreadable": self.unreadable,
            "schema_version": self.schema_version,
            "by_event_type": dict(sorted(self.by_event_type.items())),
            "findings": self.findings,
        }
        if checker is None:
            return values
        return values | {
            "incoherent": self.incoherent,
            "late": checker.late,
            "incoherences": self.incoherences,
        }

    def print_summary(self, checker: StreamChecker | None) -> None:
        """Print the counts, and which events could not be checked for coherence."""
        counts = [counted(self.levels[level], level) for level in ("error", "warning")]
        if checker is not None:
            counts.append(counted(self.incoherent, "incoherence"))
        print_note(
            f"{counted(self.by_event_type.total(), 'event')} checked against schema version "
            f"{self.schema_version}: {', '.join(counts)}, {self.unreadable:,} unreadable"
        )
        if checker is not None and checker.late:
            print_note(
                f"{counted(checker.late, 'event')} came too late to be sorted by time, and "
                "the past of their users was unknown from then on"
            )


def _checked(
    catalog: Catalog, files: list[str] | None, checker: StreamChecker | None
) -> Iterator[tuple[str, ReadError | Finding | IncoherenceFinding | str]]:
    """Yield each event's findings and then its type, with its place in the input.

    The coherence of an event is known only when later ones have been read.
    """
    for item in values_in(files):
        if isinstance(item, ReadError):
            yield "", item
            continue
        where = f"{item.source}:{item.line}"
        for finding in check_event(catalog, item.value):
            yield where, finding
        if checker is not None:
            for incoherence in checker.feed(item.value, where=where):
                yield incoherence.where or "", incoherence
        event_type = item.value.get("event_type") if isinstance(item.value, dict) else None
        yield where, event_type if isinstance(event_type, str) else "?"
    if checker is not None:
        for incoherence in checker.finish():
            yield incoherence.where or "", incoherence
