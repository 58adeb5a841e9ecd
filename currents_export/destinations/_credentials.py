"""The credentials in a URL, and the result of the credential check."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import unquote, unquote_to_bytes, urlsplit

import attrs

from .._redaction import looks_like_key, mask_url

__all__ = ["CredentialsCheck", "basic_authorization", "secrets_in"]

#: A query value this short is probably not a secret, and occurs in many texts by chance.
_SHORT = 6


@attrs.frozen
class CredentialsCheck:
    """The result of the credential check.

    Attributes:
        holds: True for valid credentials, False for bad ones, None when the response does not tell.
        status: the HTTP status; None when the network failed.
        message: the result as a sentence, without secrets.
    """

    holds: bool | None
    status: int | None
    message: str

    def to_dict(self) -> dict[str, Any]:
        """Return the check as a JSON object."""
        return attrs.asdict(self)


def basic_authorization(url: str) -> str | None:
    """Return the `Authorization` header for the user name and password in a URL, if it has them.

    Source: RFC 7617: the colon is sent even when there is no password.
    """
    parts = urlsplit(url)
    if not parts.username and not parts.password:
        return None
    pair = unquote_to_bytes(parts.username or "") + b":" + unquote_to_bytes(parts.password or "")
    return f"Basic {base64.b64encode(pair).decode()}"


def secrets_in(url: str) -> set[str]:
    """Return the parts of a URL that must not be shown, as they are written and decoded."""
    parts = urlsplit(url)
    found = {parts.username or "", parts.password or "", parts.query}
    found |= {each for each in parts.path.split("/") if looks_like_key(each)}
    for pair in parts.query.split("&"):
        name, _, value = pair.partition("=")
        secret = value or name
        if len(secret) >= _SHORT or name.lower() == "writekey":
            found.add(secret)
    if mask_url(url) != url:
        found.add(url)
    found |= {unquote(each) for each in found}
    return found - {""}
