"""Read the body of a request within limits, and the events in it."""

from __future__ import annotations

import asyncio
import zlib
from typing import Any

import orjson
from starlette.requests import Request

from .._json import NumberError, loads
from .._redaction import shown

__all__ = ["RefusedError", "events_in", "read_body"]

_GZIP = b"\x1f\x8b"
#: The window bits with which zlib reads gzip.
_GZIP_WINDOW = 31


class RefusedError(Exception):
    """A request that does not get a 2XX response."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


async def read_body(request: Request, *, limit: int | None, timeout: float | None) -> bytes:
    """Read the body of a request and decode it; read no more of it than the limit allows.

    Args:
        request: the request.
        limit: the largest number of bytes, both as they were sent and decoded; None for any.
        timeout: the seconds until the body must be complete; None for any.

    Raises:
        RefusedError: the body is too large, is not valid gzip, or has another encoding.
        TimeoutError: the body was not complete in time.
        starlette.requests.ClientDisconnect: the client closed the connection.
    """
    encoding = ",".join(request.headers.getlist("content-encoding")).strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        what = f"the body is compressed ({shown(encoding)})"
        raise RefusedError(415, f"{what}; it must be plain JSON or gzip")
    length = request.headers.get("content-length", "")
    if limit is not None and length.isdecimal() and _is_larger(length, limit):
        raise RefusedError(413, f"the body has {length} bytes; the limit is {limit} bytes")
    decoder = _Gzip(limit) if encoding in ("gzip", "x-gzip") else None
    parts: list[bytes] = []
    size = 0
    async with asyncio.timeout(timeout):
        async for part in request.stream():
            size += len(part)
            if limit is not None and size > limit:
                raise RefusedError(413, f"the body has more than {limit} bytes, the limit")
            parts.append(part if decoder is None else decoder.decode(part))
    if decoder is not None:
        decoder.finish()
    body = b"".join(parts)
    if body.startswith(_GZIP):
        what = "the body is compressed (gzip)"
        raise RefusedError(415, f"{what}; send it once, with the header Content-Encoding: gzip")
    return body


def _is_larger(digits: str, limit: int) -> bool:
    # Python refuses to convert thousands of digits.
    digits = digits.lstrip("0")
    return len(digits) > 20 or int(digits or 0) > limit


class _Gzip:
    """Decode gzip part by part, up to a limit, so that a small body cannot expand to a huge one."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._decoder = zlib.decompressobj(_GZIP_WINDOW)
        self._taken = 0
        self._size = 0

    def decode(self, part: bytes) -> bytes:
        self._taken += len(part)
        # One byte more than the limit shows that the body is too large; 0 would mean any size.
        most = 0 if self._limit is None else self._limit - self._size + 1
        try:
            decoded = self._decoder.decompress(part, most)
        except zlib.error:
            raise RefusedError(400, "the body is not valid gzip") from None
        self._size += len(decoded)
        if self._limit is not None and self._size > self._limit:
            raise RefusedError(
                413, f"the decoded body has more than {self._limit} bytes, the limit"
            )
        if self._decoder.unused_data:
            raise RefusedError(400, "the body is not valid gzip: bytes follow its end")
        return decoded

    def finish(self) -> None:
        if self._taken and not self._decoder.eof:
            raise RefusedError(400, "the body is not valid gzip: its end is missing")


def events_in(body: bytes) -> list[Any]:
    """Return the events in a body; none if it is empty.

    Raises:
        RefusedError: the body is not what Braze sends.
    """
    if not body.strip():
        return []
    try:
        value = loads(body)
    except NumberError as error:
        raise RefusedError(400, str(error)) from None
    except orjson.JSONDecodeError as error:
        raise RefusedError(400, f"the body is not JSON: {error}") from None
    events = value.get("events") if isinstance(value, dict) else None
    if not isinstance(events, list):
        raise RefusedError(400, 'the body must look like {"events": [...]}')
    return events
