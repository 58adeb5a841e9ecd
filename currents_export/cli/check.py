"""`check`: check the credentials."""

from __future__ import annotations

import attrs
import typer

from ..delivery import Sender
from ._current import load_current
from ._exit_codes import NOT_ALL
from ._options import (
    AsJson,
    CaFile,
    CatalogDir,
    ClientCert,
    ClientKey,
    CurrentFile,
    Timeout,
)
from ._streams import print_json, print_line
from ._tls import read_context

__all__ = ["run"]


def run(
    *,
    current: CurrentFile = None,
    catalog_dir: CatalogDir = None,
    timeout: Timeout = 30.0,
    ca_file: CaFile = None,
    client_cert: ClientCert = None,
    client_key: ClientKey = None,
    as_json: AsJson = False,
) -> None:
    """Check the credentials with a request that has no events.

    Of a Test Current, the quota is shown, too.
    """
    chosen = load_current(current, catalog_dir)
    context = read_context(ca_file=ca_file, client_cert=client_cert, client_key=client_key)
    with Sender(chosen, timeout=timeout, ssl_context=context) as sender:
        found = sender.check_credentials()
        quota = sender.result.quota
    if as_json:
        print_json(found.to_dict() | {"quota": None if quota is None else attrs.asdict(quota)})
    else:
        print_line(found.message)
        if quota is not None:
            print_line(f"Test Current: {quota.text}")
            if quota.workspace is None:
                print_line("without a workspace, each process or outbox is counted by itself")
    if not found.holds:
        raise typer.Exit(NOT_ALL)
