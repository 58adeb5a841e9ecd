"""`load_mapping`: read the custom mapping of a source from a file."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..._redaction import shown
from ...errors import OptionError

__all__ = ["load_mapping"]

_RIGHT = (
    'it must be an object such as {"users.messages.email.Open": "Email Opened"}, or rows such as '
    '[{"from": "users.messages.email.Open", "to": "Email Opened"}]'
)


def load_mapping(path: Path | str) -> dict[str, str]:
    """Read a custom mapping, from event types to event names, from a JSON or TOML file.

    It is an object or a table with a name for each event type, or the rows of the source's settings
    with their keys `from` and `to`, also under the key `customMapping`.

    Raises:
        OptionError: the file cannot be read, or does not contain a mapping.
    """
    path = Path(path)
    try:
        text = path.read_text("utf-8")
        value: Any = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except OSError as error:
        raise OptionError(f"{path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        what = "TOML" if path.suffix == ".toml" else "JSON"
        raise OptionError(f"{path}: the mapping is not {what}: {error}") from error
    if isinstance(value, dict) and isinstance(value.get("customMapping"), list):
        value = value["customMapping"]
    pairs = value.items() if isinstance(value, dict) else _pairs(path, value)
    mapping = dict(pairs)
    for event_type, name in mapping.items():
        if not isinstance(name, str):
            raise OptionError(f"{path}: {event_type} is mapped to {shown(name)}; {_RIGHT}")
    return mapping


def _pairs(path: Path, rows: Any) -> Iterable[tuple[str, Any]]:
    if not isinstance(rows, list):
        raise OptionError(f"{path}: {_RIGHT}")
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict) or not isinstance(row.get("from"), str) or "to" not in row:
            raise OptionError(f"{path}: row {number} is not a mapping; {_RIGHT}")
        yield row["from"], row["to"]
