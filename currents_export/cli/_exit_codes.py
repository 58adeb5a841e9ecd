"""The exit codes of the commands other than 0."""

from __future__ import annotations

__all__ = ["BAD_INPUT", "INTERRUPTED", "NOT_ALL"]

NOT_ALL, BAD_INPUT, INTERRUPTED = 1, 2, 130
