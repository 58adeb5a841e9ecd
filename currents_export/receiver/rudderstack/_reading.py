"""Read JSON as RudderStack does: numbers lose precision instead of being refused."""

from __future__ import annotations

import json
from typing import Any

import orjson

__all__ = ["read_json"]


def read_json(text: bytes) -> Any:
    """Return a JSON value; numbers that do not fit become the nearest 64-bit float, or infinite.

    Raises:
        ValueError: the text is not JSON.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if "infinity" not in error.msg:
            raise
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("the value is nested too deep") from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
