"""Hide texts in examples, since they may be personal data."""

from __future__ import annotations

from typing import Any

__all__ = ["masked"]


def masked(value: Any) -> Any:
    """Return a JSON value with its texts replaced by their lengths."""
    if isinstance(value, str):
        return f"({len(value)} characters)"
    if isinstance(value, dict):
        return {name: masked(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner) for inner in value]
    return value
