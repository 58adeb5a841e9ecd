"""What the engine asks of an outbox, and what an outbox returns.

An outbox keeps accepted events outside of the process. The engine uses it in four places: it stores
events before it accepts them, notes what became of them after each response, loads events that
there was no room for, and closes it at the end. Without an outbox, none of this happens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import attrs

from ..current import Current
from ..payload import MAX_EVENT_BYTES
from ._batches import Entry
from ._ledger import Drop
from ._status import Status
from .reasons import DropReason

__all__ = ["Block", "Loaded", "Notes", "Outbox", "Progress"]


class Block(NamedTuple):
    """How much of a block of a source's events was accepted.

    Attributes:
        size: how many events, from its beginning.
        digest: a digest of their ids.
    """

    size: int
    digest: bytes


class Progress(NamedTuple):
    """Up to where the events of a source are accepted.

    Attributes:
        source: the name of the source.
        number: the number of the block.
        block: what of this block is accepted.
    """

    source: str
    number: int
    block: Block


class Loaded(NamedTuple):
    """An event that an outbox holds.

    Attributes:
        key: its key.
        id: its id.
        body: its JSON as it is sent; None if what the outbox holds is damaged.
        original: its JSON before field transformations; None if they changed nothing.
        at: when it was accepted.
    """

    key: int
    id: str
    body: bytes | None
    original: bytes | None
    at: float

    @property
    def problem(self) -> DropReason | None:
        """Why it cannot be sent, if it cannot."""
        if self.body is None:
            return DropReason.DAMAGED
        # Such an event is dropped when it comes, but the process may end before that is noted.
        return DropReason.TOO_LARGE if len(self.body) > MAX_EVENT_BYTES else None


@attrs.define
class Notes:
    """What became of accepted events since the last notes.

    Attributes:
        keys: the keys of the events that are delivered or dropped.
        delivered: how many were delivered, by type.
        drops: those that were dropped.
        status: the status, if it has changed.
    """

    keys: list[int] = attrs.field(factory=list)
    delivered: Counter[str] = attrs.field(factory=Counter)
    drops: list[Drop] = attrs.field(factory=list)
    status: Status | None = None

    def __bool__(self) -> bool:
        return bool(self.keys or self.delivered or self.drops or self.status)

    def add(self, later: Notes) -> None:
        """Add later notes."""
        self.keys += later.keys
        self.delivered += later.delivered
        self.drops += later.drops
        self.status = later.status or self.status


class Outbox(Protocol):
    """Accepted events outside of the process; its methods may be called by any thread.

    Attributes:
        pending: how many events it held when it was opened, by type.
        status: the status that was noted last.
        days: how many were delivered on the last day in UTC on which there were any, by that day.
        outdated: whether they were stored under another form of the Current.
        group: about how many events are best stored together.
    """

    pending: Mapping[str, int]
    status: Status
    outdated: bool
    group: int

    @property
    def days(self) -> Mapping[str, int]: ...

    def store(
        self,
        entries: Sequence[Entry],
        progress: Sequence[Progress],
        now: float,
        *,
        outdated: bool = False,
    ) -> Sequence[int]:
        """Store events, all or none, and return their keys.

        Args:
            entries: the events.
            progress: how far the sources are accepted with these events.
            now: the time.
            outdated: whether they may have another form than that of the Current.

        Raises:
            NotStoredError: the events could not be stored.
        """
        ...

    def note(self, notes: Notes, now: float) -> None:
        """Note what became of events; what cannot be noted now is noted later."""
        ...

    def load(self, event_type: str, after: int, count: int) -> Sequence[Loaded]:
        """Return up to `count` events of a type whose keys are greater than `after`, in order."""
        ...

    def pending_after(self, keys: Mapping[str, int]) -> Iterator[bytes]:
        """Yield the JSON of the events of some types after these keys, as it was accepted."""
        ...

    def blocks(self, source: str) -> Mapping[int, Block]:
        """Return what of a source is accepted, by the number of the block."""
        ...

    def use(self, current: Current) -> None:
        """Belong to another Current from now on."""
        ...

    def close(self, now: float) -> None:
        """Note what is left, and let another process use it."""
        ...

    @property
    def is_mine(self) -> bool:
        """Whether this thread is using it at this moment."""
        ...

    def __str__(self) -> str:
        """Return its name for messages."""
        ...
