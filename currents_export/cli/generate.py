"""`generate`: make events to look at or to send by other means."""

from __future__ import annotations

import enum
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from itertools import chain, islice
from pathlib import Path
from typing import IO, Annotated, Any, Literal

import typer

from .._files import STDOUT, open_output, standard_output
from ..catalog import Catalog
from ..errors import OptionError
from ..payload import encode_array, gather_bodies
from ._answer_key import KeyFile
from ._current import load_current
from ._encoded import Encoded, WorkerError, encode_single, make_encoded
from ._exit_codes import NOT_ALL
from ._live import sends
from ._options import CatalogDir, EventTypes, ScenarioFile, SchemaVersion, Seed
from ._streams import print_error, print_json, print_note, writing_output
from ._tables import progress
from ._time import parse_end
from ._world import begin_of, describe, new_world, read_scenario

__all__ = ["run"]

_COUNT, _USERS, _MOST_USERS = 100, 1_000, 10_000_000


class History(enum.StrEnum):
    """Whether the world has existed before the stream begins."""

    RUNNING = "running"
    CLEAN = "clean"


def run(
    *,
    count: Annotated[
        int | None,
        typer.Option("--count", "-n", metavar="N", min=1, help="How many events; 100 by default."),
    ] = None,
    current: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A Current's TOML file: make only the events that this Current sends, in its "
            "schema version.",
        ),
    ] = None,
    event_types: EventTypes = None,
    samples: Annotated[
        bool,
        typer.Option(
            "--samples",
            help="Make one event of each type, with every field that can occur together; it "
            "belongs to a campaign if it can.",
        ),
    ] = False,
    canvas: Annotated[
        bool,
        typer.Option(
            "--canvas",
            help="Make samples that belong to a Canvas, with the fields that the others lack.",
        ),
    ] = False,
    placeholders: Annotated[
        bool,
        typer.Option(
            "--placeholders",
            help="Make one event of each type, with values that match only the data type, as in "
            "Braze's test events.",
        ),
    ] = False,
    scenario_file: ScenarioFile = None,
    seed: Seed = None,
    users: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            max=_MOST_USERS,
            help="How many users the world has; 1,000 by default.",
        ),
    ] = None,
    user: Annotated[
        list[int] | None,
        typer.Option(
            "--user", metavar="NUMBER", min=0, help="Only the events of this user; repeatable."
        ),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="K/N",
            help="Only the K-th of N parts of the users, such as 1/4; together they are the whole.",
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="The time of the first event: ISO 8601, UTC by default; seconds since the epoch; "
            "or now, the default.",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="The time after the last event, written as --start is; with --scenario also "
            "quiet, the end of each user's last journey in it.",
        ),
    ] = None,
    history: Annotated[
        History | None,
        typer.Option(
            help="running, the default: the world has existed before; clean: nothing has happened "
            "in it yet."
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            help="About how many events a second happen; it chooses how many users are active.",
        ),
    ] = None,
    pace: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            help="How many times as fast as they happen events are written; 1 is real time. As "
            "fast as possible by default.",
        ),
    ] = None,
    answer_key: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="A file for the answer key: for each event its cause, journey, campaign, Canvas "
            "and step, as JSON Lines; the last line has the summary: counts by event type, and "
            "the funnel of each campaign and Canvas. To count opened and clicked messages once, it "
            "needs memory for each of them.",
        ),
    ] = None,
    workers: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=1,
            max=64,
            help="How many processes make the events; the events and their order do not change.",
        ),
    ] = 1,
    schema_version: SchemaVersion = None,
    catalog_dir: CatalogDir = None,
    bodies: Annotated[
        bool,
        typer.Option("--bodies", help="Write request bodies of up to 100 events of one type."),
    ] = False,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="A file to write the events to; one that exists is overwritten.",
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print one JSON array, not JSON Lines; with --output, a summary."
        ),
    ] = False,
) -> None:
    """Generate realistic events as JSON Lines.

    The same seed, start and options give the same events, byte for byte.
    """
    output = None if output == STDOUT else output
    of_traffic = {
        "--count": count,
        "--until": until,
        "--user": user,
        "--shard": shard,
        "--rate": rate,
        "--pace": pace,
        "--answer-key": answer_key,
        "--scenario": scenario_file,
        "--workers": None if workers == 1 else workers,
    }
    _check_combination(of_traffic, samples=samples, canvas=canvas, placeholders=placeholders)
    _check_positive({"--rate": rate, "--pace": pace})
    sender = None if current is None else load_current(current, catalog_dir)
    if sender is not None and schema_version is not None:
        raise typer.BadParameter("--schema-version does not go with --current, which has its own")
    catalog = sender.catalog if sender else Catalog.load(schema_version, catalog_dir)
    scenario = read_scenario(scenario_file, catalog)
    if users is None and scenario is None:
        users = _USERS if rate is None else _MOST_USERS
    world, chosen = new_world(seed, users=users, catalog=catalog, scenario=scenario)
    began = begin_of(start, world.scenario)
    names = [each.name for each in catalog.select(*(event_types or world.scenario.event_types))]
    if sender is not None:
        names = [name for name in names if name in sender.selected]
        if not names:
            raise OptionError(f"{current}: the Current selects none of these event types")
    wanted: int | None = len(names)
    ends: int | Literal["quiet"] | None = None
    options: dict[str, Any] | None = None
    if not samples and not placeholders:
        ends = world.scenario.end(began) if until is None else parse_end(until)
        wanted = count or (_COUNT if ends is None else None)
        rate = rate or world.scenario.rate
        if rate is not None:
            active = world.count_active(rate, start=began, event_types=names)
            print_note(f"{active:,} users are active, for about {rate:g} events a second")
        options = {
            "start": began,
            "until": ends,
            "event_types": names,
            "users": user,
            "rate": rate,
            "shard": _parse_shard(shard),
            "history": None if history is None else history.value,
        }
    with _reporting_workers(), _key_file(answer_key) as key:
        stream: Iterable[Encoded]
        if options is not None:
            is_wanted = None if sender is None else sends(sender)
            stream = make_encoded(
                world,
                workers,
                options,
                count=wanted,
                pace=pace,
                key=key,
                is_wanted=is_wanted,
            )
        elif samples:
            stream = (
                encode_single(world.sample(name, time=began, canvas=canvas)) for name in names
            )
        else:
            stream = (encode_single(world.placeholder(name, time=began)) for name in names)
        as_array = as_json and output is None
        totals = _write(
            stream, wanted, output=output, bodies=bodies, as_array=as_array, paced=pace is not None
        )
    if output is not None and as_json:
        _print_summary(totals, output, chosen, began)
    else:
        hint = describe(scenario_file, chosen, began)
        print_note(f"{totals.total():,} events; {hint} repeats them")
    if ends is None and wanted is not None and totals.total() < wanted:
        print_error(f"{wanted:,} events were requested, but the stream ends in the year 2106")
        raise typer.Exit(NOT_ALL)


