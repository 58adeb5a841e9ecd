"""TLS settings from the files that options name."""

from __future__ import annotations

import ssl
from pathlib import Path

from ..delivery._tls import default_context
from ..errors import OptionError

__all__ = ["read_context"]


def read_context(
    *, ca_file: Path | None, client_cert: Path | None, client_key: Path | None
) -> ssl.SSLContext | None:
    """Return the settings that PEM files make; None without any.

    Args:
        ca_file: the certificates to trust instead of the usual ones.
        client_cert: the client's certificate, for mutual TLS; with the private key in it, unless
            there is a `client_key`.
        client_key: the client's private key.

    Raises:
        OptionError: a file cannot be used, or there is a key without a certificate.
    """
    if client_cert is None and client_key is not None:
        raise OptionError("--client-key needs the certificate: --client-cert FILE")
    if ca_file is None and client_cert is None:
        return None
    if ca_file is None:
        context = default_context(verify=True)
    else:
        try:
            context = ssl.create_default_context(cafile=_readable("--ca-file", ca_file))
        except ssl.SSLError:
            problem = "it holds no certificates in PEM format"
            raise OptionError(f"--ca-file: {ca_file}: {problem}") from None
    if client_cert is not None:
        cert = _readable("--client-cert", client_cert)
        key = None if client_key is None else _readable("--client-key", client_key)
        try:
            # Without a password, OpenSSL would ask for that of an encrypted key.
            context.load_cert_chain(cert, key, password="")
        except ssl.SSLError:
            where = client_cert if client_key is None else f"{client_cert}, {client_key}"
            raise OptionError(
                f"--client-cert: {where}: it must be a certificate in PEM format and its private "
                "key, which must not be encrypted"
            ) from None
    return context


def _readable(option: str, path: Path) -> Path:
    try:
        path.read_bytes()
    except OSError as error:
        raise OptionError(f"{option}: {path}: it cannot be read: {error.strerror}") from error
    return path
