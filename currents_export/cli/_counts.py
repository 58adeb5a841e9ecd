"""Print a receiver's counts."""

from __future__ import annotations

from ..receiver import Counts, FindingCount
from ..receiver.rudderstack import GatewayCounts, MessageCounts, VanishReason
from ._streams import print_line
from ._tables import print_table
from ._wording import counted

__all__ = ["print_counts"]

#: How many kinds of findings the text output shows; JSON has all of them.
_MOST_FINDINGS = 20


def print_counts(counts: Counts | MessageCounts) -> None:
    """Print what a receiver has seen."""
    responses = ", ".join(f"{count:,} x {status}" for status, count in counts.by_status.items())
    print_line(f"{counted(counts.requests, 'request')}{f': {responses}' if responses else ''}")
    if isinstance(counts, GatewayCounts):
        _print_gateway(counts)
    elif isinstance(counts, MessageCounts):
        print_line(
            f"{counted(counts.messages, 'message')}, {counted(counts.duplicates, 'duplicate')}"
        )
    else:
        _print_events(counts)


def _print_gateway(counts: GatewayCounts) -> None:
    vanished = sum(counts.vanished.values())
    print_line(
        f"{counted(counts.events, 'event')}: {counted(counts.messages, 'message')} "
        f"({counted(counts.duplicates, 'duplicate')}), {vanished:,} vanished, "
        f"{counts.suppressed:,} suppressed"
    )
    if counts.delivered or counts.given_up or counts.waiting:
        print_line(
            f"forwarded: {counts.delivered:,} delivered, {counts.given_up:,} given up, "
            f"{counts.waiting:,} not delivered yet"
        )
    if counts.vanished:
        print_table(
            {"count": "right", "why events vanished": ""},
            ((count, VanishReason(code).description) for code, count in counts.vanished.items()),
        )


def _print_events(counts: Counts) -> None:
    print_line(
        f"{counted(counts.events, 'event')}, {counted(counts.duplicates, 'duplicate')}; "
        f"{counted(counts.errors, 'conformance error')}, {counted(counts.warnings, 'warning')}"
    )
    if counts.findings:
        print_table(
            {"count": "right", "level": "", "event type": "", "field": "", "finding": ""},
            (_row(each) for each in counts.findings[:_MOST_FINDINGS]),
        )
    if (more := len(counts.findings) - _MOST_FINDINGS) > 0:
        print_line(f"and {counted(more, 'more kind')}; --json has all of them")


def _row(finding: FindingCount) -> tuple[object, ...]:
    what = f"{finding.problem}; {finding.expected}"
    return finding.count, finding.level, finding.event_type or "", finding.field, what
