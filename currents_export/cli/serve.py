"""`serve`: run a receiver, or a stand-in for RudderStack."""

from __future__ import annotations

import threading
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from .._files import STDOUT
from ..catalog import Catalog
from ..receiver import Counts, Receiver, RudderStack, WebhookDestination, listen, parse_script
from ..receiver.page import Page
from ..receiver.rudderstack import load_mapping
from ._counts import print_counts
from ._options import AsJson, CatalogDir, SchemaVersion
from ._request_lines import RequestLines
from ._signals import on_interrupt
from ._streams import print_json, print_line, results_to_stderr
from ._tables import progress

__all__ = ["run"]

#: The options that go with only some kinds of receivers, which are named by their options; the
#: kind without an option has an empty name.
_KINDS = {
    **dict.fromkeys(("strict", "schema_version", "catalog_dir"), ("",)),
    **dict.fromkeys(("bearer_token", "max_body_bytes"), ("", "destination")),
    **dict.fromkeys(
        ("mapping", "forward", "rate_limit", "disabled_key", "suppress", "transformer"),
        ("rudderstack",),
    ),
}

#: Seconds between two updates of the progress.
_GLANCE = 0.5


def _check_seconds(value: float) -> float:
    if not value > 0:
        raise typer.BadParameter("it must be more than 0")
    return value


