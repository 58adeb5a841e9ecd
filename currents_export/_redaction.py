"""Show values in messages: whole, cut short, or with the secret redacted."""

from __future__ import annotations

from urllib.parse import urlsplit

MASK = "****"


def shown(value: object, *, most: int = 60) -> str:
    """Return the value's repr, cut short, or its type if the repr fails."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - a repr can raise anything; a very long int has none
        return f"a value of type {type(value).__name__}"
    return text if len(text) <= most else f"{text[: most - 3]}..."


def mask(secret: str | None) -> str:
    """Return the replacement of a secret in a repr, a log, an error or a report."""
    return repr(None if secret is None else MASK)


def mask_url(url: str | None) -> str | None:
    """Return the URL without user name, password, fragment and query values.

    Any of them can contain a write key. Text that is not a proper URL is redacted as a whole, since
    any part of it may be the secret.
    """
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return MASK
    _, at, host_and_port = parts.netloc.rpartition("@")
    # A password with an unescaped slash ends the host early, so its "@" comes later.
    after_host = parts.path + parts.query + parts.fragment
    if parts.scheme not in ("http", "https") or not host or "@" in after_host:
        return MASK
    query = "&".join(_mask_pair(pair) for pair in parts.query.split("&") if pair)
    return parts._replace(
        netloc=f"{MASK}@{host_and_port}" if at else host_and_port, query=query, fragment=""
    ).geturl()


def _mask_pair(pair: str) -> str:
    # A value without a name may end with "=", as Base64 does, and would then look like a name.
    name, _, value = pair.partition("=")
    return f"{name}={MASK}" if value.strip("=") else MASK
