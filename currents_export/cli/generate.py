"""`generate`: events of a world, to look at or to send by other means."""

from __future__ import annotations

import datetime
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from .._redaction import shown
from ..catalog import Catalog
from ..errors import OptionError
from ..events import Event
from ..payload import encode_body, encode_event
from ..simulation import World
from ._output import NOT_ALL, SchemaVersionOption, complain, print_json, progress, tell

__all__ = ["EventTypes", "Seed", "generate", "new_world"]

_BATCH = 100
_COUNT = 100

EventTypes = Annotated[
    list[str] | None,
    typer.Option(
        "--event-type",
        metavar="PATTERN",
        help="A name, family or glob; may be given more than once. All by default.",
    ),
]
Seed = Annotated[
    int | None,
    typer.Option("--seed", help="The same seed gives the same world; a new one by default."),
]


def new_world(seed: int | None, *, users: int, schema_version: int | None) -> tuple[World, int]:
    """A world, and the seed it was made from."""
    chosen = random.SystemRandom().randrange(2**32) if seed is None else seed
    return World(chosen, users=users, schema_version=schema_version), chosen


def _instant(text: str) -> int:
    if text == "now":
        return int(time.time())
    try:
        if text.isdecimal():
            return int(text)  # too many digits are a ValueError, too
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{shown(text)} is not a time; it looks like 2026-01-31T12:00:00Z, 1769860800 or now"
        ) from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp())


def generate(
    *,
    count: Annotated[
        int | None, typer.Option("--count", "-n", min=1, help="How many events; 100 by default.")
    ] = None,
    event_types: EventTypes = None,
    samples: Annotated[
        bool, typer.Option("--samples", help="One event of each type instead, with all its fields.")
    ] = False,
    seed: Seed = None,
    users: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="How many users the world has.")
    ] = 1_000,
    start: Annotated[
        str,
        typer.Option(
            help="When it begins: ISO 8601, UTC by default; seconds since the epoch; or now."
        ),
    ] = "now",
    rate: Annotated[float, typer.Option(help="Events a second, in the world's time.")] = 10.0,
    schema_version: SchemaVersionOption = None,
    bodies: Annotated[
        bool,
        typer.Option("--bodies", help="Request bodies of up to 100 events of a type, one a line."),
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file to write them to.")
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="One JSON array instead of JSON Lines; with --output, what was written."
        ),
    ] = False,
) -> None:
    """Generate realistic events, as JSON Lines.

    The same seed, start and options give the same events, byte for byte.
    """
    if samples and count is not None:
        raise typer.BadParameter("--samples is one event of each type; --count does not go with it")
    began = _instant(start)
    names = [each.name for each in Catalog.load(schema_version).select(*(event_types or ["*"]))]
    if not rate > 0:
        raise typer.BadParameter(f"--rate is {rate}; it must be more than 0")
    world, chosen = new_world(seed, users=users, schema_version=schema_version)
    if samples:
        stream: Iterable[Event] = (world.sample(name, time=began) for name in names)
    else:
        stream = islice(world.events(event_types=names, start=began, rate=rate), count or _COUNT)
    totals_by_type: Counter[str] = Counter()
    array, told = as_json and output is None, 0
    wanted = len(names) if samples else count or _COUNT
    # Events on a terminal are progress enough.
    quiet = output is None and sys.stdout.isatty()
    with (
        _opened(output) as file,
        nullcontext(lambda _: None) if quiet else progress("generating", wanted) as advance,
    ):
        lines = _batched(stream, totals_by_type) if bodies else _lines(stream, totals_by_type)
        for line in _as_array(lines) if array else (line + b"\n" for line in lines):
            file.write(line)
            advance(totals_by_type.total() - told)
            told = totals_by_type.total()
        file.flush()
    if output is not None and as_json:
        print_json(
            {
                "events": totals_by_type.total(),
                "output": str(output),
                "seed": chosen,
                "start": began,
                "by_event_type": dict(sorted(totals_by_type.items())),
            }
        )
    else:
        tell(f"{totals_by_type.total():,} events; --seed {chosen} --start {began} gives them again")
    if totals_by_type.total() < wanted:
        complain(f"{wanted:,} events were asked for, but the stream ends in the year 2106")
        raise typer.Exit(NOT_ALL)


def _opened(output: Path | None) -> Any:
    if output is None:
        return nullcontext(sys.stdout.buffer)
    try:
        file: IO[bytes] = output.open("wb")
    except OSError as error:
        raise OptionError(f"{output}: cannot be written: {error.strerror}") from error
    return file


def _lines(events: Iterable[Event], totals_by_type: Counter[str]) -> Iterator[bytes]:
    for event in events:
        totals_by_type[event.event_type] += 1
        yield encode_event(event)


def _batched(events: Iterable[Event], totals_by_type: Counter[str]) -> Iterator[bytes]:
    waiting: dict[str, list[bytes]] = {}
    for event in events:
        totals_by_type[event.event_type] += 1
        queue = waiting.setdefault(event.event_type, [])
        queue.append(encode_event(event))
        if len(queue) == _BATCH:
            yield encode_body(waiting.pop(event.event_type))
    yield from map(encode_body, waiting.values())


def _as_array(items: Iterator[bytes]) -> Iterator[bytes]:
    yield b"["
    before = b"\n"
    for item in items:
        yield before + item
        before = b",\n"
    yield b"\n]\n"
