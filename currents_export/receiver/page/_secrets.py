"""Keep credentials off the page."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from starlette.requests import Request

from ..._redaction import MASK, mask_url
from .._credentials import write_key_of
from ._lines import visible

__all__ = ["Secrets", "shown_headers", "shown_path"]

#: How many credentials are remembered, and the shortest that are searched for in texts.
_MOST, _SHORTEST = 64, 6
#: The headers whose values are shown; any other may have credentials.
_SHOWN = frozenset(
    {"accept", "accept-encoding", "accept-language", "braze-currents-version", "connection"}
    | {"content-encoding", "content-length", "content-type", "date", "expect", "host"}
    | {"origin", "traceparent", "transfer-encoding", "user-agent"}
)


class Secrets:
    """The credentials that were seen in requests, which must not be shown anywhere."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, None] = OrderedDict()

    def learn(self, request: Request) -> None:
        """Remember the credentials of a request."""
        _, _, given = request.headers.get("authorization", "").partition(" ")
        for secret in (write_key_of(request), given.strip()):
            if len(secret) >= _SHORTEST:
                self._known[secret] = None
                self._known.move_to_end(secret)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)

    def hide(self, value: Any) -> Any:
        """Return a JSON value of the page's own with the credentials in its strings masked."""
        if isinstance(value, str):
            for secret in self._known:
                if secret in value:
                    value = value.replace(secret, MASK)
            return value
        if isinstance(value, dict):
            return {name: self.hide(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self.hide(each) for each in value]
        return value

    def hide_bytes(self, value: bytes) -> bytes:
        """Return bytes with the credentials in them masked."""
        for secret in self._known:
            for written in {secret, quote(secret, safe="")}:
                value = value.replace(written.encode(errors="surrogatepass"), MASK.encode())
        return value


def shown_headers(headers: Iterable[tuple[bytes, bytes]]) -> list[dict[str, str]]:
    """Return headers to show, without the values of those that may have credentials."""
    return [
        {
            "name": visible(name.decode("latin-1")),
            "value": visible(value.decode("latin-1"))
            if name.decode("latin-1").lower() in _SHOWN
            else MASK,
        }
        for name, value in headers
    ]


def shown_path(path: str, query: bytes) -> str:
    """Return the path and the query to show, without what may be a key in them."""
    text = f"{path}?{query.decode('latin-1')}" if query else path
    masked = mask_url(f"http://receiver{text if text.startswith('/') else f'/{text}'}")
    return visible((masked or "").removeprefix("http://receiver"), 500)
