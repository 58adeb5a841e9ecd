"""Check the requests of browsers: no other website may use the page, or act through it."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request

from .._body import RefusedError

__all__ = ["HEADERS", "cross_site_refusal"]

#: The headers of every response of the page. Scripts, styles and images come from the page only,
#: and no text becomes markup.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


def cross_site_refusal(request: Request) -> RefusedError | None:
    """Return why a request of another website is refused; None for one of the page itself.

    A request that changes something needs an `Origin` of this page. Others are refused if the
    browser says that another website makes them, except for following a link to the page.
    """
    if request.method in ("GET", "HEAD"):
        site = request.headers.get("sec-fetch-site", "none")
        is_link = (
            request.headers.get("sec-fetch-mode") == "navigate" and request.scope["path"] == "/"
        )
        if site in ("none", "same-origin") or is_link:
            return None
        return RefusedError(403, "another website must not read this page")
    origin = urlsplit(request.headers.get("origin", ""))
    if origin.scheme in ("http", "https") and origin.netloc == request.headers.get("host"):
        return None
    return RefusedError(403, "the Origin header must be that of the page")
