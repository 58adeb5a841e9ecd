"""`send`, `test`, `check`: a Current at work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import attrs
import typer

from ..current import Current
from ..delivery import Drop, Hooks, Result, Sender, State
from ..errors import InvalidEvents, NotTaken, OptionError, ReadError
from ..events import Event
from ..payload import encode_event
from ..reading import read_events
from ._input import CurrentFile, Files, values_in
from ._output import (
    BAD_INPUT,
    INTERRUPTED,
    NOT_ALL,
    AsJson,
    complain,
    print_json,
    print_table,
    progress,
    say,
    tell,
)
from ._traffic import Seed, new_world

__all__ = ["check", "print_result", "send", "send_test"]

#: How many dropped events are named one by one to a person; JSON has them all.
_MOST_DROPS = 10

#: How many users the world of `test` has: one event of each type needs no crowd.
_TEST_USERS = 20

GiveUpAfter = Annotated[
    float,
    typer.Option(
        metavar="SECONDS",
        min=0,
        help="Pause after this much unbroken trouble; 0: try on for five days, as Braze does.",
    ),
]
Timeout = Annotated[
    float,
    typer.Option(metavar="SECONDS", help="For each of connecting, writing, and the answer."),
]


@attrs.define
class _Job:
    """What came of a run, beyond the sender's own account.

    Attributes:
        drops: the events that were dropped.
        unread: pieces of the input that could not be read, or are no events.
        not_taken: the event at which the sender took no more, if there was one.
        interrupted: whether the user broke it off.
    """

    drops: list[Drop] = attrs.field(factory=list)
    unread: int = 0
    not_taken: Event | None = None
    interrupted: bool = False


def send(
    files: Files = None,
    *,
    current: CurrentFile = None,
    batch_size: Annotated[int, typer.Option(min=1, help="The most events in a request.")] = 100,
    max_age: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", help="When a batch leaves though it is not full (input goes on)."
        ),
    ] = 300.0,
    concurrency: Annotated[int, typer.Option(min=1, help="The most requests at once.")] = 2,
    timeout: Timeout = 30.0,
    give_up_after: GiveUpAfter = 60.0,
    pending: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write the events that could not be sent."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send events as the Current does: files, or standard input.

    Events may be JSON Lines, a JSON array, or request bodies. What cannot be sent is reported,
    and written to the file that --pending names. Standard input cannot be read twice, so what
    came from there is written in any case, to a file named for the time.
    """
    job = _Job()
    events = _events_in(files, job)
    sender = _deliver(
        Current.load(current),
        job,
        lambda sender: sender.send(events),
        batch_size=batch_size,
        max_age=max_age,
        concurrency=concurrency,
        timeout=timeout,
        pause_after=give_up_after or None,
    )
    if pending is None and "-" in (files or ["-"]):
        pending = Path(time.strftime("currents-export-pending-%Y%m%dT%H%M%S.jsonl"))
    rest = chain((job.not_taken,), events) if job.not_taken else iter(())
    _conclude(sender, job, rest=rest, pending=pending, as_json=as_json)


def send_test(
    *,
    current: CurrentFile = None,
    seed: Seed = None,
    timeout: Timeout = 30.0,
    give_up_after: GiveUpAfter = 60.0,
    as_json: AsJson = False,
) -> None:
    """Send one test event of each selected event type."""
    chosen = Current.load(current)
    world, _ = new_world(seed, users=_TEST_USERS, schema_version=chosen.schema_version)
    now = int(time.time())
    job = _Job()
    sender = _deliver(
        chosen,
        job,
        lambda sender: sender.send_test_events(lambda each: world.sample(each, time=now)),
        timeout=timeout,
        pause_after=give_up_after or None,
    )
    _conclude(sender, job, rest=iter(()), pending=None, as_json=as_json)


def check(*, current: CurrentFile = None, timeout: Timeout = 30.0, as_json: AsJson = False) -> None:
    """Ask whether the credentials hold, by a request without events."""
    with Sender(Current.load(current), timeout=timeout) as sender:
        found = sender.check_credentials()
    if as_json:
        print_json(found.to_dict())
    else:
        say(found.message)
    if not found.holds:
        raise typer.Exit(NOT_ALL)


