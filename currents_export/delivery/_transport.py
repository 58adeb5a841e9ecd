"""The transport that a sender has of its own: httpcore, with one deadline for each request."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Iterator
from typing import Any

import httpcore
import httpx

from ._deadline import DeadlineBackend

__all__ = ["DeadlineTransport"]

#: Seconds for which an idle connection is kept.
_KEEP_ALIVE = 5.0


class DeadlineTransport(httpx.BaseTransport):
    """Send requests over a pool of connections, with one deadline for each.

    httpx's own transport limits connecting, each write and each read. This one adds them up: the
    `read` timeout of a request, in seconds, is the limit for all of it, from connecting to the
    headers of the response. Changed after that, it is the limit for the body.

    Args:
        context: the TLS settings.
        proxy: the proxy; None for direct connections.
    """

    def __init__(self, context: ssl.SSLContext, proxy: httpx.Proxy | None = None) -> None:
        self._backend = DeadlineBackend()
        # The workers are the limit of connections.
        options: dict[str, Any] = {
            "ssl_context": context,
            "max_connections": None,
            "keepalive_expiry": _KEEP_ALIVE,
            "network_backend": self._backend,
        }
        self._pool: httpcore.ConnectionPool
        if proxy is None:
            self._pool = httpcore.ConnectionPool(**options)
            return
        options |= {"proxy_url": _url(proxy.url), "proxy_auth": proxy.raw_auth}
        if proxy.url.scheme.startswith("socks5"):
            self._pool = httpcore.SOCKSProxy(**options)
        else:
            self._pool = httpcore.HTTPProxy(**options, proxy_ssl_context=proxy.ssl_context)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and return the response once its headers are there.

        Raises:
            httpcore.TimeoutException: there were no headers by the deadline.
            httpcore.NetworkError: the connection failed.
            httpcore.ProtocolError: the server does not speak HTTP.
        """
        limits = request.extensions["timeout"]
        until = time.monotonic() + limits["read"]
        # The streams of the backend take these as deadlines; httpcore passes them on.
        deadlines = dict.fromkeys(("connect", "read", "write"), until)
        assert isinstance(request.stream, httpx.SyncByteStream)  # noqa: S101 - a body in memory
        with self._backend.closing_on_failure():
            response = self._pool.handle_request(
                httpcore.Request(
                    request.method,
                    _url(request.url),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions={"timeout": deadlines},
                )
            )
        assert isinstance(response.stream, Iterable)  # noqa: S101 - the pool is not asynchronous
        return httpx.Response(
            response.status,
            headers=response.headers,
            stream=_Body(response.stream, limits, deadlines),
        )

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()


class _Body(httpx.SyncByteStream):
    """The body of a response; the limits may have changed since the headers."""

    def __init__(
        self, stream: Iterable[bytes], limits: dict[str, float], deadlines: dict[str, float]
    ) -> None:
        self._stream = stream
        self._limits = limits
        self._deadlines = deadlines

    def __iter__(self) -> Iterator[bytes]:
        until = time.monotonic() + self._limits["read"]
        self._deadlines["read"] = min(self._deadlines["read"], until)
        yield from self._stream

    def close(self) -> None:
        self._stream.close()  # type: ignore[attr-defined]


def _url(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(
        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
    )