@contextmanager
def _reporting_workers() -> Iterator[None]:
    """Report that a worker ended early; what was complete by then is written."""
    try:
        yield
    except WorkerError as error:
        print_error(error)
        raise typer.Exit(NOT_ALL) from None


def _print_summary(totals: Counter[str], output: str, seed: int, start: int) -> None:
    print_json(
        {
            "events": totals.total(),
            "output": output,
            "seed": seed,
            "start": start,
            "by_event_type": dict(sorted(totals.items())),
        }
    )


def _check_combination(
    of_traffic: Mapping[str, object], *, samples: bool, canvas: bool, placeholders: bool
) -> None:
    if canvas and not samples:
        raise typer.BadParameter("--canvas needs --samples")
    if samples and placeholders:
        raise typer.BadParameter("--samples and --placeholders exclude each other")
    option = "--samples" if samples else "--placeholders"
    for name, value in of_traffic.items():
        if value is not None and (samples or placeholders):
            raise typer.BadParameter(f"{option} makes one event of each type; it excludes {name}")


def _check_positive(numbers: Mapping[str, float | None]) -> None:
    for name, number in numbers.items():
        if number is not None and not number > 0:
            raise typer.BadParameter(f"{name} is {number}; it must be more than 0")


def _parse_shard(text: str | None) -> tuple[int, int]:
    """Parse `1/4`, the first of four parts."""
    if text is None:
        return 0, 1
    first, slash, count = text.partition("/")
    if slash and first.isdecimal() and count.isdecimal() and 1 <= int(first) <= int(count):
        return int(first) - 1, int(count)
    raise typer.BadParameter(f"--shard is {text!r}; it must be like 1/4, the first of four parts")


@contextmanager
def _key_file(name: str | None) -> Iterator[KeyFile | None]:
    """Open the file of the answer key."""
    if name is None:
        yield None
        return
    with _opened(name) as file:
        key = KeyFile(file)
        yield key
        key.end()


def _write(
    stream: Iterable[Encoded],
    wanted: int | None,
    *,
    output: str | None,
    bodies: bool,
    as_array: bool,
    paced: bool,
) -> Counter[str]:
    """Write the events and return how many there were of each type."""
    totals: Counter[str] = Counter()
    batches = iter(stream)
    # If the first event cannot be made, an existing output keeps its content.
    counted = _counting(chain([*islice(batches, 1)], batches), totals)
    # Events printed on a terminal already show the progress.
    quiet = output is None and sys.stdout.isatty()
    reported = 0
    with (
        _opened(output) as file,
        nullcontext(lambda _: None) if quiet else progress("generating", wanted) as advance,
    ):
        if bodies or as_array:
            single = chain.from_iterable(zip(*batch, strict=True) for batch in counted)
            items = gather_bodies(single) if bodies else (line for _, line in single)
            chunks = encode_array(items) if as_array else (item + b"\n" for item in items)
        else:
            chunks = (b"\n".join((*lines, b"")) for _, lines in counted)
        for chunk in chunks:
            file.write(chunk)
            if paced:
                file.flush()
            advance(totals.total() - reported)
            reported = totals.total()
        file.flush()
    return totals


def _counting(stream: Iterable[Encoded], totals: Counter[str]) -> Iterator[Encoded]:
    for names, lines in stream:
        totals.update(names)
        yield names, lines


@contextmanager
def _opened(output: str | None) -> Iterator[IO[bytes]]:
    """Open the output; what fails while it is written is named for what it is."""
    if output is None:
        with writing_output():
            yield standard_output()
        return
    try:
        with open_output(output) as file:
            yield file
    except OSError as error:
        raise OptionError(f"{output}: cannot be written: {error.strerror or error}") from error
