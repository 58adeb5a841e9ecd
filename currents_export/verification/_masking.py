"""Hide texts in examples, since they may be personal data."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

__all__ = ["masked", "masked_object"]


#: How deep a value is shown; deeper ones could exhaust the stack.
_DEEPEST = 60


def masked(value: Any, *, depth: int = 0) -> Any:
    """Return a JSON value with its texts replaced by their lengths."""
    if isinstance(value, str):
        return f"({len(value)} characters)"
    if isinstance(value, dict | list) and depth >= _DEEPEST:
        return f"({len(value)} deeper values)"
    if isinstance(value, dict):
        return {name: masked(inner, depth=depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner, depth=depth + 1) for inner in value]
    return value


def masked_object(value: Mapping[str, Any], shown: Container[str]) -> dict[str, Any]:
    """Return an event or a message with its texts masked, except some names at its top."""
    return {name: inner if name in shown else masked(inner) for name, inner in value.items()}
