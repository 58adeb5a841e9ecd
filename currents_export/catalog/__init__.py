"""The event types, fields and schema versions of Currents, and the check of events."""

from ._catalog import Catalog
from ._conformance import check_event
from ._finding import Finding, FindingCode
from ._formats import FORMATS, Format
from ._json_schema import json_schema
from ._model import EventType, Field, SchemaVersion, ValueRule
from ._tables import Row, read_table

__all__ = [
    "FORMATS",
    "Catalog",
    "EventType",
    "Field",
    "Finding",
    "FindingCode",
    "Format",
    "Row",
    "SchemaVersion",
    "ValueRule",
    "check_event",
    "json_schema",
    "read_table",
]
