"""`serve`: run a receiver."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import Annotated

import typer

from .._files import STDOUT
from ..catalog import Catalog
from ..receiver import Receiver, listen, parse_script
from ._counts import print_counts
from ._options import AsJson, CatalogDir, SchemaVersion
from ._signals import on_interrupt
from ._streams import print_json, print_line, results_to_stderr
from ._tables import progress

__all__ = ["run"]

#: Seconds between two updates of the progress.
_GLANCE = 0.5


def run(
    *,
    host: Annotated[
        str,
        typer.Option(help="The address to listen on; by default only this machine can connect."),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port; 0 chooses a free one.")
    ] = 8080,
    write_key: Annotated[
        list[str] | None,
        typer.Option(
            envvar="CURRENTS_RECEIVER_WRITE_KEY",
            help="A write key to accept; can be given more than once.",
        ),
    ] = None,
    bearer_token: Annotated[
        list[str] | None,
        typer.Option(
            envvar="CURRENTS_RECEIVER_BEARER_TOKEN",
            help="A bearer token to accept; can be given more than once.",
        ),
    ] = None,
    script: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RESPONSE",
            help="A response to give first: 503, 503x3, 429x*,retry-after=2, ok,delay=1.5, reset, "
            "500,keep (events taken, response lost). Can be given more than once, in order.",
        ),
    ] = None,
    capture: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Append the events taken to it, as JSON Lines; '-' is standard output, and the "
            "rest goes to standard error then.",
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Respond with 400 to an event that breaks the schema.")
    ] = False,
    max_body_bytes: Annotated[
        int,
        typer.Option(min=1, help="Respond with 413 to a larger body."),
    ] = 16 * 2**20,
    request_timeout: Annotated[
        float,
        typer.Option(
            min=0.001,
            metavar="SECONDS",
            help="The time a client has for the head of a request, and again for its body.",
        ),
    ] = 30.0,
    max_connections: Annotated[
        int, typer.Option(min=1, help="Respond with 503 to connections beyond this number.")
    ] = 256,
    schema_version: SchemaVersion = None,
    catalog_dir: CatalogDir = None,
    as_json: AsJson = False,
) -> None:
    """Receive events until interrupted, then report what arrived.

    Every POST, whatever its path, is handled as a request of a Current; GET /counts returns the
    totals so far, to the same credentials. Without a write key or a bearer token to check, every
    request is accepted.
    """
    receiver = Receiver(
        write_keys=write_key or (),
        bearer_tokens=bearer_token or (),
        script=[parse_script(each) for each in script or ()],
        capture=capture,
        keep=False,
        strict=strict,
        max_body_bytes=max_body_bytes,
        request_timeout=request_timeout,
        catalog=Catalog.load(schema_version, catalog_dir),
    )
    if capture == STDOUT:
        results_to_stderr()
    stop = threading.Event()
    with (
        closing(receiver),
        on_interrupt(stop.set),
        listen(receiver, host=host, port=port, max_connections=max_connections) as url,
    ):
        if as_json:
            print_json({"url": url}, indent=False)
        else:
            print_line(f"listening on {url}; interrupt to stop (Ctrl-C)")
        with progress("events") as advance:
            seen = 0
            while not stop.wait(_GLANCE):
                events = receiver.counts.events
                advance(events - seen)
                seen = events
    if as_json:
        print_json(receiver.counts.to_dict(), indent=False)
    else:
        print_counts(receiver.counts)
