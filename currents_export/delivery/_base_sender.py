"""What the two faces of delivery have in common: all but how they wait.

The methods are steps: see `_steps.py`.
"""

from __future__ import annotations

import atexit
import os
import ssl
import weakref
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path

import httpx
import orjson

from .._logs import Log
from ..catalog import EventType
from ..current import Current
from ..destinations import CredentialsCheck
from ..errors import CurrentError
from ..events import Event
from ..payload import BATCH_SIZE, EMPTY_BODY
from ._backoff import Policy, Stop, Wait
from ._connections import Connections
from ._core import Core
from ._endpoint import Endpoint
from ._engine import Engine
from ._options import (
    Durability,
    check_counts,
    check_durability,
    check_rates,
    check_seconds,
    check_strategies,
)
from ._outbox import Outbox
from ._quota import Allowance, day_of
from ._reports import Reports
from ._revision import form_of, revise
from ._room import Room
from ._scheduler import Scheduler
from ._sending import Sending, StoredSending
from ._sources import Unaccepted
from ._steps import Steps
from .clock import Clock, SystemClock
from .hooks import Hooks
from .result import Result

__all__ = ["BaseSender"]

_log = Log("delivery")

#: Seconds that requests in flight still get when a sender is closed.
_LAST_CHANCE = 1.0


