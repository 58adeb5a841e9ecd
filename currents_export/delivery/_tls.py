"""TLS settings that come from httpx and the environment."""

from __future__ import annotations

import os
import ssl

import httpx

from ..errors import CurrentsExportError

__all__ = ["default_context"]


def default_context(*, verify: bool) -> ssl.SSLContext:
    """Return httpx's settings; without `verify`, for connections that use no TLS.

    Raises:
        CurrentsExportError: the certificates that environment variables name cannot be read.
    """
    try:
        return httpx.create_ssl_context(verify=verify)
    except OSError as error:
        raise CurrentsExportError(_certificate_problem(error)) from error


def _certificate_problem(error: OSError) -> str:
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        if path := os.environ.get(variable):
            why = error.strerror or str(error)
            return f"{variable} is {path}: the certificates cannot be read: {why}"
    return f"the certificates for https cannot be read: {error}"
