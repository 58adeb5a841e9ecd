"""What a shell completes: event types, families and journeys."""

from __future__ import annotations

from collections.abc import Iterable

import typer

__all__ = ["complete_event_type", "complete_outcome", "complete_pattern", "complete_story"]


def complete_event_type(incomplete: str) -> list[str]:
    """Return the event types that begin like this."""
    from ..catalog import Catalog  # noqa: PLC0415 - the help is shown without it

    return _beginning(Catalog.load(), incomplete)


def complete_pattern(incomplete: str) -> list[str]:
    """Return the event types, families and globs that begin like this."""
    from ..catalog import Catalog  # noqa: PLC0415 - as above

    catalog = Catalog.load()
    names = [*catalog.families, *catalog]
    parts = incomplete.count(".")
    # `users.` continues with the next part of the names, and a glob for all that have it.
    globs = {".".join(name.split(".")[: parts + 1]) + ".*" for name in catalog}
    globs = {each for each in globs if any(name.startswith(each[:-1]) for name in catalog)}
    return _beginning([*names, *sorted(globs)], incomplete)


def complete_story(incomplete: str) -> list[tuple[str, str]]:
    """Return the journeys that begin like this, with their descriptions."""
    from ..simulation.stories import STORIES  # noqa: PLC0415 - as above

    return [
        (name, story.description) for name, story in STORIES.items() if name.startswith(incomplete)
    ]


def complete_outcome(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the outcomes of the journey on the command line that begin like this."""
    from ..simulation.stories import STORIES  # noqa: PLC0415 - as above

    story = STORIES.get(ctx.params.get("name") or "")
    stories = STORIES.values() if story is None else [story]
    names = dict.fromkeys(name for each in stories for name in each.outcomes)
    return _beginning(names, incomplete)


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
