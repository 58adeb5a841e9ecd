"""`events`, `schema`, `validate`: what Braze can send, and whether something is like it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any

import attrs
import typer

from ..catalog import Catalog, EventType, Finding, check_event, json_schema
from ..errors import ReadError
from ._input import Files, values_in
from ._output import (
    BAD_INPUT,
    NOT_ALL,
    AsJson,
    SchemaVersionOption,
    complain,
    print_json,
    print_table,
    progress,
    say,
    tell,
)

__all__ = ["events", "schema", "validate"]


def events(
    patterns: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATTERN",
            help="Names, families or globs such as 'users.messages.email.*'; all by default.",
        ),
    ] = None,
    *,
    fields: Annotated[bool, typer.Option("--fields", help="Show the fields of each.")] = False,
    schema_version: SchemaVersionOption = None,
    as_json: AsJson = False,
) -> None:
    """List the event types a Current can send."""
    catalog = Catalog.load(schema_version)
    chosen = catalog.select(*(patterns or ["*"]))
    if as_json:
        print_json([_described(each, fields=fields) for each in chosen])
        return
    if not fields:
        print_table(
            {"event type": "", "family": "", "since": "right", "status": "", "description": ""},
            ((e.name, e.family, e.since, e.status, e.description) for e in chosen),
        )
        tell(f"{len(chosen)} event types in schema version {catalog.schema_version}")
        return
    for each in chosen:
        say(f"{each.name}: {each.description}")
        print_table(
            {"field": "", "type": "", "required": "", "since": "right", "description": ""},
            (
                (f.path, f.json_type, "yes" if f.required else "", f.since, f.description)
                for f in each.fields.values()
            ),
        )
        say()


def _described(event_type: EventType, *, fields: bool) -> dict[str, Any]:
    hidden = attrs.filters.exclude(attrs.fields(EventType).fields)
    known = attrs.asdict(event_type, filter=hidden)
    if fields:
        known["fields"] = [
            {"path": field.path} | attrs.asdict(field) for field in event_type.fields.values()
        ]
    return known


def schema(
    event_type: Annotated[str, typer.Argument(help="The event type's full name.")],
    *,
    schema_version: SchemaVersionOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it on one line.")] = False,
) -> None:
    """Print the JSON Schema of an event type."""
    catalog = Catalog.load(schema_version)
    print_json(json_schema(catalog[event_type], catalog.schema_version), indent=not as_json)


def validate(
    files: Files = None,
    *,
    schema_version: SchemaVersionOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings count as errors.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check events against the schema: files, or standard input.

    They may be JSON Lines, a JSON array, or request bodies. Exits with 1 when an event is not as
    the schema says, with 2 when something could not be read at all.
    """
    catalog = Catalog.load(schema_version)
    by_event_type: Counter[str] = Counter()
    levels: Counter[str] = Counter()
    unreadable = 0
    findings: list[dict[str, Any]] = []
    with progress("checking events") as advance:
        for where, item in _checked(catalog, files):
            if isinstance(item, ReadError):
                unreadable += 1
                complain(item)
            elif isinstance(item, Finding):
                levels[item.level] += 1
                if as_json:
                    findings.append({"where": where} | item.to_dict())
                else:
                    say(f"{where}: {item}")
            else:
                by_event_type[item] += 1
                advance(1)
    total = by_event_type.total()
    if not total:
        tell("there are no events in the input")
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
        tell(
            f"{total:,} events checked against schema version {catalog.schema_version}: "
            f"{levels['error']:,} errors, {levels['warning']:,} warnings, "
            f"{unreadable:,} unreadable"
        )
    if unreadable:
        raise typer.Exit(BAD_INPUT)
    if levels["error"] or (strict and levels["warning"]):
        raise typer.Exit(NOT_ALL)


def _checked(
    catalog: Catalog, files: list[str] | None
) -> Iterator[tuple[str, ReadError | Finding | str]]:
    """What is in the files: each event's findings, then its type, with where it stands."""
    for item in values_in(files):
        if isinstance(item, ReadError):
            yield "", item
            continue
        where = f"{item.source}:{item.line}"
        for finding in check_event(catalog, item.value):
            yield where, finding
        event_type = item.value.get("event_type") if isinstance(item.value, dict) else None
        yield where, event_type if isinstance(event_type, str) else "?"
