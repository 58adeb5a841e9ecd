"""Read what is in an outbox, whoever uses it."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from ...errors import OutboxError
from .._ledger import Drop
from .._outbox import Loaded
from .._quota import day_of
from .._status import Status
from ..reasons import DropReason
from ._database import TYPE_BITS, reading
from ._lock import Lock, holder_of
from ._rows import each_row
from ._state import Destination, Totals, read_status

__all__ = ["Contents", "TypeContents", "export_events", "read_contents"]


@attrs.frozen
class TypeContents:
    """What an outbox holds, and did, for one event type.

    Attributes:
        accepted: all events that it accepted.
        delivered: those that were delivered.
        dropped: those that will not be delivered.
        pending: those that it holds.
        oldest: when the oldest of these was accepted; None if there is none.
    """

    accepted: int
    delivered: int
    dropped: int
    pending: int
    oldest: float | None


@attrs.frozen
class Contents:
    """What is in an outbox.

    Attributes:
        path: the file.
        integration_name: the name of its Current.
        url: where its events are sent; secrets are masked.
        by_event_type: totals by event type, in alphabetical order.
        status: whether the Current is active, paused or disabled, and since when.
        drop_reasons: how many events were dropped, by reason.
        drops: the latest dropped events.
        delivered_today: events delivered on this day in UTC.
        holder: the process that uses it, in words; None if none does.
        bytes: the size of the file.
    """

    path: Path
    integration_name: str
    url: str
    by_event_type: Mapping[str, TypeContents]
    status: Status
    drop_reasons: Mapping[DropReason, int]
    drops: tuple[Drop, ...]
    delivered_today: int
    holder: str | None
    bytes: int

    @property
    def pending(self) -> int:
        """How many events it holds."""
        return sum(each.pending for each in self.by_event_type.values())

    @property
    def oldest(self) -> float | None:
        """When the oldest of these was accepted; None if there is none."""
        times = [each.oldest for each in self.by_event_type.values() if each.oldest is not None]
        return min(times, default=None)

    def to_dict(self) -> dict[str, Any]:
        """Return them as a JSON object; times are seconds since the Unix epoch."""
        status = self.status
        return {
            "path": str(self.path),
            "integration_name": self.integration_name,
            "url": self.url,
            "pending": self.pending,
            "oldest": self.oldest,
            "state": status.state.value,
            "reason": status.reason,
            "since": status.since,
            "failing_since": status.began_failing,
            "by_event_type": {
                name: attrs.asdict(each) for name, each in self.by_event_type.items()
            },
            "drop_reasons": {each.value: count for each, count in self.drop_reasons.items()},
            "drops": [each._asdict() for each in self.drops],
            "delivered_today": self.delivered_today,
            "holder": self.holder,
            "bytes": self.bytes,
        }


def read_contents(path: Path | str, now: float) -> Contents:
    """Return what is in an outbox, without changing it; another process may use it.

    Args:
        path: the file.
        now: the time, in seconds since the Unix epoch.

    Raises:
        OutboxError: it cannot be read.
    """
    file = Path(path).expanduser().resolve()
    with reading(file) as connection:
        connection.execute("BEGIN")  # all that follows is from the same moment
        state = {
            name.decode(): value
            for name, value in connection.execute("SELECT name, value FROM state")
        }
        try:
            totals = Totals.from_json(state.get("totals", b"{}"))
            status = read_status(state.get("status"))
            destination = (
                Destination.from_json(state["destination"])
                if "destination" in state
                else Destination("", "", "")
            )
            numbers = _numbers(connection)
            reasons = _reasons(totals)
            drops = tuple(
                Drop(kind.decode(), event_id.decode(), DropReason(reason.decode()), text.decode())
                for kind, event_id, reason, text in connection.execute(
                    "SELECT event_type, id, reason, response FROM drops ORDER BY number"
                )
            )
        except (ValueError, KeyError, TypeError) as error:
            raise OutboxError("the file is damaged", path=file) from error
        pending = totals.pending()
        by_type = {
            name: TypeContents(
                accepted,
                delivered,
                totals.dropped(name),
                pending.get(name, 0),
                _oldest(connection, numbers[name]) if name in pending else None,
            )
            for name, (accepted, delivered) in sorted(totals.by_type.items())
        }
    return Contents(
        path=file,
        integration_name=destination.integration_name,
        url=destination.url,
        by_event_type=by_type,
        status=status,
        drop_reasons=reasons,
        drops=drops,
        delivered_today=totals.days.get(day_of(now), 0),
        holder=_holder(file),
        bytes=file.stat().st_size,
    )


def _numbers(connection: sqlite3.Connection) -> dict[str, int]:
    rows = connection.execute("SELECT name, number FROM types ORDER BY number")
    return {name.decode(): number for name, number in rows}


def _reasons(totals: Totals) -> dict[DropReason, int]:
    reasons: dict[DropReason, int] = {}
    for counts in totals.drops.values():
        for code, count in counts.items():
            reason = DropReason(code)
            reasons[reason] = reasons.get(reason, 0) + count
    return reasons


def _oldest(connection: sqlite3.Connection, number: int) -> float | None:
    (at_ms,) = connection.execute(
        "SELECT at_ms FROM events WHERE key > ? AND key < ? ORDER BY key LIMIT 1",
        (number << TYPE_BITS, (number + 1) << TYPE_BITS),
    ).fetchone() or (None,)
    return None if at_ms is None else at_ms / 1000


def _holder(path: Path) -> str | None:
    file = Path(f"{path}.lock")
    if not file.exists():
        return None
    try:
        lock = Lock(file)
    except OSError:  # not ours to try: a file in a directory of someone else
        return holder_of(file)
    if not lock.held:
        return holder_of(file)
    lock.release()
    return None


def export_events(path: Path | str, *, after: Mapping[str, int] | None = None) -> Iterator[Loaded]:
    """Yield the pending events, type by type; the body of a damaged one is None.

    Of a type that SQLite cannot read to its end because the file is damaged, the last events come
    in reverse order.

    Args:
        path: the file.
        after: the keys after which to begin, by event type; a type that is missing is left out.
            All events by default.

    Raises:
        OutboxError: the file cannot be opened, or some of it could not be read; this is raised at
            the end.
    """
    file = Path(path).expanduser().resolve()
    with reading(file) as connection:
        unread = False
        for name, number in _numbers(connection).items():
            if after is not None and name not in after:
                continue
            first = max((after or {}).get(name, 0), number << TYPE_BITS)
            before = (number + 1) << TYPE_BITS
            try:
                for each in each_row(connection, first, before):
                    yield each
                    first = each.key
            except sqlite3.DatabaseError:
                unread = True
                # What comes after the damaged part can be read from the other end.
                with contextlib.suppress(sqlite3.DatabaseError):
                    yield from each_row(connection, first, before, backwards=True)
    if unread:
        raise OutboxError("the file is damaged, and some events could not be read", path=file)
