"""`validate`: check events against the schema."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from ..catalog import Catalog, Finding, check_event
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
    allow_empty: AllowEmpty = False,
    as_json: AsJson = False,
) -> None:
    """Check events from files or standard input against the schema.

    Events may be JSON Lines, a JSON array, or request bodies. The exit code is 1 if an event breaks
    the schema, and 2 if something could not be read or there were no events.
    """
    catalog = Catalog.load(schema_version, catalog_dir)
    by_event_type: Counter[str] = Counter()
    levels: Counter[str] = Counter()
    unreadable = 0
    findings: list[dict[str, Any]] = []
    with progress("checking events") as advance:
        for where, item in _checked(catalog, files):
            if isinstance(item, ReadError):
                unreadable += 1
                print_error(item)
            elif isinstance(item, Finding):
                levels[item.level] += 1
                if as_json:
                    findings.append({"where": where} | item.to_dict())
                else:
                    print_line(f"{where}: {item}")
            else:
                by_event_type[item] += 1
                advance(1)
    total = by_event_type.total()
    if as_json:
        print_json(
            {
                "events": total,
                "errors": levels["error"],
                "warnings": levels["warning"],
                "unreadable": unreadable,
                "schema_version": catalog.schema_version,
                "by_event_type": dict(sorted(by_event_type.items())),
                "findings": findings,
            }
        )
    else:
        print_note(
            f"{counted(total, 'event')} checked against schema version "
            f"{catalog.schema_version}: {counted(levels['error'], 'error')}, "
            f"{counted(levels['warning'], 'warning')}, {unreadable:,} unreadable"
        )
    empty = not total and not unreadable and not allow_empty
    if empty:
        print_error("the input contains no events; --allow-empty allows that")
    if unreadable or empty:
        raise typer.Exit(BAD_INPUT)
    if levels["error"] or (strict and levels["warning"]):
        raise typer.Exit(NOT_ALL)


def _checked(
    catalog: Catalog, files: list[str] | None
) -> Iterator[tuple[str, ReadError | Finding | str]]:
    """Yield each event's findings and then its type, with its place in the input."""
    for item in values_in(files):
        if isinstance(item, ReadError):
            yield "", item
            continue
        where = f"{item.source}:{item.line}"
        for finding in check_event(catalog, item.value):
            yield where, finding
        event_type = item.value.get("event_type") if isinstance(item.value, dict) else None
        yield where, event_type if isinstance(event_type, str) else "?"
