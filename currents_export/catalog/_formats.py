"""The formats of values: their form beyond the JSON type."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal

import attrs
import orjson

__all__ = ["FORMATS", "MAX_TIME", "Format"]

_JsonTypes = tuple[Literal["string", "integer", "number"], ...]

#: A time after this (in the year 5138) must be in milliseconds, not in seconds.
MAX_TIME = 99_999_999_999


@attrs.frozen
class Format:
    """A format that `field_values.tsv` can give a field.

    Attributes:
        name: the name in the table.
        json_types: the JSON types of the fields that can have it.
        right: a description of a valid value, to follow "it should be".
        example: a valid value.
        matches: the check of a value of the right JSON type; None if every such value is valid.
    """

    name: str
    json_types: _JsonTypes
    right: str
    example: str | int
    matches: Callable[[Any], object] | None = attrs.field(default=None, repr=False)


def _is_json(kind: type, item: type = object) -> Callable[[str], bool]:
    """Make a check that text contains JSON of the given type, with items of the given type."""

    def matches(text: str) -> bool:
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            return False
        if not isinstance(value, kind):
            return False
        return not isinstance(value, list) or all(isinstance(each, item) for each in value)

    return matches


def _is_short_ascii(text: str) -> bool:
    return len(text) <= 64 and text.isascii()


_TEXT: _JsonTypes = ("string",)
_NUMBER: _JsonTypes = ("integer", "number")
_DATE = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:?[0-9]{2})?"

#: Every format, by name.
FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        each.name: each
        for each in (
            Format(
                "uuid",
                _TEXT,
                "a UUID, such as 1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",
                "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",
                re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch,
            ),
            Format(
                "object_id",
                _TEXT,
                "24 hexadecimal digits (a BSON ObjectId)",
                "5f3c0e1a9b8d7c6e5f4a3b2c",
                re.compile(r"[0-9a-fA-F]{24}").fullmatch,
            ),
            Format(
                "ascii64",
                _TEXT,
                "ASCII text of at most 64 characters",
                "summer_sale_blast",
                _is_short_ascii,
            ),
            Format("email", _TEXT, "an email address", "ada@example.com"),
            Format(
                "e164",
                _TEXT,
                "a phone number in E.164 form, such as +14155550123",
                "+14155550123",
                re.compile(r"\+[1-9][0-9]{1,14}").fullmatch,
            ),
            Format(
                "wamid",
                _TEXT,
                "a WhatsApp id, which begins with wamid.",
                "wamid.HBgLMTQxNTU1NTAxMjMVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA",
                lambda text: text.startswith("wamid."),
            ),
            Format(
                "currency",
                _TEXT,
                "an ISO 4217 code, such as USD",
                "USD",
                re.compile(r"[A-Z]{3}").fullmatch,
            ),
            Format(
                "timezone",
                _TEXT,
                "an IANA time zone, such as America/New_York",
                "America/New_York",
                re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[/_+-][A-Za-z0-9]+)*").fullmatch,
            ),
            Format(
                "locale",
                _TEXT,
                "language and region in lower case, such as en-us",
                "en-us",
                re.compile(r"[a-z]{2,3}-[a-z]{2}").fullmatch,
            ),
            Format(
                "combination",
                _TEXT,
                "indices joined by underscores, such as 0_0_0",
                "0_0_0",
                re.compile(r"[0-9]+(?:_[0-9]+)*").fullmatch,
            ),
            Format(
                "iso_date",
                _TEXT,
                "an ISO 8601 date, such as 1996-04-13T00:00:00.000+00:00",
                "1996-04-13T00:00:00.000+00:00",
                re.compile(rf"{_DATE}(?:T{_CLOCK})?").fullmatch,
            ),
            Format(
                "json", _TEXT, "a string that contains JSON", '{"key":"value"}', _is_json(object)
            ),
            Format(
                "json_object",
                _TEXT,
                "a string that contains a JSON object",
                '{"key":"value"}',
                _is_json(dict),
            ),
            Format(
                "json_strings",
                _TEXT,
                "a string that contains a JSON array of strings",
                '["first","second"]',
                _is_json(list, str),
            ),
            Format("seconds", _NUMBER, "a length of time in seconds", 120),
            Format("milliseconds", _NUMBER, "a length of time in milliseconds", 250),
            Format(
                "unix_seconds",
                _NUMBER,
                "a time in seconds since the Unix epoch",
                1_767_225_600,
                lambda time: 0 < time <= MAX_TIME,
            ),
            Format(
                "unix_milliseconds",
                _NUMBER,
                "a time in milliseconds since the Unix epoch",
                1_767_225_600_000,
                lambda time: time > MAX_TIME,
            ),
            Format("http_status", _NUMBER, "an HTTP status", 503),
        )
    }
)
