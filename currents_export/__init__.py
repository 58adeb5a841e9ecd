"""A Braze Current in a box: realistic events, delivered as Braze delivers them.

The names below are imported when they are first used, so that importing the package stays fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._version import __version__ as __version__

if TYPE_CHECKING:
    from .catalog import (
        Catalog,
        EventType,
        Field,
        Finding,
        FindingCode,
        SchemaVersion,
        ValueRule,
        check_event,
        json_schema,
    )
    from .coherence import (
        CoherenceRule,
        IncoherenceCode,
        IncoherenceFinding,
        StreamChecker,
        check_stream,
    )
    from .current import Current, CurrentsExportWarning, Region
    from .delivery import (
        Action,
        AsRecorded,
        AsyncSender,
        Attempt,
        Backoff,
        Clock,
        CredentialsCheck,
        Drop,
        DropReason,
        Durability,
        FilterReason,
        Hooks,
        ManualClock,
        Notice,
        NoticeKind,
        Quota,
        Response,
        Result,
        Sender,
        SendRecord,
        State,
        SystemClock,
        Totals,
    )
    from .destinations import CustomHttp, Destination, RudderStack
    from .errors import (
        CatalogError,
        CurrentError,
        CurrentsExportError,
        EventError,
        InvalidEventsError,
        NotStoredError,
        NotTakenError,
        OptionError,
        OutboxError,
        QueueFullError,
        ReadError,
        ReceiverError,
        ScenarioError,
        ScriptError,
        SenderClosedError,
        UnknownNameError,
        WorkspaceError,
    )
    from .events import Event
    from .payload import Transformation
    from .reading import Located, read_events, read_path, read_values
    from .receiver import (
        AppTransport,
        Counts,
        FindingCount,
        Receiver,
        ScriptedResponse,
        WsgiTransport,
        listen,
        parse_script,
    )
    from .simulation import World

__all__ = [
    "Action",
    "AppTransport",
    "AsRecorded",
    "AsyncSender",
    "Attempt",
    "Backoff",
    "Catalog",
    "CatalogError",
    "Clock",
    "CoherenceRule",
    "Counts",
    "CredentialsCheck",
    "Current",
    "CurrentError",
    "CurrentsExportError",
    "CurrentsExportWarning",
    "CustomHttp",
    "Destination",
    "Drop",
    "DropReason",
    "Durability",
    "Event",
    "EventError",
    "EventType",
    "Field",
    "FilterReason",
    "Finding",
    "FindingCode",
    "FindingCount",
    "Hooks",
    "IncoherenceCode",
    "IncoherenceFinding",
    "InvalidEventsError",
    "Located",
    "ManualClock",
    "NotStoredError",
    "NotTakenError",
    "Notice",
    "NoticeKind",
    "OptionError",
    "OutboxError",
    "QueueFullError",
    "Quota",
    "ReadError",
    "Receiver",
    "ReceiverError",
    "Region",
    "Response",
    "Result",
    "RudderStack",
    "ScenarioError",
    "SchemaVersion",
    "ScriptError",
    "ScriptedResponse",
    "SendRecord",
    "Sender",
    "SenderClosedError",
    "State",
    "StreamChecker",
    "SystemClock",
    "Totals",
    "Transformation",
    "UnknownNameError",
    "ValueRule",
    "WorkspaceError",
    "World",
    "WsgiTransport",
    "check_event",
    "check_stream",
    "json_schema",
    "listen",
    "parse_script",
    "read_events",
    "read_path",
    "read_values",
]

#: The module of each public name; the errors are in `errors`.
_MODULES = {
    "catalog": (
        "Catalog",
        "EventType",
        "Field",
        "Finding",
        "FindingCode",
        "SchemaVersion",
        "ValueRule",
        "check_event",
        "json_schema",
    ),
    "coherence": (
        "CoherenceRule",
        "IncoherenceCode",
        "IncoherenceFinding",
        "StreamChecker",
        "check_stream",
    ),
    "current": ("Current", "CurrentsExportWarning", "Region"),
    "delivery": (
        "Action",
        "AsRecorded",
        "AsyncSender",
        "Attempt",
        "Backoff",
        "Clock",
        "CredentialsCheck",
        "Drop",
        "DropReason",
        "Durability",
        "FilterReason",
        "Hooks",
        "ManualClock",
        "Notice",
        "NoticeKind",
        "Quota",
        "Response",
        "Result",
        "SendRecord",
        "Sender",
        "State",
        "SystemClock",
        "Totals",
    ),
    "destinations": ("CustomHttp", "Destination", "RudderStack"),
    "events": ("Event",),
    "payload": ("Transformation",),
    "reading": ("Located", "read_events", "read_path", "read_values"),
    "receiver": (
        "AppTransport",
        "Counts",
        "FindingCount",
        "Receiver",
        "ScriptedResponse",
        "WsgiTransport",
        "listen",
        "parse_script",
    ),
    "simulation": ("World",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_MODULE_OF.get(name, 'errors')}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
