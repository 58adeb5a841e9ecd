"""Send a request, get its response, and keep secrets out of logs."""

from __future__ import annotations

import logging
import os
import time
from contextlib import closing
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from .._redaction import MASK
from .._version import __version__
from ..current import Current
from ..destinations import is_loopback
from ..errors import CurrentError, CurrentsExportError
from ._responses import Response, retry_after

__all__ = ["Endpoint"]

_HEADERS = {
    "Content-Type": "application/json",
    # The version of the request, which is always 1, and not the version of the Currents schema.
    "Braze-Currents-Version": "1",
    "User-Agent": f"currents-export/{__version__}",
    "Accept-Encoding": "identity",
}
#: Only the status counts. Read only as much of the body as a message needs, for at most these
#: seconds, so that a receiver that never ends its body does not delay other batches.
_MAX_TEXT = 4096
_MAX_MESSAGE = 200
_BODY_PATIENCE = 1.0
#: The loggers of httpcore, which log headers, including the URL of a redirect.
_LOGGERS = tuple(f"httpcore.{name}" for name in ("connection", "http11", "http2", "proxy", "socks"))


class _Route(NamedTuple):
    """The properties for which an httpx transport is made.

    Attributes:
        proxy: the URL of the proxy; None for a direct connection.
        tls: whether certificates are needed.
    """

    proxy: str | None
    tls: bool


class _Target(NamedTuple):
    transport: httpx.BaseTransport
    url: httpx.URL
    headers: httpx.Headers
    secrets: tuple[str, ...]


class Endpoint:
    """Send requests to a Current's URL.

    Requests use httpx's transport directly, without a `Client`. A client does what a Current must
    not do: it follows redirects, keeps cookies, and logs every URL, including the write key.

    Args:
        current: the Current.
        timeout: seconds for each of connecting, writing and waiting for a response.
        transport: sends the requests in place of httpx's own transport.

    Raises:
        CurrentError: httpx cannot use the Current's URL.
        CurrentsExportError: the proxy or the certificates that environment variables name cannot
            be used.
    """

    def __init__(
        self, current: Current, *, timeout: float, transport: httpx.BaseTransport | None
    ) -> None:
        self._given_transport = transport
        self._own_transports: dict[_Route, httpx.BaseTransport] = {}
        self._timeout = timeout
        self._limits = httpx.Timeout(timeout).as_dict()
        self._filter = _RedactingFilter()
        self.use(current)
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(self._filter)

    def use(self, current: Current) -> None:
        """Use this Current's URL and secrets from now on."""
        destination = current.destination
        try:
            url = httpx.URL(destination.url)
        except httpx.InvalidURL:
            problem = "it is not a URL that can be requested"
            raise CurrentError([(destination.url_field, problem)]) from None
        headers = httpx.Headers(_HEADERS)
        if destination.authorization is not None:
            headers["Authorization"] = destination.authorization
        secrets = destination.secrets
        transport = self._given_transport or self._transport_to(destination.url)
        # Use one assignment, because another thread may be about to post.
        self._target = _Target(
            transport, url.copy_with(userinfo=b"", fragment=None), headers, secrets
        )
        self._filter.secrets = secrets

    def _transport_to(self, url: str) -> httpx.BaseTransport:
        route = _route_to(url)
        if route not in self._own_transports:
            self._own_transports[route] = _make_transport(route)
        return self._own_transports[route]

    def post(self, body: bytes) -> Response:
        """Send a body once. A failure is returned as a response, never raised."""
        transport, url, headers, secrets = self._target
        limits = self._limits.copy()
        try:
            request = httpx.Request(
                "POST", url, headers=headers, content=body, extensions={"timeout": limits}
            )
            with closing(transport.handle_request(request)) as response:
                # httpcore reads the limits again for the body.
                limits["read"] = min(self._timeout, _BODY_PATIENCE)
                text = _redact(_beginning(response), secrets)
                return Response(
                    status=response.status_code,
                    text=" ".join(text.split())[:_MAX_MESSAGE],
                    retry_after=retry_after(response.headers, now=time.time()),
                )
        except Exception as error:  # noqa: BLE001 - a transport that was passed in may raise anything
            what = str(error) or type(error).__name__
            return Response(status=None, text=_redact(what, secrets))

    def close(self) -> None:
        """Close the connections, but not a transport that was passed in."""
        for name in _LOGGERS:
            logging.getLogger(name).removeFilter(self._filter)
        for transport in self._own_transports.values():
            transport.close()


class _RedactingFilter(logging.Filter):
    """Replace the secrets in the records of a logger."""

    secrets: tuple[str, ...]

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        redacted = _redact(text, self.secrets)
        if redacted != text:
            record.msg, record.args = redacted, None
        return True


def _redact(text: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text


def _route_to(url: str) -> _Route:
    parts = urlsplit(url)
    host = parts.hostname or ""
    # httpx's clients use the proxy variables, its transports do not. A proxy cannot reach this
    # machine's loopback addresses, and must not learn their secrets.
    direct = is_loopback(host) or proxy_bypass(host)
    proxy = None if direct else getproxies().get(parts.scheme)
    secure_proxy = (proxy or "").lower().startswith("https:")
    return _Route(proxy, parts.scheme == "https" or secure_proxy)


def _make_transport(route: _Route) -> httpx.BaseTransport:
    try:
        # Without TLS, certificates that cannot be read do not matter.
        context = httpx.create_ssl_context(verify=route.tls)
    except OSError as error:
        raise CurrentsExportError(_certificate_problem(error)) from error
    if route.proxy is None:
        return httpx.HTTPTransport(verify=context)
    problem = None
    try:
        proxy = httpx.Proxy(route.proxy)
        if proxy.url.scheme == "https":
            proxy = httpx.Proxy(route.proxy, ssl_context=context)
        return httpx.HTTPTransport(verify=context, proxy=proxy)
    except (httpx.InvalidURL, ValueError):
        problem = "it must be a URL such as http://host:port"
    except ImportError:
        problem = "SOCKS proxies need the package socksio"
    # Raise outside the except clause, because the cause may quote the proxy's password.
    raise CurrentsExportError(
        "the proxy of the environment (HTTP_PROXY, HTTPS_PROXY) or the system cannot be used: "
        f"{problem}"
    )


def _certificate_problem(error: OSError) -> str:
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        if path := os.environ.get(variable):
            why = error.strerror or str(error)
            return f"{variable} is {path}: the certificates cannot be read: {why}"
    return f"the certificates for https cannot be read: {error}"


def _beginning(response: httpx.Response) -> str:
    """Return the first bytes of the body as text; ignore a failure after the status."""
    text = b""
    until = time.monotonic() + _BODY_PATIENCE
    try:
        for chunk in response.iter_bytes():
            text += chunk
            if len(text) > _MAX_TEXT or time.monotonic() > until:
                break
    except (httpx.HTTPError, httpx.StreamError):
        pass
    return text[:_MAX_TEXT].decode(errors="replace")
