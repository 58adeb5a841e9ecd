"""The fields of a form: which must be given, and the checks that several fields share."""

from __future__ import annotations

import enum
import ipaddress
import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs

from ._redaction import mask_url, shown

__all__ = [
    "Command",
    "Problem",
    "command_problems",
    "flag_problems",
    "is_loopback",
    "quoted",
    "required_fields",
    "test_current_problems",
    "text_problems",
    "to_command",
    "url_problems",
]

#: The name of a form field, and a message that says what is wrong and what would be right.
Problem = tuple[str, str]

# White space, control characters, double quotes, and surrogates.
_NOT_IN_A_URL = re.compile(r"[\s\x00-\x1f\x7f\ud800-\udfff\"]")
# Labels between dots (letters outside ASCII need no escaping), or an IPv6 address.
_HOST = re.compile(r"[\w-]+(\.[\w-]+)*\.?|[0-9a-f:.]*:[0-9a-f:.]+(%\w+)?")
# What comes before the path and the query.
_HEAD = re.compile(r"[a-zA-Z]+://[^/?#]*")
_ESCAPES = {" ": "a space", '"': "a double quote"}


def required_fields(form: type[Any]) -> tuple[str, ...]:
    """Return the names of the fields that must be given, in their order."""
    fields = attrs.fields(form)
    return tuple(each.name for each in fields if each.init and each.default is attrs.NOTHING)


def quoted(value: object) -> str:
    """Return a value for a message; redact a URL, which may contain a write key."""
    if isinstance(value, str):
        return shown(mask_url(value) if "://" in value else value)
    is_scalar = isinstance(value, int | float | enum.Enum | None)
    return shown(value) if is_scalar else f"a {type(value).__name__}"


def text_problems(name: str, value: object) -> Iterator[Problem]:
    """Check that a field is text and is not blank."""
    if value is None:
        yield name, "it is missing"
    elif not isinstance(value, str):
        yield name, f"it must be text, not {type(value).__name__}"
    elif not value.strip():
        yield name, "it is empty"


def flag_problems(name: str, value: object) -> Iterator[Problem]:
    """Check that a field is true or false."""
    if not isinstance(value, bool):
        yield name, "it must be true or false"


class Command(tuple[str, ...]):
    """A program and its arguments."""

    __slots__ = ()


def to_command(value: Iterable[str]) -> Any:
    """Convert a list, or a text that is split as a shell splits it, to a command.

    Anything else is returned unchanged, for validation.
    """
    if isinstance(value, str):
        try:
            return Command(shlex.split(value))
        except ValueError:  # a quotation without an end
            return value
    return Command(value) if isinstance(value, list | tuple) else value


def command_problems(name: str, value: object) -> Iterator[Problem]:
    """Check that a field is a command, or empty."""
    if not isinstance(value, Command):
        yield name, "it must be a program and its arguments, as a list of texts"
    elif not all(isinstance(each, str) and "\0" not in each for each in value):
        yield name, "the program and its arguments must be texts without NUL"
    elif value and not value[0].strip():
        yield name, "it names no program"


def test_current_problems(
    test_current: object, workspace: object, file: object
) -> Iterator[Problem]:
    """Check the fields of a Test Current."""
    yield from flag_problems("test_current", test_current)
    if workspace is not None:
        yield from text_problems("workspace", workspace)
        if isinstance(workspace, str) and ("://" in workspace or not workspace.isprintable()):
            yield "workspace", f"{quoted(workspace)} is not a name"
        if test_current is False:
            yield "workspace", "only Test Currents are counted; set test_current as well"
    if file is not None and not isinstance(file, Path):
        yield "workspace_file", f"it must be a path, not {quoted(file)}"
    elif file is not None and workspace is None:
        yield "workspace_file", "it is only for a workspace; set workspace as well"


def url_problems(name: str, url: object, *, allow_plain_http: object) -> Iterator[Problem]:
    """Check that a field is a URL to which a secret may be sent."""
    found = list(text_problems(name, url))
    if found or not isinstance(url, str):
        yield from found
        return
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        # Do not show the exception: it quotes the invalid part, which may contain a secret.
        yield name, "it is not a URL: its host or port is malformed"
        return
    if problem := _character_problem(url):
        yield name, f"it is not a URL: {problem}"
    elif not host or not _HOST.fullmatch(host):
        yield name, "it is not a URL; it must look like https://host/path"
    elif parts.scheme not in ("http", "https"):
        yield name, "it must be an https URL"
    elif parts.scheme == "http" and allow_plain_http is not True and not is_loopback(host):
        yield (
            name,
            "plain HTTP exposes its secret to the network; use https, or set allow_plain_http",
        )


def _character_problem(url: str) -> str | None:
    """Say which characters do not belong in the URL, and what to write instead."""
    if not _NOT_IN_A_URL.search(url):
        return None
    if url != url.strip():
        return "it begins or ends with white space; remove it"
    head = _HEAD.match(url)
    if head is None or _NOT_IN_A_URL.search(head[0]):
        return (
            "its host must not contain white space or quotes; it must look like https://host/path"
        )
    found = dict.fromkeys(_NOT_IN_A_URL.findall(url))
    if not found.keys() <= _ESCAPES.keys():
        return "it contains white space or control characters that a URL cannot have"
    what = " and ".join(_ESCAPES[each] for each in found)
    instead = " and ".join(f"%{ord(each):02X} for {_ESCAPES[each]}" for each in found)
    return f"it contains {what}; write {instead}"


def is_loopback(host: str) -> bool:
    """Return whether requests to the host stay on this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        name = host.lower()
        return name == "localhost" or name.endswith(".localhost")