def run(
    ctx: typer.Context,
    *,
    rudderstack: Annotated[
        bool,
        typer.Option(
            "--rudderstack",
            help="Stand in for RudderStack: its gateway, its Braze source and, with --forward, a "
            "webhook destination.",
        ),
    ] = False,
    destination: Annotated[
        bool,
        typer.Option(
            "--destination",
            help="Receive the messages that RudderStack's webhook destination sends.",
        ),
    ] = False,
    host: Annotated[
        str,
        typer.Option(
            metavar="HOST",
            help="The address to listen on; by default only this machine can connect.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="The port; 0 chooses a free one.")
    ] = 8080,
    write_key: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY",
            envvar="CURRENTS_RECEIVER_WRITE_KEY",
            help="A write key to accept; can be given more than once.",
        ),
    ] = None,
    bearer_token: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TOKEN",
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
            help="Append the events or messages taken to it, as JSON Lines; '-' is standard "
            "output, and the rest goes to standard error then.",
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Respond with 400 to an event that breaks the schema.")
    ] = False,
    max_body_bytes: Annotated[
        int,
        typer.Option(metavar="BYTES", min=1, help="Respond with 413 to a larger body."),
    ] = 16 * 2**20,
    request_timeout: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            callback=_check_seconds,
            help="The time a client has for the head of a request, and again for its body.",
        ),
    ] = 30.0,
    max_connections: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, help="Respond with 503 to connections beyond this number."
        ),
    ] = 256,
    mapping: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="With --rudderstack: the source's custom mapping, from event types to event "
            "names, as JSON or TOML.",
        ),
    ] = None,
    forward: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="With --rudderstack: POST each message there, as a webhook destination does.",
        ),
    ] = None,
    rate_limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="With --rudderstack: respond with 429 to more events a minute; the Free plan "
            "allows 1000.",
        ),
    ] = None,
    disabled_key: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY",
            help="With --rudderstack: the write key of a disabled source; can be given more than "
            "once.",
        ),
    ] = None,
    suppress: Annotated[
        list[str] | None,
        typer.Option(
            metavar="USER_ID",
            help="With --rudderstack: a userId whose messages are not taken; can be given more "
            "than once.",
        ),
    ] = None,
    transformer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RESPONSE",
            help="With --rudderstack: what the transformer responds to a group of requests first, "
            "like --script: 500 for a failure, reset if it cannot be reached.",
        ),
    ] = None,
    no_page: Annotated[
        bool,
        typer.Option("--no-page", help="Do not show the page in which to watch what arrives."),
    ] = False,
    page_token: Annotated[
        str | None,
        typer.Option(
            metavar="TOKEN",
            envvar="CURRENTS_RECEIVER_PAGE_TOKEN",
            help="What a browser must enter to see the page; needed if other machines can connect.",
        ),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Do not print a line for each request.")
    ] = False,
    raw: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Append the bodies of requests to it as they came, decompressed, each with a line "
            "break after it.",
        ),
    ] = None,
    schema_version: SchemaVersion = None,
    catalog_dir: CatalogDir = None,
    as_json: AsJson = False,
) -> None:
    """Receive events until interrupted, then report what arrived.

    Every POST, whatever its path, is handled as a request of a Current; GET /counts returns the
    totals so far, to the same credentials. Without a write key or a bearer token to check, every
    request is accepted, and the totals are only for this machine.

    The page at GET / shows the requests and events as they come, and can make the receiver fail.
    It is only for this machine, unless there is a --page-token.

    With --rudderstack, the path of the requests is /v1/webhook, the responses are those of
    RudderStack, and the capture contains the messages that its Braze source makes of the events.
    """
    _check_kind(ctx, rudderstack=rudderstack, destination=destination)
    if capture == STDOUT and raw == STDOUT:
        raise typer.BadParameter("--capture and --raw cannot both be standard output")
    responses = [parse_script(each) for each in script or ()]
    receiver: Receiver | RudderStack | WebhookDestination
    catalog = None
    if rudderstack:
        receiver = RudderStack(
            write_keys=write_key or (),
            disabled_keys=disabled_key or (),
            mapping=None if mapping is None else load_mapping(mapping),
            script=responses,
            transformer_script=[parse_script(each) for each in transformer or ()],
            capture=capture,
            keep=False,
            forward=forward,
            rate_limit=rate_limit,
            suppressed_users=suppress or (),
            request_timeout=request_timeout,
        )
    elif destination:
        receiver = WebhookDestination(
            write_keys=write_key or (),
            bearer_tokens=bearer_token or (),
            script=responses,
            capture=capture,
            keep=False,
            max_body_bytes=max_body_bytes,
            request_timeout=request_timeout,
        )
    else:
        catalog = Catalog.load(schema_version, catalog_dir)
        receiver = Receiver(
            write_keys=write_key or (),
            bearer_tokens=bearer_token or (),
            script=responses,
            capture=capture,
            keep=False,
            strict=strict,
            max_body_bytes=max_body_bytes,
            request_timeout=request_timeout,
            catalog=catalog,
        )
    page = None if no_page else Page(receiver, token=page_token, catalog=catalog)
    shows = not (quiet or as_json)
    lines = RequestLines.around(receiver, shows=shows, raw=raw)
    if STDOUT in (capture, raw):
        results_to_stderr()
    stop = threading.Event()
    with (
        closing(receiver),
        closing(lines),
        on_interrupt(stop.set),
        listen(receiver, host=host, port=port, max_connections=max_connections, page=page) as url,
    ):
        if as_json:
            print_json({"url": url} | ({"page": f"{url}/"} if page else {}), indent=False)
        else:
            print_line(f"listening on {url}; interrupt to stop (Ctrl-C)")
            if page is not None:
                print_line(f"watch what arrives at {url}/")
        what = "events" if isinstance(receiver, Receiver) else "messages"
        with nullcontext(_nothing) if shows else progress(what) as advance:
            seen = 0
            while not stop.wait(_GLANCE):
                taken = _taken(receiver)
                advance(taken - seen)
                seen = taken
    if as_json:
        print_json(receiver.counts.to_dict(), indent=False)
    else:
        print_counts(receiver.counts)


def _nothing(_: int) -> None:
    pass


def _taken(receiver: Receiver | RudderStack | WebhookDestination) -> int:
    counts = receiver.counts
    return counts.events if isinstance(counts, Counts) else counts.messages


def _check_kind(ctx: typer.Context, *, rudderstack: bool, destination: bool) -> None:
    if rudderstack and destination:
        raise typer.BadParameter("--rudderstack and --destination exclude each other")
    kind = "rudderstack" if rudderstack else "destination" if destination else ""
    for parameter in ctx.command.params:
        kinds = _KINDS.get(parameter.name or "", (kind,))
        source = ctx.get_parameter_source(parameter.name or "")
        if source is not None and source.name == "COMMANDLINE" and kind not in kinds:
            option = parameter.opts[0]
            if "" in kinds:
                raise typer.BadParameter(f"{option} does not go with --{kind}")
            raise typer.BadParameter(f"{option} needs --{kinds[0]}")
