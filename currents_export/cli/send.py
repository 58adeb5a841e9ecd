"""`send`, `test`, `check`: a Current at work."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import attrs
import typer

from ..catalog import Catalog
from ..current import Current
from ..delivery import Action, Attempt, Drop, Hooks, Result, Sender, State
from ..errors import InvalidEventsError, NotTakenError, OptionError, ReadError, UnknownNameError
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
from ._signals import on_interrupt
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
    typer.Option(metavar="SECONDS", help="For each of connecting, writing, and the response."),
]


@attrs.define
class _Job:
    """What came of a run, beyond the sender's own account.

    Attributes:
        drops: the events that were dropped.
        unread: pieces of the input that could not be read, or are no events.
        not_taken: the event at which the sender took no more, if there was one.
        interrupted: whether the user broke it off.
        troubled: whether a request had to be sent again.
    """

    drops: list[Drop] = attrs.field(factory=list)
    unread: int = 0
    not_taken: Event | None = None
    interrupted: bool = False
    troubled: bool = False
    sender: Sender | None = None
    _signals: int = 0
    _reads_stdin: bool = False

    def attempted(self, attempt: Attempt) -> None:
        """Say once that there is trouble: to give up takes its time."""
        if attempt.action is Action.RETRY and not self.troubled:
            self.troubled = True
            tell(f"{attempt.response}; trying again")

    def interrupt(self) -> None:
        """End the run: the sender takes no more, and what it waits for it does not wait for.

        For a thread, so that the main one goes on reading the input in order, and no event gets
        lost between the input and the sender.
        """
        self.interrupted = True
        if self.sender is not None:
            self.sender.close(timeout=0.0)

    def interrupt_here(self) -> None:
        """Break off the reading of standard input; the second time, everything."""
        self.interrupted = True
        self._signals += 1
        if self._signals > 1 or self._reads_stdin:
            raise KeyboardInterrupt

    @contextmanager
    def closing(self, sender: Sender) -> Iterator[None]:
        """Closes the sender at the end, or at once when the run is interrupted."""
        self.sender = sender
        try:
            if self.interrupted:  # before there was a sender
                sender.close(timeout=0.0)
            yield
        finally:
            sender.close(timeout=0.0)

    def read(self, files: list[str] | None) -> Iterator[Event]:
        """The events in the files; of standard input no more once the run is interrupted."""
        for file in files or ["-"]:
            items = read_events(values_in([file]))
            while (item := self._next(items, is_stdin=file == "-")) is not None:
                if isinstance(item, ReadError):
                    self.unread += 1
                    complain(item)
                else:
                    yield item

    def _next(
        self, items: Iterator[Event | ReadError], *, is_stdin: bool
    ) -> Event | ReadError | None:
        if not is_stdin:
            return next(items, None)
        item = None
        try:
            self._reads_stdin = True
            if not self.interrupted:
                item = next(items, None)
            self._reads_stdin = False
        except KeyboardInterrupt:
            self._reads_stdin = False
        return item


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

    Ctrl-C ends it in order: what was not sent by then is reported and written, too. A second one
    breaks it off.
    """
    chosen = Current.load(current)
    if pending is not None:
        _try_out(pending)
    elif "-" in (files or ["-"]):
        now = time.strftime("%Y%m%dT%H%M%S")
        pending = Path(f"currents-export-pending-{now}-{os.getpid()}.jsonl")
    job = _Job()
    events = job.read(files)
    with on_interrupt(job.interrupt, here=job.interrupt_here):
        sender = _deliver(
            chosen,
            job,
            lambda sender: sender.send(events),
            batch_size=batch_size,
            max_age=max_age,
            concurrency=concurrency,
            timeout=timeout,
            pause_after=give_up_after or None,
        )
        rest = chain((job.not_taken,), events) if job.not_taken else events
        catalog = Catalog.load(chosen.schema_version)
        _conclude(sender, job, catalog=catalog, rest=rest, pending=pending, as_json=as_json)


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
    with on_interrupt(job.interrupt, here=job.interrupt_here):
        sender = _deliver(
            chosen,
            job,
            lambda sender: sender.send_test_events(lambda each: world.sample(each, time=now)),
            timeout=timeout,
            pause_after=give_up_after or None,
        )
        _conclude(sender, job, catalog=world.catalog, rest=iter(()), pending=None, as_json=as_json)


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


