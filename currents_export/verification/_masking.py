"""Hide texts in examples, since they may be personal data."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

__all__ = ["masked", "masked_object"]


#: What is nested more deeply is replaced as a whole.
_MAX_DEPTH = 100


def masked(value: Any, depth: int = 0) -> Any:
    """Return a JSON value with its texts replaced by their lengths."""
    if depth > _MAX_DEPTH:
        return "(nested too deeply)"
    if isinstance(value, str):
        return f"({len(value)} characters)"
    if isinstance(value, dict):
        return {name: masked(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner, depth + 1) for inner in value]
    return value


def masked_object(value: Mapping[str, Any], shown: Container[str]) -> dict[str, Any]:
    """Return an event or a message with its texts masked, except some names at its top."""
    return {name: inner if name in shown else masked(inner) for name, inner in value.items()}
