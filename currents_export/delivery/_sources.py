"""Which events of a source were accepted before, so that they are not accepted again.

A source is divided into blocks by position. Of each block, the outbox holds how many events were
accepted, and a digest of their ids; both are stored together with the events. If the source is read
again and the ids are the same, these events are skipped.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from ..events import Event
from ._outbox import Block, Progress

__all__ = ["Unaccepted"]

#: How many events a block has.
_BLOCK = 1000


class Unaccepted:
    """An iterator over the events of a source that were not accepted before.

    Args:
        events: all events of the source.
        source: its name.
        blocks: what of it was accepted.

    Attributes:
        skipped: how many events were accepted before.
        held: events that it has read from the source, but not returned yet.
    """

    def __init__(self, events: Iterable[Event], source: str, blocks: Mapping[int, Block]) -> None:
        self.skipped = 0
        self.held: deque[Event] = deque()
        self._items = self._read(iter(events), source, blocks)

    def __iter__(self) -> Iterator[tuple[Event, Progress]]:
        return self._items

    def _read(
        self, events: Iterator[Event], source: str, blocks: Mapping[int, Block]
    ) -> Iterator[tuple[Event, Progress]]:
        number, ended = 0, False
        while not ended:
            digest, count = hashlib.blake2b(digest_size=8), 0
            if (known := blocks.get(number)) is not None:
                same = digest.copy()
                for event in islice(events, known.size):
                    self.held.append(event)
                    _add(same, event)
                if len(self.held) == known.size and same.digest() == known.digest:
                    self.skipped += known.size
                    self.held.clear()
                    digest, count = same, known.size
            while count < _BLOCK:
                if self.held:
                    event = self.held.popleft()
                else:
                    try:
                        event = next(events)
                    except StopIteration:
                        ended = True
                        break
                _add(digest, event)
                count += 1
                yield event, Progress(source, number, Block(count, digest.digest()))
            number += 1


def _add(digest: hashlib.blake2b, event: Event) -> None:
    event_id: object = getattr(event, "id", None)  # what is not an event is refused later
    digest.update(f"{event_id}\n".encode(errors="surrogatepass"))