def _deliver(
    current: Current, job: _Job, work: Callable[[Sender], object], **options: Any
) -> Sender:
    """Let a sender do the work, wait until events have left or cannot, and close it."""
    with progress("delivered") as advance:
        hooks = Hooks(
            on_attempt=job.attempted,
            on_delivered=lambda _, ids: advance(len(ids)),
            on_dropped=job.drops.append,
            on_notice=lambda notice: tell(notice.message),
        )
        sender = Sender(current, hooks=hooks, **options)
        with job.closing(sender):
            try:
                work(sender)
            except InvalidEventsError as error:
                job.unread += len(error.problems)
                for problem in error.problems:
                    complain(problem)
            except NotTakenError as error:
                job.not_taken = error.event
            sender.flush()
    return sender


def _conclude(
    sender: Sender,
    job: _Job,
    *,
    catalog: Catalog,
    rest: Iterator[Event],
    pending: Path | None,
    as_json: bool,
) -> None:
    """Keep what was not sent, report, and exit with the code that says how it went."""
    result = sender.result
    unknown = {
        name: totals.filtered
        for name, totals in result.by_event_type.items()
        if name not in catalog and totals.filtered
    }
    problem = None
    if pending is None:
        not_taken = sum(1 for _ in rest)
    else:
        unsent, problem = _keep(chain(sender.pending(), rest), pending)
        not_taken = unsent - result.pending
    unsent = result.pending + not_taken
    kept = str(pending) if pending is not None and unsent and problem is None else None
    told = {
        "not_taken": not_taken,
        "unread": job.unread,
        "unknown_event_types": unknown,
        "interrupted": job.interrupted,
        "pending_file": kept,
        "drops": [drop._asdict() for drop in job.drops],
    }
    if as_json:
        print_json(result.to_dict() | told)
    else:
        print_result(result, job.drops)
        _say_what_is_left(not_taken, job.unread, kept)
    if unsent and pending is None:
        tell("--pending FILE keeps what could not be sent")
    _complain_of(unknown, catalog)
    if not result.accepted and not result.filtered:
        tell("there were no events to send")
    if problem is not None:
        complain(problem)
    if job.interrupted:
        raise typer.Exit(INTERRUPTED)
    if job.unread or unknown or problem is not None:
        raise typer.Exit(BAD_INPUT)
    if not result.complete or not_taken:
        raise typer.Exit(NOT_ALL)


def _say_what_is_left(not_taken: int, unread: int, kept: str | None) -> None:
    if not_taken:
        say(f"of the input, not taken any more: {not_taken:,}")
    if unread:
        say(f"of the input, not readable as events: {unread:,}")
    if kept is not None:
        say(f"what was not sent is in {kept}")


def _complain_of(unknown: dict[str, int], catalog: Catalog) -> None:
    for name, count in unknown.items():
        try:
            catalog[name]
        except UnknownNameError as error:
            complain(f"{error} ({count:,} of them not sent)")


def _try_out(path: Path) -> None:
    """See that a file can be written, before there is something to lose.

    Raises:
        OptionError: it cannot.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a directory")
        beside = _beside(path)
        beside.touch()
        beside.unlink()
    except OSError as error:
        raise OptionError(f"{path}: cannot be written: {error.strerror}") from error


def _beside(path: Path) -> Path:
    # The input may be the very file, and still be read from.
    return path.with_name(f"{path.name}.part")


def _keep(events: Iterator[Event], path: Path) -> tuple[int, str | None]:
    """Write events as JSON Lines, if there are any; how many there were, and what went wrong."""
    first = next(events, None)
    if first is None:
        return 0, None
    count, beside = 1, _beside(path)
    try:
        with beside.open("wb") as file:
            file.write(encode_event(first) + b"\n")
            for event in events:
                count += 1
                file.write(encode_event(event) + b"\n")
        beside.replace(path)
    except OSError as error:
        count += sum(1 for _ in events)
        problem = f"{path}: {count:,} events that were not sent could not be kept: {error.strerror}"
        return count, problem
    return count, None


def print_result(result: Result, drops: list[Drop], *, by_event_type: bool = True) -> None:
    """The account, for a person."""
    columns = ("accepted", "delivered", "dropped", "filtered", "pending")
    if by_event_type:
        print_table(
            {"event type": "left"} | dict.fromkeys(columns, "right"),
            (
                (name, *(getattr(totals, column) for column in columns))
                for name, totals in result.by_event_type.items()
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
        say(f"  {drop.event_type} {drop.id}: {drop.response or drop.reason}")
    if len(drops) > _MOST_DROPS:
        say(f"  and {len(drops) - _MOST_DROPS:,} more; --json has them all")
    if result.state is not State.ACTIVE or result.pending:
        say(f"the Current is {result.state.value}" + (f": {result.reason}" * bool(result.reason)))
