"""Read text, and sort the results."""

from __future__ import annotations

import io
import json
from typing import Any

from currents_export.errors import ReadError
from currents_export.reading import Located, read_values

__all__ = ["ONE", "THREE", "TWO", "dump", "errors", "places", "read", "values"]

ONE, TWO, THREE = ({"event_type": name, "id": name, "time": 1} for name in ("one", "two", "three"))


def dump(value: Any, **options: Any) -> str:
    """Return a value as JSON."""
    return json.dumps(value, **options)


def read(text: str | bytes) -> list[Located | ReadError]:
    """Return everything that is read from a file `f` with this text."""
    raw = text.encode() if isinstance(text, str) else text
    return list(read_values(io.BytesIO(raw), source="f"))


def values(text: str | bytes) -> list[Any]:
    """Return the values in the text."""
    return [item.value for item in read(text) if isinstance(item, Located)]


def places(text: str | bytes) -> list[tuple[Any, int]]:
    """Return the values in the text with their lines."""
    return [(item.value, item.line) for item in read(text) if isinstance(item, Located)]


def errors(text: str | bytes) -> list[ReadError]:
    """Return the errors of the parts that cannot be read."""
    return [item for item in read(text) if isinstance(item, ReadError)]
