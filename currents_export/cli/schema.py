"""`schema`: print the JSON Schema of an event type."""

from __future__ import annotations

from typing import Annotated

import typer

from ..catalog import Catalog, json_schema
from ._completion import complete_event_type
from ._options import CatalogDir, SchemaVersion
from ._streams import print_json

__all__ = ["run"]


def run(
    event_type: Annotated[
        str,
        typer.Argument(
            metavar="EVENT_TYPE",
            autocompletion=complete_event_type,
            help="The event type's full name.",
        ),
    ],
    *,
    schema_version: SchemaVersion = None,
    catalog_dir: CatalogDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the schema on one line.")] = False,
) -> None:
    """Print the JSON Schema of an event type."""
    catalog = Catalog.load(schema_version, catalog_dir)
    print_json(json_schema(catalog[event_type], catalog.schema_version), indent=not as_json)