def _events_in(files: list[str] | None, job: _Job) -> Iterator[Event]:
    for item in read_events(values_in(files)):
        if isinstance(item, ReadError):
            job.unread += 1
            complain(item)
        else:
            yield item


def _deliver(
    current: Current, job: _Job, work: Callable[[Sender], object], **options: Any
) -> Sender:
    """Let a sender do the work, wait until events have left or cannot, and close it."""
    with progress("delivered") as advance:
        hooks = Hooks(
            on_delivered=lambda _, ids: advance(len(ids)),
            on_dropped=job.drops.append,
            on_notice=lambda notice: tell(notice.message),
        )
        sender = Sender(current, hooks=hooks, **options)
        try:
            try:
                work(sender)
            except InvalidEvents as error:
                job.unread += len(error.problems)
                for problem in error.problems:
                    complain(problem)
            except NotTaken as error:
                job.not_taken = error.event
            sender.flush()
        except KeyboardInterrupt:
            job.interrupted = True
        finally:
            sender.close(timeout=0.0)
    return sender


def _conclude(
    sender: Sender, job: _Job, *, rest: Iterator[Event], pending: Path | None, as_json: bool
) -> None:
    """Keep what was not sent, report, and exit with the code that says how it went."""
    result = sender.result
    unsent = chain(sender.pending(), rest)
    kept = None
    if pending is None:
        not_taken = sum(1 for _ in rest)
    else:
        written = _write(unsent, pending)
        not_taken = written - result.pending
        kept = str(pending) if written else None
    told = {
        "not_taken": not_taken,
        "unread": job.unread,
        "interrupted": job.interrupted,
        "pending_file": kept,
        "drops": [drop._asdict() for drop in job.drops],
    }
    if as_json:
        print_json(result.to_dict() | told)
    else:
        print_result(result, job.drops)
        if not_taken:
            say(f"{not_taken:,} events of the input were not taken any more")
        if job.unread:
            say(f"{job.unread:,} pieces of the input were no events")
        if kept is not None:
            say(f"what was not sent is in {kept}")
    if job.interrupted:
        raise typer.Exit(INTERRUPTED)
    if job.unread:
        raise typer.Exit(BAD_INPUT)
    if not result.complete or not_taken:
        raise typer.Exit(NOT_ALL)


def _write(events: Iterator[Event], path: Path) -> int:
    """Write events as JSON Lines, if there are any; how many there were."""
    first = next(events, None)
    if first is None:
        return 0
    # The input may be this very file, and still be read from.
    beside = path.with_name(f"{path.name}.part")
    count = 0
    try:
        with beside.open("wb") as file:
            for event in chain((first,), events):
                file.write(encode_event(event) + b"\n")
                count += 1
        beside.replace(path)
    except OSError as error:
        raise OptionError(
            f"{path}: {count + 1} events or more could not be kept: {error.strerror}"
        ) from error
    return count


def print_result(result: Result, drops: list[Drop], *, by_event_type: bool = True) -> None:
    """The account, for a person."""
    columns = ("accepted", "delivered", "dropped", "filtered", "pending")
    if by_event_type:
        print_table(
            {"event type": "left"} | dict.fromkeys(columns, "right"),
            (
                (name, *(getattr(tally, column) for column in columns))
                for name, tally in result.by_event_type.items()
            ),
        )
        say()
    say(", ".join(f"{column} {getattr(result, column):,}" for column in columns))
    say(f"{result.requests:,} requests, {result.retries:,} retries, {result.duration_s:.2f} s")
    for what, reasons in (
        ("dropped", result.drop_reasons),
        ("filtered", result.filter_reasons),
    ):
        for reason, count in reasons.items():
            say(f"{what} {count:,}: {reason}")
    for drop in drops[:_MOST_DROPS]:
        say(f"  {drop.event_type} {drop.id}: {drop.answer or drop.reason}")
    if len(drops) > _MOST_DROPS:
        say(f"  and {len(drops) - _MOST_DROPS:,} more; --json has them all")
    if result.state is not State.ACTIVE or result.pending:
        say(f"the Current is {result.state.value}" + (f": {result.reason}" * bool(result.reason)))
