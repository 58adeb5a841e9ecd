"""Print a receiver's counts."""

from __future__ import annotations

from ..receiver import Counts, FindingCount
from ._streams import print_line
from ._tables import print_table

__all__ = ["print_counts"]

#: How many kinds of findings the text output shows; JSON has all of them.
_MOST_FINDINGS = 20


def print_counts(counts: Counts) -> None:
    """Print what a receiver has seen."""
    responses = ", ".join(f"{count:,} x {status}" for status, count in counts.by_status.items())
    print_line(f"{counts.requests:,} requests{f': {responses}' if responses else ''}")
    print_line(
        f"{counts.events:,} events, {counts.duplicates:,} of them duplicates; "
        f"{counts.errors:,} conformance errors, {counts.warnings:,} warnings"
    )
    if counts.findings:
        print_table(
            {"count": "right", "level": "", "event type": "", "field": "", "finding": ""},
            (_row(each) for each in counts.findings[:_MOST_FINDINGS]),
        )
    if len(counts.findings) > _MOST_FINDINGS:
        print_line(f"and {len(counts.findings) - _MOST_FINDINGS:,} more kinds; --json has them all")


def _row(finding: FindingCount) -> tuple[object, ...]:
    what = f"{finding.problem}; {finding.expected}"
    return finding.count, finding.level, finding.event_type or "", finding.field, what
