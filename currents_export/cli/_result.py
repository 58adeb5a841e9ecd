"""Print a sender's result."""

from __future__ import annotations

from collections.abc import Sequence

from ..delivery import Drop, Result, State
from ._colors import failed
from ._streams import print_line
from ._tables import print_table
from ._wording import counted

__all__ = ["print_result"]

#: How many dropped events the text output lists; JSON has all of them.
_MOST_DROPS = 10


def print_result(result: Result, drops: Sequence[Drop], *, by_event_type: bool = True) -> None:
    """Print totals, reasons and the first dropped events.

    The table by event type has no columns for what did not happen.
    """
    columns = ("accepted", "delivered", "dropped", "filtered", "pending")
    if by_event_type:
        shown = [*columns[:2], *(each for each in columns[2:] if getattr(result, each))]
        print_table(
            {"event type": "left"} | dict.fromkeys(shown, "right"),
            (
                (name, *(getattr(totals, column) for column in shown))
                for name, totals in result.by_event_type.items()
            ),
        )
        print_line()
    print_line(", ".join(f"{column} {getattr(result, column):,}" for column in columns))
    print_line(
        f"{counted(result.requests, 'request')}, {counted(result.retries, 'retry', 'retries')}, "
        f"{result.duration_s:.2f} s"
    )
    if result.quota is not None:
        print_line(f"Test Current: {result.quota.text}")
    if result.carried_over:
        print_line(f"accepted before, and pending in the outbox: {result.carried_over:,}")
    if result.skipped:
        print_line(f"accepted before, and not accepted again: {result.skipped:,}")
    for reason, count in result.drop_reasons.items():
        print_line(failed(f"dropped {count:,}: {reason.description}"))
    for why, count in result.filter_reasons.items():
        print_line(f"filtered {count:,}: {why.description}")
    for drop in drops[:_MOST_DROPS]:
        cause = drop.response or drop.reason.description
        print_line(failed(f"  {drop.event_type} {drop.id}: {cause}"))
    if len(drops) > _MOST_DROPS:
        print_line(f"  and {len(drops) - _MOST_DROPS:,} more; --json has them all")
    if result.state is State.ACTIVE and result.pending and result.quota and not result.quota.left:
        print_line("nothing more is sent until the quota resets")
    elif result.state is not State.ACTIVE or result.pending:
        because = f": {result.reason}" if result.reason else ""
        line = f"the Current is {result.state}{because}"
        print_line(line if result.state is State.ACTIVE else failed(line))
