"""What `journey` and `trigger` have in common: their options, and the values of fields."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from .._redaction import shown
from ..catalog import Catalog
from ._completion import complete_outcome, complete_story

__all__ = ["Outcome", "Set", "StoryName", "UserNumber", "Users", "parse_properties"]

StoryName = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        autocompletion=complete_story,
        help="The journey; 'journeys' lists them.",
    ),
]
Outcome = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        autocompletion=complete_outcome,
        help="How it ends, such as converted; by default, its first outcome.",
    ),
]
UserNumber = Annotated[
    int | None,
    typer.Option(
        "--user",
        metavar="NUMBER",
        min=0,
        help="The number of the user; by default, the first user who can have the journey.",
    ),
]
Users = Annotated[int, typer.Option(metavar="N", min=1, help="How many users the world has.")]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="FIELD=VALUE",
        help="A value for all events that have the field; repeatable. JSON is read as JSON, and "
        "anything else as text; null leaves the field out.",
    ),
]


def parse_properties(pairs: Iterable[str] | None, catalog: Catalog) -> dict[str, Any]:
    """Parse `FIELD=VALUE`; a number for a field of text is text."""
    import orjson  # noqa: PLC0415 - the help is shown without it

    properties: dict[str, Any] = {}
    texts = {
        field.name
        for event_type in catalog.event_types
        for field in event_type.fields.values()
        if field.json_type == "string"
    }
    for pair in pairs or ():
        name, equals, text = pair.partition("=")
        if not name or not equals:
            raise typer.BadParameter(f"--set is {shown(pair)}; it must be like campaign_name=Sale")
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            value = text
        if name in texts and isinstance(value, int | float):
            value = text
        properties[name] = value
    return properties
