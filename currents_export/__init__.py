"""A Braze Current in a box: realistic events, delivered as Braze delivers them.

The names below are loaded when they are first used, so that importing the package stays light;
`currents_export.receiver` is a package of its own.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._version import __version__ as __version__

if TYPE_CHECKING:
    from .catalog import Catalog, Finding, FindingCode, check_event, json_schema
    from .current import Current, Region
    from .delivery import Backoff, Hooks, ManualClock, Result, Sender
    from .errors import (
        CatalogError,
        CurrentError,
        CurrentsExportError,
        EventError,
        InvalidEventsError,
        NotTakenError,
        OptionError,
        QueueFullError,
        ReadError,
        ReceiverError,
        ScriptError,
        SenderClosedError,
        UnknownNameError,
    )
    from .events import Event
    from .payload import Transformation
    from .reading import read_events, read_path, read_values
    from .simulation import World

__all__ = [
    "Backoff",
    "Catalog",
    "CatalogError",
    "Current",
    "CurrentError",
    "CurrentsExportError",
    "Event",
    "EventError",
    "Finding",
    "FindingCode",
    "Hooks",
    "InvalidEventsError",
    "ManualClock",
    "NotTakenError",
    "OptionError",
    "QueueFullError",
    "ReadError",
    "ReceiverError",
    "Region",
    "Result",
    "ScriptError",
    "Sender",
    "SenderClosedError",
    "Transformation",
    "UnknownNameError",
    "World",
    "check_event",
    "json_schema",
    "read_events",
    "read_path",
    "read_values",
]

_HOMES = {
    "catalog": ("Catalog", "Finding", "FindingCode", "check_event", "json_schema"),
    "current": ("Current", "Region"),
    "delivery": ("Backoff", "Hooks", "ManualClock", "Result", "Sender"),
    "events": ("Event",),
    "payload": ("Transformation",),
    "reading": ("read_events", "read_path", "read_values"),
    "simulation": ("World",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME.get(name, 'errors')}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