class BaseSender:
    """The part of a sender that does not depend on how its callers wait.

    The arguments are those of `Sender`.
    """

    def __init__(
        self,
        current: Current,
        *,
        batch_size: int = BATCH_SIZE,
        max_age: float = 300.0,
        max_pending_events: int = 20_000,
        max_pending_bytes: int = 64 * 2**20,
        wait: Wait | None = None,
        stop: Stop | None = None,
        concurrency: int = 2,
        rate: float | None = None,
        timeout: float = 30.0,
        max_retry_after: float = 3600.0,
        pause_after: float | None = None,
        hooks: Hooks | None = None,
        ssl_context: ssl.SSLContext | None = None,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
        outbox: Path | str | None = None,
        durability: Durability | str = Durability.PROCESS,
    ) -> None:
        check_counts(
            batch_size=batch_size,
            max_pending_events=max_pending_events,
            max_pending_bytes=max_pending_bytes,
            concurrency=concurrency,
        )
        check_seconds(max_age=max_age, timeout=timeout, max_retry_after=max_retry_after)
        if pause_after is not None:
            check_seconds(pause_after=pause_after)
        if rate is not None:
            check_rates(rate=rate)
        check_strategies(wait=wait, stop=stop)
        durability = check_durability(durability)
        self._clock = clock or SystemClock()
        self._began = self._clock.now()
        self._connections = Connections(
            current,
            partial(
                Endpoint,
                timeout=timeout,
                max_retry_after=max_retry_after,
                transport=transport,
                ssl_context=ssl_context,
            ),
        )
        allowance = None
        if current.test_current:
            allowance = Allowance(batch_size=batch_size, workspace=current.workspace)
        self._core = Core(
            Scheduler(
                batch_size=batch_size,
                max_age=max_age,
                room=Room(max_pending_events, max_pending_bytes, len(current.selected)),
                concurrency=concurrency,
                rate=rate,
                allowance=allowance,
            ),
            pause_after=pause_after,
        )
        self._allowance = allowance
        connections, hooks = self._connections, self._wrap_hooks(hooks or Hooks())
        self._engine = Engine(
            self._core,
            connections,
            Policy(wait, stop),
            self._clock,
            concurrency=concurrency,
            reports=lambda calls: Reports(calls, hooks, lambda: connections.current),
        )
        self._outbox: Outbox | None = None
        self._open_outbox = None if outbox is None else partial(_open_outbox, outbox, durability)
        self._kept_in = "" if outbox is None else f"kept in {outbox}"
        self._prepare()
        self._exit_check = partial(
            _check_at_exit, weakref.ref(self._engine), repr(self), os.getpid(), self._kept_in
        )
        atexit.register(self._exit_check)

    def __repr__(self) -> str:
        current = self._connections.current
        return f"<{type(self).__name__} of {current.integration_name!r} to {current.shown_url}>"

    def _prepare(self) -> None:
        """Read certificates and open the outbox, which takes time.

        Raises:
            CurrentsExportError: no request can be sent, or the outbox cannot be used.
        """
        current = self._connections.current
        self._connections.use(current)
        if self._allowance is not None and current.workspace is not None:
            self._share_quota(current, current.workspace, self._allowance)
        if self._open_outbox is not None:
            self._outbox = outbox = self._open_outbox(current)
            if self._allowance is not None and current.workspace is None:
                self._allowance.count_before(outbox.days, self._clock.now())
            self._engine.use_outbox(outbox, partial(revise, current) if outbox.outdated else None)

    def _share_quota(self, current: Current, workspace: str, allowance: Allowance) -> None:
        from ._quota_file import WorkspaceFile  # noqa: PLC0415 - SQLite is loaded only where needed

        now = self._clock.now()
        file = WorkspaceFile(current.workspace_file, workspace, current.integration_name)
        allowance.count_before({day_of(now): file.enter(now)}, now)
        self._engine.use_workspace(file, allowance)

    def _wrap_hooks(self, hooks: Hooks) -> Hooks:
        """Return the hooks as the engine calls them."""
        return hooks

    def _until(self, timeout: float | None) -> float | None:
        return None if timeout is None else self._clock.now() + timeout

    def _sending(
        self, events: object, *, block: bool, timeout: float | None, source: str | None
    ) -> Steps[Sending]:
        self._engine.check_process()
        engine, connections, single = self._engine, self._connections, isinstance(events, Event)
        if (outbox := self._outbox) is None:
            until = self._until(timeout)
            return Sending(engine, connections, single=single, block=block, until=until)
        engine.check_open()
        unaccepted = None
        if source is not None:
            engine.start()  # it reads the file
            blocks = yield from engine.ask(lambda: outbox.blocks(source))
            unaccepted = Unaccepted(source, blocks)
        return StoredSending(
            engine,
            connections,
            single=single,
            block=block,
            rereads=isinstance(events, Event | list | tuple),
            unaccepted=unaccepted,
            skip=self._core.ledger.skip,
        )

    def _flush(self, timeout: float | None) -> Steps[Result]:
        self._engine.check_process()
        until = self._until(timeout)
        yield from self._engine.flush(until)
        yield from self._engine.hook_calls.wait(until)
        self._connections.raise_failure()
        return (yield from self._result())

    def _close(self, timeout: float | None) -> Steps[Result]:
        engine, clock = self._engine, self._clock
        engine.check_process()
        until = self._until(timeout)
        if timeout is None or timeout > 0:
            yield from engine.flush(until, urgent=True)
            yield from engine.hook_calls.wait(until)
            engine.close()
            yield from engine.flush(until)
        yield from engine.stop(_LAST_CHANCE)
        last = clock.now() + _LAST_CHANCE
        yield from engine.hook_calls.wait(None if until is None else max(until, last))
        atexit.unregister(self._exit_check)
        result = yield from self._result()
        write = _log.warning if result.pending else _log.info
        totals = {name: getattr(result, name) for name in ("accepted", "delivered", "dropped")}
        kept = f", {self._kept_in}" if self._kept_in and result.pending else ""
        write(
            "closed",
            "%r closed with %d events pending%s",
            self,
            result.pending,
            kept,
            pending=result.pending,
            **totals,
        )
        self._connections.raise_failure()
        return result

    def _pause(self) -> Steps[None]:
        self._engine.check_process()
        self._engine.check_open()
        self._engine.start()  # for the notice
        now = self._clock.now()
        yield from self._engine.ask(lambda: self._core.halt("by request", now))
        yield from self._engine.be_noted()

    def _use(self, current: Current) -> None:
        """Use another form; this may read certificates, which takes time. `_edit` must follow."""
        self._engine.check_process()
        self._engine.check_open()
        for name in ("test_current", "workspace", "workspace_file"):
            if getattr(current, name) != getattr(self._connections.current, name):
                raise CurrentError([(name, "it cannot be edited; make another sender for it")])
        revised = form_of(self._connections.current) != form_of(current)
        self._connections.use(current, revised=revised)
        self._engine.start()  # for the log
        url = current.shown_url
        self._engine.hook_calls.add(partial(_log.info, "edited", "%r was edited", self, url=url))

    def _edit(self) -> Steps[None]:
        current, revision = self._connections.form
        edit = partial(
            self._core.edit,
            partial(revise, current),
            revision=revision,
            types=len(current.selected),
        )
        yield from self._engine.ask(edit)
        if (outbox := self._outbox) is not None:
            yield from self._engine.ask(lambda: outbox.use(current))

    def _resume(self) -> Steps[None]:
        self._engine.check_process()
        self._engine.check_open()
        if self._outbox is not None:  # which may have kept a pause
            self._engine.start()  # for the notice
        yield from self._edit()
        now, types = self._clock.now(), len(self._connections.current.selected)
        yield from self._engine.ask(lambda: self._core.resume(now, types=types))
        yield from self._engine.be_noted()

    def _result(self) -> Steps[Result]:
        self._engine.check_process()
        now = self._clock.now()
        return (yield from self._engine.ask(lambda: self._result_at(now)))

    def _result_at(self, now: float) -> Result:
        ledger, status = self._core.ledger, self._core.status
        by_event_type = ledger.totals_by_type()
        sums = {
            name: sum(getattr(totals, name) for totals in by_event_type.values())
            for name in ("accepted", "delivered", "dropped", "filtered", "pending")
        }
        return Result(
            **sums,
            requests=ledger.requests,
            retries=ledger.retries,
            duration_s=now - self._began,
            by_event_type=by_event_type,
            drop_reasons=dict(ledger.drop_reasons),
            filter_reasons=dict(ledger.filter_reasons),
            state=status.state,
            reason=status.reason,
            hook_failures=self._engine.hook_calls.failures,
            carried_over=self._core.carried_over,
            skipped=ledger.skipped,
            quota=None if self._allowance is None else self._allowance.quota(now),
        )

    def _pending(self) -> Steps[Iterator[Event]]:
        self._engine.check_process()
        scheduler, outbox = self._core.scheduler, self._outbox
        queued, keys = yield from self._engine.ask(
            lambda: (scheduler.pending_events(), scheduler.loaded_keys())
        )
        texts = [each.original or each.body for each in queued]
        stored = outbox.pending_after(keys) if outbox is not None and keys else ()
        return (Event.from_dict(orjson.loads(each)) for each in chain(texts, stored))

    def _selected_types(self) -> list[EventType]:
        current = self._connections.current
        return [each for each in current.catalog.event_types if each.name in current.selected]

    def _check_credentials(self) -> CredentialsCheck:
        """Check the credentials; this blocks."""
        self._engine.check_process()
        response = self._connections.post(EMPTY_BODY)
        self._connections.raise_failure()
        destination = self._connections.current.destination
        return destination.judge(response.status, response.text)


def _open_outbox(path: Path | str, durability: Durability, current: Current) -> Outbox:
    from .outbox import SqliteOutbox  # noqa: PLC0415 - SQLite is loaded only where it is used

    return SqliteOutbox(path, current, power=durability is Durability.POWER)


def _check_at_exit(
    reference: weakref.ReferenceType[Engine], name: str, process: int, kept_in: str
) -> None:
    # A weak reference, because the interpreter would otherwise keep every sender alive.
    engine = reference()
    if engine is None or os.getpid() != process:
        return
    if pending := engine.count_pending():
        where = kept_in or "lost"
        _log.error(
            "not_closed", "%s was not closed; %d pending events are %s", name, pending, where
        )
