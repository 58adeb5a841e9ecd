"""`journey`: print one journey of one user."""

from __future__ import annotations

from typing import Annotated

import typer

from .._files import standard_output
from ..catalog import Catalog
from ..payload import encode_array, encode_event
from ._options import CatalogDir, SchemaVersion, Seed
from ._story import Outcome, Set, StoryName, UserNumber, Users, parse_properties
from ._streams import print_note, writing_output
from ._time import parse_instant
from ._wording import counted
from ._world import new_world

__all__ = ["run"]


def run(
    name: StoryName,
    *,
    outcome: Outcome = None,
    user: UserNumber = None,
    properties: Set = None,
    start: Annotated[
        str,
        typer.Option(
            metavar="TIME",
            help="When it begins: ISO 8601, UTC by default; seconds since the epoch; or now.",
        ),
    ] = "now",
    seed: Seed = None,
    users: Users = 1_000,
    schema_version: SchemaVersion = None,
    catalog_dir: CatalogDir = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON array, not JSON Lines.")
    ] = False,
) -> None:
    """Print one journey of one user as JSON Lines.

    The output has the events of that story only, and those that cause it: abandoned-cart begins
    with the session in which the cart is left. The same seed, start and options give the same
    events, byte for byte.
    """
    began = parse_instant(start)
    catalog = Catalog.load(schema_version, catalog_dir)
    world, chosen = new_world(seed, users=users, catalog=catalog)
    events = world.journey(
        name, user=user, start=began, outcome=outcome, **parse_properties(properties, catalog)
    )
    items = map(encode_event, events)
    with writing_output():
        file = standard_output()
        for chunk in encode_array(items) if as_json else (item + b"\n" for item in items):
            file.write(chunk)
        file.flush()
    print_note(f"{counted(len(events), 'event')}; --seed {chosen} --start {began} repeats them")
