"""Outboxes: accepted events that survive the process."""

from ._contents import Contents, TypeContents, export_events, read_contents
from ._sqlite import SqliteOutbox

__all__ = ["Contents", "SqliteOutbox", "TypeContents", "export_events", "read_contents"]
