"""`test`: Braze's "Send Test Events"."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from ._current import load_current
from ._delivery import Delivery
from ._options import (
    AsJson,
    CaFile,
    CatalogDir,
    ClientCert,
    ClientKey,
    CurrentFile,
    GiveUpAfter,
    Seed,
    Timeout,
)
from ._tls import read_context
from ._world import new_world

__all__ = ["run"]

#: A few users are enough for one event of each type.
_USERS = 20


def run(
    *,
    current: CurrentFile = None,
    catalog_dir: CatalogDir = None,
    placeholders: Annotated[
        bool,
        typer.Option(
            "--placeholders",
            help="Send values that match only the data type, as in Braze's test events, "
            "instead of realistic ones.",
        ),
    ] = False,
    seed: Seed = None,
    timeout: Timeout = 30.0,
    ca_file: CaFile = None,
    client_cert: ClientCert = None,
    client_key: ClientKey = None,
    give_up_after: GiveUpAfter = 60.0,
    as_json: AsJson = False,
) -> None:
    """Send one test event of each selected event type."""
    chosen = load_current(current, catalog_dir)
    context = read_context(ca_file=ca_file, client_cert=client_cert, client_key=client_key)
    world, _ = new_world(seed, users=_USERS, catalog=chosen.catalog)
    now = int(time.time())
    make = world.placeholder if placeholders else world.sample
    delivery = Delivery(chosen)
    with delivery.interruptible():
        sender = delivery.run(
            lambda sender: sender.send_test_events(lambda each: make(each, time=now)),
            timeout=timeout,
            ssl_context=context,
            pause_after=give_up_after or None,
        )
        delivery.conclude(sender, as_json=as_json)
