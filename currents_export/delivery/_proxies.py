"""Which proxy a URL is reached through.

Source: httpx, Environment Variables (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY).
"""

from __future__ import annotations

import base64
import importlib
import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import quote, urlsplit
from urllib.request import getproxies, getproxies_environment, proxy_bypass

import httpx

from ..destinations import is_loopback
from ..errors import CurrentsExportError

__all__ = ["choose_proxy", "proxy_for", "proxy_secrets", "read_proxy"]

_PORTS = {"http": 80, "https": 443}
#: An entry of NO_PROXY: perhaps a scheme, a host, perhaps a port.
_ENTRY = re.compile(r"(?:(?P<scheme>\w+)://)?(?P<host>\[[^]]*\]|[^:]*)(?::(?P<port>\d+))?/?")


def proxy_for(url: str) -> str | None:
    """Return the proxy of the environment or the system for a URL; None for a direct connection.

    A proxy cannot reach this machine's loopback addresses, and must not learn their secrets.
    """
    host = urlsplit(url).hostname or ""
    if is_loopback(host):
        return None
    # The system's exceptions are not among its proxies, unlike those of the environment.
    if not getproxies_environment() and proxy_bypass(host):
        return None
    return choose_proxy(url, getproxies())


def choose_proxy(url: str, proxies: Mapping[str, str]) -> str | None:
    """Return the proxy for a URL; None for a direct connection.

    Args:
        url: the URL.
        proxies: proxies by the scheme of the URLs they are for, or `all`; and under `no` the hosts
            that are reached without one, separated by commas: names, which include their
            subdomains, names with a leading dot, which are their subdomains only, addresses,
            networks such as 10.0.0.0/8, or `*`. A name or an address may have a port.
    """
    parts = urlsplit(url)
    entries = (each.strip() for each in proxies.get("no", "").split(","))
    port = parts.port or _PORTS.get(parts.scheme)
    if any(_excludes(each, parts.scheme, parts.hostname or "", port) for each in entries if each):
        return None
    proxy = proxies.get(parts.scheme) or proxies.get("all") or None
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy


def _excludes(entry: str, scheme: str, host: str, port: int | None) -> bool:
    """Return whether an entry of NO_PROXY holds for a host."""
    if entry == "*":
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        pass
    found = _ENTRY.fullmatch(entry)
    if found is None or found["scheme"] not in (None, "all", scheme):
        return False
    if found["port"] is not None and int(found["port"]) != port:
        return False
    host = host.lower().rstrip(".")
    name = found["host"].lower().strip("[]").removeprefix("*").rstrip(".")
    if name == "localhost" or _is_address(host):
        return host == name
    return bool(name) and (host == name or host.endswith(f".{name.removeprefix('.')}"))


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def read_proxy(url: str) -> httpx.Proxy:
    """Return the proxy with this URL.

    Raises:
        CurrentsExportError: it cannot be used; the message does not quote it.
    """
    problem = "it must be a URL such as http://host:port"
    try:
        proxy = httpx.Proxy(url)
        if proxy.url.host:
            if proxy.url.scheme.startswith("socks5"):
                importlib.import_module("socksio")
            return proxy
    except (httpx.InvalidURL, ValueError):
        pass
    except ImportError:
        problem = "SOCKS proxies need the package socksio"
    # Not within an except clause, since the reason may quote the proxy's password.
    raise CurrentsExportError(
        "the proxy of the environment (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY) or the system cannot "
        f"be used: {problem}"
    )


def proxy_secrets(proxy: httpx.Proxy) -> set[str]:
    """Return the texts that must not be shown: the password, and the header that has it."""
    if proxy.raw_auth is None or not proxy.raw_auth[1]:
        return set()
    password = proxy.raw_auth[1].decode()
    return {
        password,
        quote(password, safe=""),
        base64.b64encode(b":".join(proxy.raw_auth)).decode(),
    }
