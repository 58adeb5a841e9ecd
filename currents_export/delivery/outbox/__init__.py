"""Outboxes: accepted events that survive the process."""

from ._contents import Contents, TypeContents, export_events, read_contents
from ._database import connect, create, explain
from ._sqlite import SqliteOutbox

__all__ = [
    "Contents",
    "SqliteOutbox",
    "TypeContents",
    "connect",
    "create",
    "explain",
    "export_events",
    "read_contents",
]
