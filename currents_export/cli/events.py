"""`events`: list the event types of a schema version."""

from __future__ import annotations

from typing import Annotated, Any

import attrs
import typer

from ..catalog import Catalog, EventType
from ._completion import complete_pattern
from ._options import AsJson, CatalogDir, SchemaVersion
from ._streams import print_json, print_line, print_note
from ._tables import print_table

__all__ = ["run"]


def run(
    patterns: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATTERN",
            autocompletion=complete_pattern,
            help="Names, families or globs such as 'email.*'; all by default.",
        ),
    ] = None,
    *,
    fields: Annotated[bool, typer.Option("--fields", help="Show the fields of each type.")] = False,
    schema_version: SchemaVersion = None,
    catalog_dir: CatalogDir = None,
    as_json: AsJson = False,
) -> None:
    """List the event types a Current can send."""
    catalog = Catalog.load(schema_version, catalog_dir)
    chosen = catalog.select(*(patterns or ["*"]))
    if as_json:
        print_json([_described(each, fields=fields) for each in chosen])
    elif fields:
        for each in chosen:
            _print_fields(each)
    else:
        print_table(
            {"event type": "", "family": "", "since": "right", "status": "", "description": ""},
            ((e.name, e.family, e.since, e.status, e.description) for e in chosen),
        )
        print_note(f"{len(chosen)} event types in schema version {catalog.schema_version}")


def _print_fields(event_type: EventType) -> None:
    print_line(f"{event_type.name}: {event_type.description}")
    print_table(
        {"field": "", "type": "", "required": "", "since": "right", "description": ""},
        (
            (f.path, f.json_type, "yes" if f.required else "", f.since, f.description)
            for f in event_type.fields.values()
        ),
    )
    print_line()


def _described(event_type: EventType, *, fields: bool) -> dict[str, Any]:
    hidden = attrs.filters.exclude(attrs.fields(EventType).fields)
    known = attrs.asdict(event_type, filter=hidden)
    if fields:
        known["fields"] = [
            {"path": field.path} | attrs.asdict(field) for field in event_type.fields.values()
        ]
    return known
