"""Write a request as a command for a shell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator

from ._lines import json_escaped
from ._secrets import Secrets
from ._store import RequestRow

__all__ = ["curl"]

#: Where the write key is in a query.
_WRITE_KEY = re.compile(r"(?<![^&])(writeKey=)[^&]*")
_SHOWN = frozenset({"braze-currents-version", "content-type"})


def curl(origin: str, request: RequestRow | None, body: bytes, secrets: Secrets) -> str:
    """Return the command that sends a body as a request did.

    Credentials are variables of the shell: `$WRITE_KEY` and `$BEARER_TOKEN`.

    Args:
        origin: scheme, host and port of the receiver.
        request: the request; None if it is not kept any more.
        body: the body.
        secrets: the credentials that must not be shown.
    """
    path = "/" if request is None else request.path
    query = "" if request is None else request.query.decode("latin-1")
    url = secrets.hide(f"{origin}{path}{'?' if query else ''}{_WRITE_KEY.sub(chr(1), query)}")
    before, key, after = url.partition(chr(1))
    quoted = f"{_quoted(before)}'writeKey='\"$WRITE_KEY\"{_quoted(after) if after else ''}"
    parts = ["curl", "-X", "POST" if request is None else _quoted(request.method)]
    parts.append(quoted if key else _quoted(url))
    headers = [] if request is None else request.headers
    for header in _headers(headers):
        parts += ["-H", header]
    if request is None:
        parts += ["-H", "'Content-Type: application/json'"]
    text = secrets.hide_bytes(body).decode(errors="replace")
    return " ".join([*parts, "--data-raw", _quoted(text)])


def _headers(headers: Iterable[tuple[bytes, bytes]]) -> Iterator[str]:
    """Yield headers as words of a shell."""
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        scheme = value.partition(" ")[0].lower()
        if name == "authorization" and scheme == "bearer":
            yield '"Authorization: Bearer $BEARER_TOKEN"'
        elif name == "authorization":
            yield '"Authorization: Basic $(printf %s: "$WRITE_KEY" | base64)"'
        elif name in _SHOWN:
            yield _quoted(f"{name.title()}: {value}")


def _quoted(text: str) -> str:
    """Return a text as one word of a shell, with invisible characters as escapes of JSON."""
    return shlex.quote(json_escaped(text, keep="\n"))
