"""What Braze can send: event types, fields and schema versions, and conformance to them."""

from ._conformance import Finding, check_event
from ._json_schema import json_schema
from ._model import Catalog, EventType, Field, SchemaVersion, ValueRule

__all__ = [
    "Catalog",
    "EventType",
    "Field",
    "Finding",
    "SchemaVersion",
    "ValueRule",
    "check_event",
    "json_schema",
]
