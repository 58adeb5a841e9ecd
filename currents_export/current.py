"""`Current`: what the form in Braze holds, checked as a whole, from Python, TOML or environment.

Source: Braze, Set up Currents; RudderStack for Currents; Custom Currents export.
"""

from __future__ import annotations

import enum
import ipaddress
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

import attrs

from ._redaction import mask, mask_url, shown
from ._suggestions import did_you_mean
from .catalog import Catalog
from .errors import CurrentError, UnknownNameError
from .payload import Transformation

__all__ = ["ENVIRONMENT_PREFIX", "Current", "Region"]

#: The environment variable of a field is this and the field's name in capitals.
ENVIRONMENT_PREFIX = "CURRENTS_EXPORT_"


class Region(enum.Enum):
    """The RudderStack region that Braze's form asks for."""

    US = "US"
    EU = "EU"


def _to_region(value: Region | str | None) -> Any:
    if isinstance(value, str) and value.upper() in Region.__members__:
        return Region[value.upper()]
    return value


def _to_event_types(value: Iterable[str]) -> Any:
    # Text and tables are iterables too, of letters and of keys; they are left for validation to
    # name.
    alike = isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)
    return tuple(value) if alike else value


def _to_transformations(value: Mapping[str, Transformation | str]) -> Any:
    if not isinstance(value, Mapping):
        return value
    known = {each.value: each for each in Transformation}
    return MappingProxyType(
        {name: known.get(how, how) if isinstance(how, str) else how for name, how in value.items()}
    )


def _to_schema_version(value: int | None) -> int:
    return Catalog.load().schema_version if value is None else value


@attrs.frozen(kw_only=True)
class Current:
    """A Current as Braze's form has it.

    Two forms exist, and `key` or `endpoint` says which this is: the RudderStack export has `key`
    and `region`; the Custom Currents export has `endpoint` and, if wanted, `bearer_token`.

    Attributes:
        integration_name: the name it goes by.
        contact_email: who is told when it pauses or is disabled.
        key: the webhook URL that RudderStack shows for the Braze source, write key and all.
        region: the RudderStack region, `US` or `EU`.
        endpoint: the URL of a Custom Currents export.
        bearer_token: sent as `Authorization: Bearer` to `endpoint`; none by default.
        event_types: the selected event types: names, families or globs such as
            `users.messages.email.*`. All by default.
        schema_version: the version of the Currents schema; the newest by default. Event types
            that came later cannot be selected.
        field_transformations: field names to `remove` or `hash`; they hold for every event in
            which the field occurs, and for text alone. None by default.
        allow_plain_http: whether a URL that is not `https` may point beyond this machine.
        selected: the names of the selected event types; derived.

    Raises:
        CurrentError: one or more fields are wrong; all problems are listed together.

    A write key or a token is in no repr of it. A Current is immutable and can be hashed.
    """

    integration_name: str
    contact_email: str
    key: str | None = attrs.field(default=None, repr=lambda value: repr(mask_url(value)))
    region: Region | None = attrs.field(default=None, converter=_to_region)
    endpoint: str | None = attrs.field(default=None, repr=lambda value: repr(mask_url(value)))
    bearer_token: str | None = attrs.field(default=None, repr=mask)
    event_types: tuple[str, ...] = attrs.field(default=("*",), converter=_to_event_types)
    schema_version: int = attrs.field(default=None, converter=_to_schema_version)
    field_transformations: Mapping[str, Transformation] = attrs.field(
        factory=dict, converter=_to_transformations, hash=False
    )
    allow_plain_http: bool = False
    selected: frozenset[str] = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        if problems := list(_problems(self)):
            raise CurrentError(problems)
        types = Catalog.load(self.schema_version).select(*self.event_types)
        object.__setattr__(self, "selected", frozenset(each.name for each in types))

    def __reduce__(self) -> tuple[Any, ...]:
        # So that it can be copied and sent to other processes: the mapping's proxy cannot.
        values = {
            each.name: getattr(self, each.name) for each in attrs.fields(Current) if each.init
        }
        transformations = dict(self.field_transformations)
        return _restore, (type(self), values | {"field_transformations": transformations})

    @property
    def url(self) -> str:
        """Where requests go, secrets included."""
        return self.key or self.endpoint or ""

    @property
    def shown_url(self) -> str:
        """`url` with its secrets masked, fit for a log."""
        return mask_url(self.url) or ""

    @property
    def needs_external_user_id(self) -> bool:
        """Whether events of users without an `external_user_id` are held back.

        Braze: RudderStack for Currents; a Custom Currents export sends them.
        """
        return self.key is not None

    @classmethod
    def load(
        cls, path: Path | str | None = None, *, environ: Mapping[str, str] | None = None
    ) -> Self:
        """A Current from a TOML file, from the environment, or from both.

        The file's keys are the attributes above. A variable such as `CURRENTS_EXPORT_KEY` goes
        before the file, so that secrets can stay out of it. In a variable, event types are
        separated by commas, and transformations are written `email_address=hash,gender=remove`.
        An empty variable counts as none.

        Args:
            path: the TOML file; None reads the environment alone.
            environ: the variables, by default `os.environ`; `{}` reads the file alone.

        Raises:
            CurrentError: the file cannot be read or parsed, or a field is wrong; all problems
                are listed together, with file and line or the variable's name.
        """
        source = None if path is None else str(path)
        values: dict[str, Any] = {}
        places: dict[str, str] = {}
        problems: list[tuple[str, str]] = []
        if path is not None:
            text = _read(Path(path))
            values |= _parse(text, str(path))
            places |= {name: _place_of(name, text) for name in values}
        for name, text in _environment(os.environ if environ is None else environ):
            places[name] = f"{ENVIRONMENT_PREFIX}{name.upper()}: "
            try:
                values[name] = _FROM_TEXT.get(name, str)(text)
            except ValueError as error:
                problems.append((name, str(error)))
                values.pop(name, None)
        known = [field.name for field in attrs.fields(cls) if field.init]
        for name in sorted(values.keys() - set(known)):
            problems.append((name, "there is no such field" + did_you_mean(name, known)))
            del values[name]
        try:
            current = cls(**{"integration_name": None, "contact_email": None, **values})
        except CurrentError as error:
            told = {name for name, _ in problems}
            problems += [each for each in error.problems if each[0] not in told]
        if problems:
            raise CurrentError(problems, source=source, places=places)
        return current


