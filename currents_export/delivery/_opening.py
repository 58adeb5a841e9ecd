"""Open a stream to a server: directly, or through a proxy.

Source: RFC 9110, CONNECT; RFC 1928 and 1929 (SOCKS5).
"""

from __future__ import annotations

import base64
import ssl

import httpx

from ._deadline import Stream, connect, start_tls
from ._http import Connection, Head

__all__ = ["forwards", "open_stream", "proxy_headers"]

_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


def forwards(url: httpx.URL, proxy: httpx.Proxy | None) -> bool:
    """Return whether requests for a URL are for the proxy itself, which forwards them."""
    return proxy is not None and proxy.url.scheme in ("http", "https") and url.scheme == "http"


def proxy_headers(proxy: httpx.Proxy) -> list[tuple[bytes, bytes]]:
    """Return the headers of a request to a proxy."""
    if proxy.raw_auth is None:
        return []
    return [(b"Proxy-Authorization", b"Basic " + base64.b64encode(b":".join(proxy.raw_auth)))]


def open_stream(
    url: httpx.URL, proxy: httpx.Proxy | None, context: ssl.SSLContext, until: float
) -> Stream:
    """Open a stream for requests to a URL.

    Args:
        url: the URL.
        proxy: the proxy; None for a direct connection.
        context: the TLS settings.
        until: the deadline.

    Raises:
        httpx.TimeoutException: it is not open by the deadline.
        httpx.NetworkError: the connection failed.
        httpx.ProxyError: the proxy refused.
    """
    first = url if proxy is None else proxy.url
    stream: Stream = connect(_host(first), _port(first), until)
    try:
        if proxy is not None:
            if proxy.url.scheme == "https":
                stream = _secure(stream, proxy.ssl_context or context, proxy.url)
            if proxy.url.scheme.startswith("socks5"):
                _pass_socks(stream, url, proxy)
            elif not forwards(url, proxy):
                _open_tunnel(stream, url, proxy)
        if url.scheme == "https":
            stream = _secure(stream, context, url)
    except BaseException:
        stream.close()
        raise
    return stream


def _host(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii")


def _port(url: httpx.URL) -> int:
    return url.port or _PORTS[url.scheme]


def _secure(stream: Stream, context: ssl.SSLContext, url: httpx.URL) -> Stream:
    context.set_alpn_protocols(["http/1.1"])
    return start_tls(stream, context, _host(url))


def _open_tunnel(stream: Stream, url: httpx.URL, proxy: httpx.Proxy) -> None:
    host = f"[{_host(url)}]" if ":" in _host(url) else _host(url)
    target = f"{host}:{_port(url)}".encode()
    headers = [(b"Host", target), (b"Accept", b"*/*"), *proxy_headers(proxy)]
    response = Connection(stream).open_tunnel(Head(b"CONNECT", target, headers))
    if not 200 <= response.status_code < 300:
        reason = response.reason.decode("ascii", "ignore")
        raise httpx.ProxyError(f"{response.status_code} {reason}")


def _pass_socks(stream: Stream, url: httpx.URL, proxy: httpx.Proxy) -> None:
    # An optional dependency; that it is installed was checked when the proxy was read.
    from socksio import ProtocolError, socks5  # noqa: PLC0415

    socks = socks5.SOCKS5Connection()

    def ask(request: object) -> object:
        socks.send(request)
        stream.write(socks.data_to_send())
        return socks.receive_data(stream.read(4096))

    method = (
        socks5.SOCKS5AuthMethod.NO_AUTH_REQUIRED
        if proxy.raw_auth is None
        else socks5.SOCKS5AuthMethod.USERNAME_PASSWORD
    )
    address = (_host(url), _port(url))
    connect = socks5.SOCKS5CommandRequest.from_address(socks5.SOCKS5Command.CONNECT, address)
    try:
        greeting = ask(socks5.SOCKS5AuthMethodsRequest([method]))
        if getattr(greeting, "method", None) != method:
            raise httpx.ProxyError("the SOCKS proxy does not accept the way of authentication")
        if proxy.raw_auth is not None:
            reply = ask(socks5.SOCKS5UsernamePasswordRequest(*proxy.raw_auth))
            if not getattr(reply, "success", False):
                raise httpx.ProxyError("the SOCKS proxy refused the user name and password")
        code = getattr(ask(connect), "reply_code", None)
    except ProtocolError as error:
        raise httpx.ProxyError(f"the SOCKS proxy sent something else than SOCKS: {error}") from None
    if code != socks5.SOCKS5ReplyCode.SUCCEEDED:
        reason = getattr(code, "name", "unknown").lower().replace("_", " ")
        raise httpx.ProxyError(f"the SOCKS proxy could not connect: {reason}")
