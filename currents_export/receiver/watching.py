"""What a receiver finds in a request, for those who watch it."""

from __future__ import annotations

from ._exchange import Exchange

__all__ = ["Exchange"]
