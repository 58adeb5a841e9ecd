"""The room for pending events: how much there is, and how much of it an event type may take.

One half of the room is divided equally among the event types of the Current, and no type can take
another's part. The other half is common: the first to come takes it. So there are never more
pending events than the limit, and yet a type that fails leaves every other type its part.
"""

from __future__ import annotations

import attrs

__all__ = ["Room"]


@attrs.define
class _Budget:
    """A limit, on events or on bytes.

    Attributes:
        limit: the limit.
        types: the number of event types that share it.
        used: how much is taken.
        in_parts: how much of that is in the parts of the types, and not in the common half.
        promised: how much is kept free for admissions that do not wait for their result.
    """

    limit: int
    types: int
    used: int = 0
    in_parts: int = 0
    promised: int = 0

    @property
    def part(self) -> int:
        """What belongs to each type."""
        return self.limit // (2 * self.types)

    @property
    def common(self) -> int:
        """What any type can still take; below 0 if the division has changed."""
        # Types that the Current does not select have parts, too, if it sends unknown types.
        parts = max(self.types * self.part, self.in_parts)
        return self.limit - parts - (self.used - self.in_parts) - self.promised

    def fits(self, held: int, amount: int) -> bool:
        """Return whether a type that holds so much may take an amount."""
        return amount <= self.common or amount <= self.free(held)

    def free(self, held: int) -> int:
        """Return how much a type that holds so much may take; below 0 if it holds too much."""
        own = max(self.part - held, 0)
        return min(own + max(self.common, 0), self.limit - self.used - self.promised)

    def change(self, before: int, after: int) -> None:
        """Let a type hold another amount."""
        part = self.part
        self.used += after - before
        self.in_parts += min(after, part) - min(before, part)


class Room:
    """What the event types hold, and may take.

    Args:
        events: how many events may be pending.
        size: how many bytes of JSON may be pending. An event that is larger than what is left still
            fits if its type holds nothing.
        types: the number of event types of the Current.

    Attributes:
        events: the limit on events.
        bytes: the limit on bytes.
    """

    def __init__(self, events: int, size: int, types: int) -> None:
        self.events = _Budget(events, types)
        self.bytes = _Budget(size, types)
        self._held: dict[str, tuple[int, int]] = {}

    def divide(self, types: int) -> None:
        """Divide the room among another number of event types.

        A part may be taken by what other types hold from before, until that is delivered.
        """
        for place, budget in enumerate((self.events, self.bytes)):
            budget.types = types
            held = [each[place] for each in self._held.values()]
            budget.in_parts = sum([min(each, budget.part) for each in held])

    def fits(self, event_type: str, size: int) -> bool:
        """Return whether an event of this type and size may be added."""
        held, held_bytes = self._held.get(event_type, (0, 0))
        return self.events.fits(held, 1) and (not held or self.bytes.fits(held_bytes, size))

    def fits_any(self, count: int, size: int) -> bool:
        """Return whether this number of events may be added, whatever their types."""
        return count <= self.events.common and size <= self.bytes.common

    def free(self, event_type: str) -> int:
        """Return how many events of this type may be added, whatever their size."""
        held, _ = self._held.get(event_type, (0, 0))
        return max(self.events.free(held), 0)

    def is_over_part(self, event_type: str) -> bool:
        """Return whether the type takes some of the common room."""
        held, held_bytes = self._held.get(event_type, (0, 0))
        return held > self.events.part or held_bytes > self.bytes.part

    def add(self, event_type: str, count: int, size: int) -> None:
        """Let a type hold more events; a negative number lets it hold fewer."""
        held, held_bytes = self._held.get(event_type, (0, 0))
        self._held[event_type] = (held + count, held_bytes + size)
        self.events.change(held, held + count)
        self.bytes.change(held_bytes, held_bytes + size)

    def promise(self, events: int, size: int) -> None:
        """Keep this number of events and bytes free in the common half."""
        self.events.promised = events
        self.bytes.promised = size
