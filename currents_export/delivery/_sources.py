"""Which events of a source were accepted before, so that they are not accepted again.

A source is divided into blocks by position. Of each block, the outbox holds how many events were
accepted, and a digest of their ids; both are stored together with the events. If the source is read
again and the ids are the same, these events are skipped.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Mapping

from ..events import Event
from ._outbox import Block, Progress

__all__ = ["Unaccepted"]

#: How many events a block has.
_BLOCK = 1000


class Unaccepted:
    """Find the events of a source that were not accepted before.

    Args:
        source: the name of the source.
        blocks: what of it was accepted.

    Attributes:
        skipped: how many events were accepted before.
        held: events that were taken from the source, but not returned yet.
    """

    def __init__(self, source: str, blocks: Mapping[int, Block]) -> None:
        self.skipped = 0
        self.held: deque[Event] = deque()
        self._source = source
        self._blocks = blocks
        self._number = -1
        self._begin_block()

    def _begin_block(self) -> None:
        self._number += 1
        self._known = self._blocks.get(self._number)
        self._count = 0
        self._digest = hashlib.blake2b(digest_size=8)
        self._same = self._digest.copy()

    def take(self, event: Event) -> Iterator[tuple[Event, Progress]]:
        """Take the next event, and yield those that are now known not to be accepted before."""
        self.held.append(event)
        known = self._known
        if known is not None:
            _add(self._same, event)
            if len(self.held) < known.size:
                return
            self._known = None
            if self._same.digest() == known.digest:
                self.skipped += known.size
                self.held.clear()
                self._digest, self._count = self._same, known.size
                if self._count == _BLOCK:
                    self._begin_block()
        yield from self.release()

    def release(self) -> Iterator[tuple[Event, Progress]]:
        """Yield all events that are held, because the source has ended or is another one."""
        while self.held:
            event = self.held.popleft()
            _add(self._digest, event)
            self._count += 1
            block = Block(self._count, self._digest.digest())
            progress = Progress(self._source, self._number, block)
            if self._count == _BLOCK:
                self._begin_block()
            yield event, progress


def _add(digest: hashlib.blake2b, event: Event) -> None:
    event_id: object = getattr(event, "id", None)  # what is not an event is refused later
    digest.update(f"{event_id}\n".encode(errors="surrogatepass"))