def _restore(kind: type[Current], values: dict[str, Any]) -> Current:
    return kind(**values)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CurrentError([("file", "it is not UTF-8 text")], source=str(path)) from error
    except (OSError, ValueError) as error:  # the latter for a name that no file can have
        why = f"it cannot be read: {getattr(error, 'strerror', None) or error}"
        raise CurrentError([("file", why)], source=str(path)) from error


def _parse(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number too long, a value nested too deep
        raise CurrentError([("file", f"it is not TOML: {error}")], source=source) from error


def _place_of(name: str, text: str) -> str:
    """The line a top-level key stands on; nothing when it is written in an unusual way."""
    key = rf"^[ \t]*\[{{0,2}}[ \t]*([\"']?){re.escape(name)}\1[ \t]*[=.\]]"
    found = re.search(key, text, re.MULTILINE)
    return f"line {text.count(chr(10), 0, found.start()) + 1}: " if found else ""


def _environment(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for variable, text in sorted(environ.items()):
        # An empty one is how many a CI system writes a secret that is not set.
        if variable.startswith(ENVIRONMENT_PREFIX) and text:
            yield variable.removeprefix(ENVIRONMENT_PREFIX).lower(), text


def _list_from(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _whole_number_from(text: str) -> int:
    if not text.strip().isdecimal():
        raise ValueError("it must be a whole number")
    return int(text)


def _truth_from(text: str) -> bool:
    if text.strip().lower() not in ("true", "false"):
        raise ValueError("it must be true or false")
    return text.strip().lower() == "true"


def _mapping_from(text: str) -> dict[str, str]:
    pairs = [item.partition("=") for item in _list_from(text)]
    if not all(equals for _, equals, _ in pairs):
        raise ValueError("it must look like email_address=hash,gender=remove")
    return {name.strip(): how.strip() for name, _, how in pairs}


_FROM_TEXT: dict[str, Callable[[str], Any]] = {
    "event_types": _list_from,
    "schema_version": _whole_number_from,
    "field_transformations": _mapping_from,
    "allow_plain_http": _truth_from,
}

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# RFC 6750; what a bearer token is made of.
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
_KEY_LOOKS_LIKE = "https://<data plane>/v1/webhook?writeKey=<write key>"

# White space, control characters, and what stands for bytes that are not UTF-8.
_NOT_IN_A_URL = re.compile(r"[\s\x00-\x1f\x7f\ud800-\udfff]")
# Labels between dots (letters beyond ASCII may be written as they are), or an IPv6 address.
_HOST = re.compile(r"[\w-]+(\.[\w-]+)*\.?|[0-9a-f:.]*:[0-9a-f:.]+(%\w+)?")

_Problem = tuple[str, str]


def _problems(current: Current) -> Iterator[_Problem]:
    yield from _text("integration_name", current.integration_name)
    yield from _text("contact_email", current.contact_email)
    if (
        isinstance(current.contact_email, str)
        and current.contact_email.strip()
        and not _EMAIL.fullmatch(current.contact_email)
    ):
        yield "contact_email", f"{_quoted(current.contact_email)} is not an email address"
    yield from _destination(current)
    if not isinstance(current.allow_plain_http, bool):
        yield "allow_plain_http", "it must be true or false"
    catalog = Catalog.load()
    if type(current.schema_version) is not int:
        yield "schema_version", f"it must be a whole number, not {_quoted(current.schema_version)}"
    else:
        try:
            catalog = Catalog.load(current.schema_version)
        except UnknownNameError as error:
            yield "schema_version", str(error)
    yield from _event_types(current.event_types, catalog)
    yield from _transformations(current.field_transformations, catalog)


def _quoted(value: object) -> str:
    """A value as a message shows it; a URL in the wrong field may hold a write key."""
    if isinstance(value, str):
        return shown(mask_url(value) if "://" in value else value)
    is_scalar = isinstance(value, int | float | enum.Enum | None)
    return shown(value) if is_scalar else f"a {type(value).__name__}"


def _text(name: str, value: object) -> Iterator[_Problem]:
    if value is None:
        yield name, "it is missing"
    elif not isinstance(value, str):
        yield name, f"it must be text, not {type(value).__name__}"
    elif not value.strip():
        yield name, "it is empty"


def _destination(current: Current) -> Iterator[_Problem]:
    key, endpoint = current.key, current.endpoint
    if key is None and endpoint is None:
        yield "key", f"it is missing; it is the webhook URL RudderStack shows: {_KEY_LOOKS_LIKE}"
    if key is not None and endpoint is not None:
        yield "endpoint", "a Current has a key (RudderStack) or an endpoint (Custom), not both"
    if key is not None:
        yield from _key(key, allow_plain_http=current.allow_plain_http)
    if endpoint is not None:
        yield from _url("endpoint", endpoint, allow_plain_http=current.allow_plain_http)
    yield from _region(current.region, has_key=key is not None, has_endpoint=endpoint is not None)
    yield from _bearer_token(current.bearer_token, has_key=key is not None)


def _region(region: object, *, has_key: bool, has_endpoint: bool) -> Iterator[_Problem]:
    if region is None:
        if has_key:
            yield "region", "it is missing; it must be US or EU"
    elif has_endpoint and not has_key:
        yield "region", "it goes with a key (RudderStack), not with an endpoint"
    elif not isinstance(region, Region):
        yield "region", f"{_quoted(region)} is unknown; it must be US or EU"


def _bearer_token(token: object, *, has_key: bool) -> Iterator[_Problem]:
    if token is None:
        return
    if has_key:
        yield "bearer_token", "it goes with an endpoint; a key has the write key in it"
    elif not (isinstance(token, str) and _TOKEN.fullmatch(token)):
        yield (
            "bearer_token",
            "a bearer token is one or more letters, digits or -._~+/ with = at its end (RFC 6750)",
        )


def _key(key: object, *, allow_plain_http: bool) -> Iterator[_Problem]:
    if isinstance(key, str) and key.strip() and "://" not in key:
        yield "key", f"it must be the whole webhook URL RudderStack shows: {_KEY_LOOKS_LIKE}"
        return
    found = list(_url("key", key, allow_plain_http=allow_plain_http))
    yield from found
    if not found and isinstance(key, str):
        parts = urlsplit(key)
        if not any(parse_qs(parts.query).get("writeKey", ())) and not unquote(parts.username or ""):
            yield "key", f"the URL has no write key in it; it looks like {_KEY_LOOKS_LIKE}"


def _url(name: str, url: object, *, allow_plain_http: bool) -> Iterator[_Problem]:
    found = list(_text(name, url))
    if found or not isinstance(url, str):
        yield from found
        return
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        # The reason would quote the part at fault, and a secret may have been put there.
        yield name, "it is not a URL: its host or port is malformed"
        return
    if _NOT_IN_A_URL.search(url) or not host or not _HOST.fullmatch(host):
        yield name, "it is not a URL; it must look like https://host/path"
    elif parts.scheme not in ("http", "https"):
        yield name, "it must be an https URL"
    elif parts.scheme == "http" and not allow_plain_http and not _is_loopback(host):
        yield (
            name,
            "plain http shows its secret to the network; use https, or set allow_plain_http",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _event_types(patterns: object, catalog: Catalog) -> Iterator[_Problem]:
    if not isinstance(patterns, tuple) or not all(isinstance(each, str) for each in patterns):
        yield "event_types", "it must be a list of names, families or globs"
        return
    if not patterns:
        yield "event_types", "none is selected; '*' selects all"
    for pattern in patterns:
        if "://" in pattern:
            yield "event_types", f"{_quoted(pattern)} is a URL, not an event type"
            continue
        try:
            catalog.select(pattern)
        except UnknownNameError as error:
            yield "event_types", str(error)


def _transformations(transformations: object, catalog: Catalog) -> Iterator[_Problem]:
    if not isinstance(transformations, Mapping):
        yield "field_transformations", "it must be a table of field names to remove or hash"
        return
    fields = catalog.fields
    texts = {name for name, found in fields.items() if any(f.json_type == "string" for f in found)}
    newest = Catalog.load().fields
    for name, how in transformations.items():
        if name not in fields and name in newest:
            since = min(field.since for field in newest[name])
            problem = f"{name} came with schema version {since}; this is {catalog.schema_version}"
            yield "field_transformations", problem
        elif name not in fields:
            problem = f"no event has a field {_quoted(name)}{did_you_mean(str(name), texts)}"
            yield "field_transformations", problem
        elif name not in texts:
            yield "field_transformations", f"{name} is not text, and text alone is transformed"
        if not isinstance(how, Transformation):
            problem = f"{_quoted(name)} is to be {_quoted(how)}; it must be remove or hash"
            yield "field_transformations", problem
