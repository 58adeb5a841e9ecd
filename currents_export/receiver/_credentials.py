"""Check the credentials of a request: write keys and bearer tokens."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterable
from urllib.parse import parse_qs

from starlette.requests import Request

from ..errors import OptionError

__all__ = ["Credentials"]


class Credentials:
    """The credentials that a receiver accepts.

    Args:
        write_keys: accepted write keys: the query's `writeKey`, or the user name of HTTP Basic.
        bearer_tokens: accepted bearer tokens.

    Raises:
        OptionError: one of the arguments is a single string, or contains an empty one.
    """

    def __init__(self, *, write_keys: Iterable[str], bearer_tokens: Iterable[str]) -> None:
        self._write_keys = _secrets("write_keys", write_keys)
        self._bearer_tokens = _secrets("bearer_tokens", bearer_tokens)

    def accept(self, request: Request) -> bool:
        """Return whether the request has valid credentials; without any to check, accept all."""
        if not self._write_keys and not self._bearer_tokens:
            return True
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        tokens = [given] if scheme.lower() == "bearer" else []
        # `request.url` would also use the Host header, which may be anything.
        query = request.scope["query_string"].decode("latin-1")
        keys = parse_qs(query).get("writeKey", [])[:1]
        if not keys and scheme.lower() == "basic":
            keys = _user_name(given)
        return _any_equal(tokens, self._bearer_tokens) or _any_equal(keys, self._write_keys)


def _secrets(name: str, given: Iterable[str]) -> tuple[str, ...]:
    # A single string would make each of its letters a secret.
    secrets = () if isinstance(given, str) else tuple(given)
    if isinstance(given, str) or not all(secrets):
        raise OptionError(f"{name} must be a list of non-empty strings")
    return secrets


def _user_name(credentials: str) -> list[str]:
    try:
        text = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return []
    # RFC 7617: the colon is there even when the password is empty.
    name, colon, _ = text.partition(":")
    return [name] if colon else []


def _any_equal(given: list[str], known: tuple[str, ...]) -> bool:
    return any(hmac.compare_digest(_bytes(a), _bytes(b)) for a in given for b in known)


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
