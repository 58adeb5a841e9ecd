"""`serve`: a receiver to send to."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from ..receiver import Counts, Receiver, listen, parse_script
from ._output import AsJson, SchemaVersionOption, print_json, print_table, progress, say
from ._signals import on_interrupt

__all__ = ["print_counts", "serve"]

#: How many kinds of findings are shown to a person; JSON has them all.
_MOST_FINDINGS = 20

#: Seconds between two looks at the count.
_GLANCE = 0.5


def serve(
    *,
    host: Annotated[
        str, typer.Option(help="The address to listen on; by default this machine's alone.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port; 0 takes one that is free.")
    ] = 8080,
    write_key: Annotated[
        list[str] | None,
        typer.Option(
            envvar="CURRENTS_RECEIVER_WRITE_KEY",
            help="A write key to accept; may be given more than once.",
        ),
    ] = None,
    bearer_token: Annotated[
        list[str] | None,
        typer.Option(
            envvar="CURRENTS_RECEIVER_BEARER_TOKEN",
            help="A bearer token to accept; may be given more than once.",
        ),
    ] = None,
    script: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ANSWER",
            help="What to answer first: 503, 503x3, 429x*,retry-after=2, ok,delay=1.5, reset, "
            "500,keep (events taken, response lost). May be given more than once; in that order.",
        ),
    ] = None,
    capture: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Append the events taken to it, as JSON Lines."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Response 400 to an event that breaks the schema.")
    ] = False,
    max_body_bytes: Annotated[
        int | None, typer.Option(min=1, help="Response 413 to a larger body.")
    ] = None,
    schema_version: SchemaVersionOption = None,
    as_json: AsJson = False,
) -> None:
    """Receive events until interrupted, then say what came.

    Every POST, whatever its path, is taken for a request of a Current; GET /counts tells what came
    so far. Without a write key or a bearer token to ask for, every request is let in.
    """
    receiver = Receiver(
        write_keys=write_key or (),
        bearer_tokens=bearer_token or (),
        script=[parse_script(each) for each in script or ()],
        capture=capture,
        keep=False,
        strict=strict,
        max_body_bytes=max_body_bytes,
        schema_version=schema_version,
    )
    stop = threading.Event()
    with (
        closing(receiver),
        on_interrupt(stop.set),
        listen(receiver, host=host, port=port) as url,
    ):
        if as_json:
            print_json({"url": url}, indent=False)
        else:
            say(f"listening on {url}; interrupt to stop (Ctrl-C)")
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


def print_counts(counts: Counts) -> None:
    """What a receiver has seen, for a person."""
    responses = ", ".join(f"{count:,} x {status}" for status, count in counts.by_status.items())
    say(f"{counts.requests:,} requests{f': {responses}' if responses else ''}")
    say(
        f"{counts.events:,} events, {counts.duplicates:,} of them again; "
        f"{counts.errors:,} conformance errors, {counts.warnings:,} warnings"
    )
    if counts.findings:
        print_table(
            {"count": "right", "level": "", "event type": "", "field": "", "finding": ""},
            (_row(each) for each in counts.findings[:_MOST_FINDINGS]),
        )
    if len(counts.findings) > _MOST_FINDINGS:
        say(f"and {len(counts.findings) - _MOST_FINDINGS:,} more kinds; --json has them all")


def _row(finding: Any) -> tuple[object, ...]:
    what = f"{finding.problem}; {finding.expected}"
    return finding.count, finding.level, finding.event_type or "", finding.field, what
