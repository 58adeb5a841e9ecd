"""Check the credentials of a request: write keys and bearer tokens."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterable
from urllib.parse import parse_qs

from starlette.requests import Request

from ..errors import OptionError

__all__ = ["Credentials", "is_among", "secrets", "write_key_of"]


class Credentials:
    """The credentials that a receiver accepts.

    Args:
        write_keys: accepted write keys: the query's `writeKey`, or the user name of HTTP Basic.
        bearer_tokens: accepted bearer tokens.

    Raises:
        OptionError: one of the arguments is a single string, or contains an empty one.
    """

    def __init__(self, *, write_keys: Iterable[str], bearer_tokens: Iterable[str]) -> None:
        self._write_keys = secrets("write_keys", write_keys)
        self._bearer_tokens = secrets("bearer_tokens", bearer_tokens)

    @property
    def required(self) -> bool:
        """Whether a request must have credentials."""
        return bool(self._write_keys or self._bearer_tokens)

    def accept(self, request: Request) -> bool:
        """Return whether the request has valid credentials; without any to check, accept all."""
        if not self.required:
            return True
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        tokens = [given] if scheme.lower() == "bearer" else []
        key = write_key_of(request)
        return is_among(key, self._write_keys) or any(
            is_among(token, self._bearer_tokens) for token in tokens
        )


def write_key_of(request: Request) -> str:
    """Return the query's `writeKey`, or else the user name of HTTP Basic, or an empty text."""
    # `request.url` would also use the Host header, which may be anything.
    query = request.scope["query_string"].decode("latin-1")
    keys = parse_qs(query).get("writeKey", [])[:1]
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if not keys and scheme.lower() == "basic":
        keys = _user_name(given)
    return keys[0] if keys else ""


def is_among(given: str, known: Iterable[str]) -> bool:
    """Return whether a text is one of several secrets, in a time that does not reveal them."""
    return sum(hmac.compare_digest(_bytes(given), _bytes(each)) for each in known) > 0


def secrets(name: str, given: Iterable[str]) -> tuple[str, ...]:
    """Return secrets as a tuple.

    Raises:
        OptionError: they are a single string, or one of them is empty.
    """
    # A single string would make each of its letters a secret.
    found = () if isinstance(given, str) else tuple(given)
    if isinstance(given, str) or not all(found):
        raise OptionError(f"{name} must be a list of non-empty strings")
    return found


def _user_name(credentials: str) -> list[str]:
    try:
        text = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return []
    # RFC 7617: the colon is there even when the password is empty.
    name, colon, _ = text.partition(":")
    return [name] if colon else []


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
