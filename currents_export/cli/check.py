"""`check`: check the credentials."""

from __future__ import annotations

import typer

from ..delivery import Sender
from ._current import load_current
from ._exit_codes import NOT_ALL
from ._options import AsJson, CatalogDir, CurrentFile, Timeout
from ._streams import print_json, print_line

__all__ = ["run"]


def run(
    *,
    current: CurrentFile = None,
    catalog_dir: CatalogDir = None,
    timeout: Timeout = 30.0,
    as_json: AsJson = False,
) -> None:
    """Check the credentials with a request that has no events."""
    with Sender(load_current(current, catalog_dir), timeout=timeout) as sender:
        found = sender.check_credentials()
    if as_json:
        print_json(found.to_dict())
    else:
        print_line(found.message)
    if not found.holds:
        raise typer.Exit(NOT_ALL)
