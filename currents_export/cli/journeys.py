"""`journeys`: list the built-in journeys."""

from __future__ import annotations

from typing import Annotated

import typer

from ..simulation.stories import STORIES, find_story
from ._completion import complete_story
from ._options import AsJson
from ._streams import print_json, print_line, print_note
from ._tables import print_table
from ._wording import counted

__all__ = ["run"]


def run(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            autocompletion=complete_story,
            help="Journeys to show with their outcomes; all by default.",
        ),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the built-in journeys with their outcomes.

    The first outcome of each is the default.
    """
    stories = [find_story(name) for name in names] if names else list(STORIES.values())
    if as_json:
        print_json(
            [
                {
                    "name": story.name,
                    "description": story.description,
                    "default": story.default.name,
                    "outcomes": {each.name: each.description for each in story.outcomes.values()},
                }
                for story in stories
            ]
        )
        return
    if names:
        for story in stories:
            print_line(f"{story.name}: {story.description}")
            print_table(
                {"outcome": "", "description": ""},
                ((each.name, each.description) for each in story.outcomes.values()),
            )
            print_line()
        return
    print_table(
        {"journey": "", "outcomes": "", "description": ""},
        ((story.name, ", ".join(story.outcomes), story.description) for story in stories),
    )
    print_note(f"{counted(len(stories), 'journey')}; 'journeys NAME' describes the outcomes of one")
