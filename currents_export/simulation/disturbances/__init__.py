"""Disturbances: what happens to events on their way from the journeys to the receiver.

Source: Braze, Custom Currents export (delivery at least once, without order; names that are null
for up to an hour; new event types and fields at any time).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ._arrivals import Burst, Duplicate, Gap, Late, OutOfOrder
from ._base import Disturbance, Patterns, to_patterns
from ._contents import Drift, MissingExternalUserId, NullNames, OpenBeforeSend
from ._stream import disturb

__all__ = [
    "DISTURBANCES",
    "Burst",
    "Disturbance",
    "Drift",
    "Duplicate",
    "Gap",
    "Late",
    "MissingExternalUserId",
    "NullNames",
    "OpenBeforeSend",
    "OutOfOrder",
    "Patterns",
    "disturb",
    "to_patterns",
]

#: The disturbances by kind, as in the `kind` of a scenario file and of the answer key.
DISTURBANCES: Mapping[str, type[Disturbance]] = MappingProxyType(
    {
        each.kind: each
        for each in (
            Duplicate,
            Late,
            OutOfOrder,
            OpenBeforeSend,
            NullNames,
            MissingExternalUserId,
            Drift,
            Burst,
            Gap,
        )
    }
)
