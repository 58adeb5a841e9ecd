"""What should arrive of one id, from the rows of what was sent."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ._rows import DROPPED, Sent

__all__ = ["Case"]


@attrs.frozen
class Case:
    """What was sent with one id.

    Attributes:
        copies: how many events were sent with the id; each attempt with a 2XX is one.
        accepted: how many of them got a 2XX; 0 if no record says so.
        expected: how many should arrive; 0 if a rule keeps them from arriving.
        allowed: how many may arrive before an arrival is a duplicate.
        failed: how many attempts got no 2XX.
        tries: the rows of what should arrive.
        ruled_out: the rows of what should not: filtered, or vanishing.
        drops: the rows of what the sender dropped.
    """

    copies: int
    accepted: int
    expected: int
    allowed: int
    failed: int
    tries: Sequence[Sent]
    ruled_out: Sequence[Sent]
    drops: Sequence[Sent]

    @classmethod
    def of_events(cls, rows: Sequence[Sent]) -> Case:
        """Return the case of sent events: each was sent, and should arrive unless by rule."""
        tries = [row for row in rows if row.reason is None]
        ruled_out = [row for row in rows if row.reason is not None]
        return cls(len(rows), 0, len(tries), len(rows), 0, tries, ruled_out, ())

    @classmethod
    def of_record(cls, rows: Sequence[Sent]) -> Case:
        """Return the case of a record's lines.

        An attempt without a 2XX is an event only if there is no other: the sender sends it again
        until it is accepted or dropped.
        """
        attempts = [row for row in rows if row.is_accepted is not None]
        drops = [row for row in rows if row.reason is not None and row.reason >= DROPPED]
        filtered = [row for row in rows if row.is_accepted is None and row not in drops]
        accepted = sum(bool(row.is_accepted) for row in attempts)
        sent = accepted or int(bool(attempts) and not drops)
        tries = [row for row in attempts if row.reason is None]
        vanished = [row for row in attempts if row.reason is not None]
        return cls(
            copies=sent + len(drops) + len(filtered),
            accepted=accepted,
            expected=sent if tries else 0,
            allowed=max(sent, 1),
            failed=len(attempts) - accepted,
            tries=tries,
            ruled_out=[*filtered, *vanished[: max(sent, 1)]],
            drops=drops,
        )
