"""Read events from request bodies, JSON arrays and JSON Lines.

A broken line does not affect the others: a part that cannot be read is yielded as a `ReadError`
with the file and the line, in its place among the values.
"""

from __future__ import annotations

from ._files import read_path, reads_once
from ._lines import read_values, why_unreadable
from ._stoppable import StoppableEvents
from ._values import Located, read_events

__all__ = [
    "Located",
    "StoppableEvents",
    "read_events",
    "read_path",
    "read_values",
    "reads_once",
    "why_unreadable",
]
