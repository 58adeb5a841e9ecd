"""Fill the fields of events."""

from . import (
    agents,
    behaviors,
    canvases,
    clicks,
    email,
    messages,
    replies,
    shop,
    subscriptions,
    surveys,
    tokens,
)
from .default import default_maker
from .draft import Draft, pick, pick_early
from .registry import MAKERS, FieldMaker, is_needed
from .sources import Source, fields_from, reader, source_of
from .values import UnhandledValues, unhandled_values

__all__ = [
    "MAKERS",
    "Draft",
    "FieldMaker",
    "Source",
    "UnhandledValues",
    "default_maker",
    "fields_from",
    "is_needed",
    "pick",
    "pick_early",
    "reader",
    "source_of",
    "unhandled_values",
]

#: The modules that register the field makers.
MODULES = (
    agents,
    behaviors,
    canvases,
    clicks,
    email,
    messages,
    replies,
    shop,
    subscriptions,
    surveys,
    tokens,
)
