"""Rule 15: names are null for at most an hour, after a campaign or Canvas is made or renamed.

Source: Braze, Currents FAQ (null name fields).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs

from ._context import Context
from ._finding import IncoherenceCode, IncoherenceFinding
from ._seen import HOUR, Kind, Seen

__all__ = ["Names"]

#: The fields of names, and of the ids that they belong to.
_FIELDS: Final = (
    ("campaign_name", "campaign_id"),
    ("canvas_name", "canvas_id"),
    ("canvas_step_name", "canvas_step_id"),
    ("canvas_variation_name", "canvas_variation_id"),
    ("message_variation_name", "message_variation_id"),
    ("experiment_split_name", "experiment_split_id"),
)

#: Those that are null only because they changed; others are null with their campaign or Canvas.
_OWN: Final = frozenset({"campaign_name", "canvas_name"})

#: How many names to remember at most, so that made-up ids do not fill the memory.
_MAX: Final = 100_000


@attrs.define
class _Name:
    value: str | None = None
    time: int = 0
    first_null: Seen | None = None
    last_null: Seen | None = None


class Names:
    """Follow the names of campaigns, Canvases and their parts."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._names: dict[tuple[str, str], _Name] = {}

    def concerns(self, kind: Kind) -> bool:
        """Return whether it is a type at all: nearly every type can have names."""
        return bool(kind.name)

    def feed(self, event: Seen) -> Iterator[IncoherenceFinding]:
        """Compare each name with the one before."""
        properties = event.properties
        for field, id_field in _FIELDS:
            # A name that is missing says nothing: some exports leave out nulls.
            if field not in properties:
                continue
            key = event.text(id_field)
            if key is None:
                continue
            value = properties[field]
            name = self._names.get((field, key))
            if name is None:
                if len(self._names) >= _MAX:
                    self._names.clear()
                name = self._names[field, key] = _Name()
            if value is None:
                if name.value is None or event.time > name.time:
                    name.last_null = event.bare()
                    name.first_null = name.first_null or name.last_null
            elif isinstance(value, str):
                if name.first_null is not None:
                    yield from self._after_null(field, name, event, value)
                name.value, name.time = value, event.time

    def forget_user(self, user: str) -> None:
        """Keep the names: they do not depend on users."""

    def forget(self, now: int) -> None:
        """Keep the names: there are few."""

    def _after_null(
        self, field: str, name: _Name, event: Seen, value: str
    ) -> Iterator[IncoherenceFinding]:
        first, last = name.first_null, name.last_null
        name.first_null = name.last_null = None
        if first is None or last is None:
            return
        if last.time - first.time > HOUR:
            yield last.finding(
                IncoherenceCode.NULL_TOO_LONG,
                f"{field} is null, as it was {last.time - first.time} seconds before",
                "it is null for at most an hour after the making or a rename",
                first.id,
            )
        elif (
            self._context.whole and field in _OWN and name.value == value and last.time < event.time
        ):
            yield last.finding(
                IncoherenceCode.NULL_WITHOUT_RENAME,
                f"{field} is null, and is the same before and after",
                "it is null only after the making or a rename",
                event.id,
            )
