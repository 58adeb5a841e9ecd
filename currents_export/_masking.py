"""Showing a URL or a token without the secret in it."""

from __future__ import annotations

from urllib.parse import urlsplit

MASK = "****"


def mask(secret: str | None) -> str:
    """What stands for a secret in a repr, a log, an error or a report."""
    return repr(None if secret is None else MASK)


def mask_url(url: str | None) -> str | None:
    """The URL without user name, password, fragment and the values of its query.

    A write key travels in any of them.
    """
    if url is None:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return MASK
    if not parts.scheme or not parts.netloc:
        return MASK
    _, at, host = parts.netloc.rpartition("@")
    query = "&".join(_mask_pair(pair) for pair in parts.query.split("&") if pair)
    return parts._replace(
        netloc=f"{MASK}@{host}" if at else host, query=query, fragment=""
    ).geturl()


def _mask_pair(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    return f"{name}={MASK}" if equals else MASK
