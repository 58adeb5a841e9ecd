"""`Finding`: one difference between an event and the catalog."""

from __future__ import annotations

from typing import Literal

import attrs

from .._codes import Code

__all__ = ["Finding", "FindingCode", "Level"]

Level = Literal["error", "warning"]


class FindingCode(Code):
    """The kind of a finding."""

    NOT_AN_OBJECT = "not_an_object", "the event, or a part of it, is not a JSON object"
    STORAGE_SHAPE = "storage_shape", "the event has the shape of Braze's storage export"
    MISSING = "missing", "a required key or field is missing or null"
    WRONG_TYPE = "wrong_type", "a value has the wrong JSON type"
    IMPOSSIBLE_TIME = "impossible_time", "the time is not in seconds, or not after the Unix epoch"
    NUMBER_TOO_LARGE = "number_too_large", "a whole number needs more than 64 bits"
    NOT_IN_SCHEMA_VERSION = "not_in_schema_version", "another schema version has the type or field"
    UNKNOWN_EVENT_TYPE = "unknown_event_type", "no schema version has the event type"
    UNKNOWN_FIELD = "unknown_field", "no schema version has the field in this event type"
    UNKNOWN_KEY = "unknown_key", "the event has a key at the top level that events do not have"
    WRONG_PART = "wrong_part", "the field is in user instead of properties, or the reverse"
    DECIMAL_POINT = "decimal_point", "a whole number is written with a decimal point"
    BAD_FORMAT = "bad_format", "a value does not have the format of its field"
    UNLISTED_VALUE = "unlisted_value", "a value is not in the closed set of its field"
    CAMPAIGN_AND_CANVAS = "campaign_and_canvas", "the event belongs to a campaign and to a Canvas"
    WRONG_HEADER = "wrong_header", "a header of the request is not the one Braze sends"

    @property
    def level(self) -> Level:
        """`error` when it breaks the schema, `warning` otherwise."""
        return "error" if self in _ERRORS else "warning"


_ERRORS = frozenset(
    {
        FindingCode.NOT_AN_OBJECT,
        FindingCode.STORAGE_SHAPE,
        FindingCode.MISSING,
        FindingCode.WRONG_TYPE,
        FindingCode.IMPOSSIBLE_TIME,
        FindingCode.NUMBER_TOO_LARGE,
    }
)


def _code(code: str) -> FindingCode:
    return FindingCode(code)


@attrs.frozen
class Finding:
    """One difference between an event and the catalog.

    Attributes:
        level: `error` when the event breaks the schema; `warning` when it contains something that
            the schema does not have, or that Braze is not known to send.
        event_type: the event's type, if it has one.
        event_id: the event's id, if it has one.
        field: the path of the field, such as `properties.price`; empty for the whole event.
        problem: what is wrong.
        expected: what would be right.
        code: the kind of the finding.
    """

    level: Level
    event_type: str | None
    event_id: str | None
    field: str
    problem: str
    expected: str
    code: FindingCode = attrs.field(converter=_code)

    def __str__(self) -> str:
        where = f"{self.field}: " if self.field else ""
        who = " ".join(each for each in (self.event_type, self.event_id) if each)
        return f"{self.level}: {who + ': ' if who else ''}{where}{self.problem}; {self.expected}"

    def to_dict(self) -> dict[str, str | None]:
        """Return the finding as a JSON object."""
        return attrs.asdict(self) | {"code": self.code.value}
