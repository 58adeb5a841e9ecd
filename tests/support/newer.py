"""An invented schema version: types, a channel, fields and values that the code does not know."""

from __future__ import annotations

from collections.abc import Iterator

from currents_export.catalog import FORMATS, Catalog
from tests.support.tables import CopiedTables

__all__ = [
    "JSON_TYPES",
    "NEW_VALUES",
    "OLD_TYPE",
    "REVIEW",
    "SEND",
    "THOUGHT",
    "add_newer_version",
]

#: Types of a new channel, a type outside all known globs, and an old type with a new field.
SEND = "users.messages.telepathy.Send"
THOUGHT = "users.messages.telepathy.ThoughtReceived"
REVIEW = "reviews.Written"
OLD_TYPE = "users.messages.email.Open"

JSON_TYPES = ("string", "integer", "number", "boolean", "object", "array<string>")

#: An event type, part, field and JSON type, and whether the field is required.
_Row = tuple[str, str, str, str, bool]

_ROWS: tuple[_Row, ...] = (
    (OLD_TYPE, "properties", "mood", "string", False),
    (REVIEW, "user", "user_id", "string", False),
    (REVIEW, "user", "tribe", "string", True),
    (REVIEW, "properties", "stars", "integer", True),
    (REVIEW, "properties", "session_id", "string", True),
    (REVIEW, "properties", "campaign_name", "string", False),
)

#: Known fields of the new channel's types.
_KNOWN = (
    *("campaign_id", "campaign_name", "message_variation_id", "dispatch_id", "send_id"),
    *("canvas_id", "canvas_step_id", "canvas_variation_id", "message_extras"),
    *("subscription_group_id", "url", "error", "abort_type"),
)

#: New values of old types: where the row begins that lists them, an event type and a property that
#: it applies to, an old value, and the new one after it.
NEW_VALUES = (
    (
        "users.messages.sms.Abort\t",
        "users.messages.sms.Abort",
        "abort_type",
        "rate_limit",
        "asleep",
    ),
    ("\taction\t", "users.messages.sms.InboundReceive", "action", "None", "Hummed"),
    (
        "\tconversion_behavior_index\t",
        "users.campaigns.Conversion",
        "conversion_behavior_index",
        "3",
        "4",
    ),
    ("\tconversion_type\t", "users.canvas.costep.Conversion", "conversion_type", "click", "dream"),
    ("\tdevice_class\t", OLD_TYPE, "device_class", "tablet", "tv"),
    ("\tgender\t", "users.profile.Update", "gender", "P", "Q"),
    ("\tplatform\t", "users.behaviors.CustomEvent", "platform", "roku", "glasses"),
    ("\tprogression_type\t", "users.canvasstep.Progression", "progression_type", "advance", "leap"),
)


def add_newer_version(tables: CopiedTables) -> int:
    """Add the invented version to copied tables, and return its number."""
    version = max(each.number for each in Catalog.versions()) + 1
    tables.add("versions.tsv", schema_version=version, released="2026-11-04")
    for name in (SEND, THOUGHT, REVIEW):
        tables.add(
            "event_types.tsv",
            event_type=name,
            family="message_engagement",
            since=version,
            status="current",
            description="Something new.",
        )
    described = {line.partition("\t")[0] for line in tables.lines("fields.tsv")}
    for event_type, part, field, json_type, required in _rows():
        tables.add(
            "event_fields.tsv",
            event_type=event_type,
            part=part,
            field=field,
            json_type=json_type,
            required="yes" if required else "no",
            pii="no",
            since=version,
        )
        if field not in described:
            described.add(field)
            tables.add("fields.tsv", field=field, description="Something new.")
    for name in FORMATS:
        tables.add("field_values.tsv", field=f"as_{name}", format=name, open="yes")
    tables.add("field_values.tsv", field="brain_wave", values="alpha|beta", open="no")
    lines = tables.lines("field_values.tsv")
    for start, _, _, old, new in NEW_VALUES:
        lines = [
            line.replace(old, f"{old}|{new}") if line.startswith(start) else line for line in lines
        ]
    tables.write("field_values.tsv", "\n".join(lines) + "\n")
    return version


def _rows() -> Iterator[_Row]:
    yield from _ROWS
    for name in (SEND, THOUGHT):
        yield name, "user", "user_id", "string", True
        for field in ("external_user_id", "device_id"):
            yield name, "user", field, "string", False
        for field in _KNOWN:
            yield name, "properties", field, "string", False
        for field in ("email_address", "brain_wave"):
            yield name, "properties", field, "string", True
        for number, json_type in enumerate(JSON_TYPES):
            yield name, "properties", f"new_{number}", json_type, number % 2 == 0
        for form in FORMATS.values():
            yield name, "properties", f"as_{form.name}", form.json_types[0], False
