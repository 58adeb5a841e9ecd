"""Showing a value in a message: whole, cut short, or without the secret in it."""

from __future__ import annotations

from urllib.parse import urlsplit

MASK = "****"


def shown(value: object, *, most: int = 60) -> str:
    """The value's repr, cut short; what kind of thing it is when its repr fails."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - a repr can fail in any way, a long int's among them
        return f"a value of type {type(value).__name__}"
    return text if len(text) <= most else f"{text[: most - 3]}..."


def mask(secret: str | None) -> str:
    """What stands for a secret in a repr, a log, an error or a report."""
    return repr(None if secret is None else MASK)


def mask_url(url: str | None) -> str | None:
    """The URL without user name, password, fragment and the values of its query.

    A write key travels in any of them. What is no proper URL is masked as a whole, since there is
    no telling which part of it is the secret.
    """
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return MASK
    _, at, host_and_port = parts.netloc.rpartition("@")
    # A password with an unescaped slash ends the host early and leaves its "@" further behind.
    behind = parts.path + parts.query + parts.fragment
    if parts.scheme not in ("http", "https") or not host or "@" in behind:
        return MASK
    query = "&".join(_mask_pair(pair) for pair in parts.query.split("&") if pair)
    return parts._replace(
        netloc=f"{MASK}@{host_and_port}" if at else host_and_port, query=query, fragment=""
    ).geturl()


def _mask_pair(pair: str) -> str:
    # A lone value may end with "=" itself, as Base64 does, and would then look like a name.
    name, _, value = pair.partition("=")
    return f"{name}={MASK}" if value.strip("=") else MASK
