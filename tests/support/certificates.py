"""Certificates for tests, and the files they are in."""

from __future__ import annotations

import functools
import ssl
from pathlib import Path

import attrs
import trustme

__all__ = ["NAME", "Files", "certificates"]

#: The name of the server, besides 127.0.0.1.
NAME = "receiver.example.com"


@attrs.frozen
class Certificates:
    """An authority, and what it issued."""

    authority: trustme.CA
    server: trustme.LeafCert
    client: trustme.LeafCert

    def server_context(self, *, mutual: bool = False) -> ssl.SSLContext:
        """Make the TLS settings of a server; `mutual` asks for the client's certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.configure_cert(context)
        if mutual:
            self.authority.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client_context(self, *, own: bool = False) -> ssl.SSLContext:
        """Make the TLS settings of a client; `own` adds its own certificate."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        if own:
            self.client.configure_cert(context)
        return context

    def write(self, directory: Path) -> Files:
        """Write PEM files."""
        files = Files(*(directory / f"{each.name}.pem" for each in attrs.fields(Files)))
        self.authority.cert_pem.write_to_path(files.authority)
        self.client.private_key_and_cert_chain_pem.write_to_path(files.both)
        self.client.cert_chain_pems[0].write_to_path(files.cert)
        self.client.private_key_pem.write_to_path(files.key)
        return files


@attrs.frozen
class Files:
    """PEM files: the authority, and the client's certificate with and without its key."""

    authority: Path
    both: Path
    cert: Path
    key: Path


@functools.cache
def certificates() -> Certificates:
    """Issue certificates, once."""
    authority = trustme.CA()
    return Certificates(
        authority, authority.issue_cert(NAME, "127.0.0.1"), authority.issue_cert("client@test")
    )
