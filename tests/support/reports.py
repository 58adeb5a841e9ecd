"""Reports of comparisons, made without one."""

from __future__ import annotations

from typing import Any

import attrs

from currents_export.verification import (
    Altered,
    Bar,
    Caused,
    Delays,
    Example,
    FindingKind,
    Findings,
    Pair,
    Rates,
    Report,
    Stages,
    Through,
)
from tests.support.events import CLICK, OPEN, SEND

__all__ = ["EMAIL", "full_report", "hostile_report", "message", "pair", "right_report"]

#: Personal data that only a report with personal data shows.
EMAIL = "ada.lovelace@example.com"
_OTHER_EMAIL = "ADA.LOVELACE@EXAMPLE.COM"
_ORDER = "abandon.cart.Purchase"


def message(**properties: Any) -> dict[str, Any]:
    """Make a message of RudderStack's source."""
    return {
        "context": {"integration": {"name": "Braze"}, "device": {"id": "d-31"}},
        "type": "track",
        "event": OPEN,
        "messageId": "b3c1-0001",
        "userId": "user-1",
        "timestamp": "2026-07-01T12:00:00.000Z",
        "traits": {"email": EMAIL},
        "properties": {"campaign_name": "Summer", "send_id": None, "price": 9.95} | properties,
    }


def pair(expected: dict[str, Any], got: dict[str, Any], *fields: str) -> Pair:
    return Pair("b3c1-0001", OPEN, expected, got, fields)


def _findings(count: int, event_type: str = OPEN, **details: Any) -> Findings:
    examples = tuple(Example(f"b3c1-{n:04}", event_type, **details) for n in range(min(count, 20)))
    return Findings(count, examples, {event_type: count})


def _caused(**by_cause: Findings) -> dict[str, Any]:
    by_event_type: dict[str, int] = {}
    for findings in by_cause.values():
        for name, count in findings.by_event_type.items():
            by_event_type[name] = by_event_type.get(name, 0) + count
    return {
        "count": sum(each.count for each in by_cause.values()),
        "examples": tuple(each for found in by_cause.values() for each in found.examples)[:20],
        "by_event_type": by_event_type,
        "by_cause": by_cause,
    }


def _steps(count: int, scale: int) -> tuple[int, ...]:
    return tuple(
        scale + (n * 37 % 23) * scale // 12 if 4 < n < count - 6 else 0 for n in range(count)
    )


_EDGES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)
_HEIGHTS = (0, 3, 40, 310, 1480, 3920, 4300, 1890, 760, 220, 64, 12, 5, 0, 0)


def right_report(**changes: Any) -> Report:
    """Make a report of a stream that arrived as it should have."""
    return attrs.evolve(
        Report(
            through=Through.RUDDERSTACK,
            sent=13_020,
            received=13_004,
            matched=13_004,
            missing=Caused(),
            duplicated=Caused(),
            altered=Altered(),
            unexpected=Findings(),
            reordered=Findings(),
            late=Findings(),
            filtered={},
            vanished={"no_user": _findings(16, CLICK)},
            stages={
                SEND: Stages(8000, 8000, 8000, 8000),
                OPEN: Stages(4004, 4004, 4004, 4004),
                CLICK: Stages(1016, 1016, 1000, 1000),
            },
            latency=Delays(0.72, 4.6, 92.4, 13_004, tuple(map(Bar, _EDGES, _HEIGHTS))),
            rates=Rates(1_782_907_200.0, 10.0, _steps(60, 200), _steps(60, 190), 3),
        ),
        **changes,
    )


def full_report(**changes: Any) -> Report:
    """Make a report with findings of every kind."""
    expected, got = message(), message(price=10, campaign_name="summer", extra=[1, 2])
    del got["context"]["device"]
    got["traits"] = {"email": _OTHER_EMAIL}
    shifted = message() | {"timestamp": "2026-07-01T14:00:00.000Z"}
    return attrs.evolve(
        right_report(
            missing=Caused(
                **_caused(
                    lost=_findings(131), not_accepted=_findings(4, SEND), dropped=_findings(2, SEND)
                )
            ),
            dropped={"too_large": _findings(2, SEND)},
            duplicated=Caused(**_caused(redelivered=_findings(25), repeated=_findings(3, CLICK))),
            altered=Altered(
                **_caused(
                    wrong_time=_findings(
                        12,
                        field="timestamp",
                        expected="2026-07-01T12:00:00.000Z",
                        got="2026-07-01T14:00:00.000Z",
                    ),
                    unmapped_names=_findings(5, field="event", expected="Email Opened", got=OPEN),
                    clear_personal_data=_findings(
                        1, field="traits.email", expected="5f4dcc3b5aa7", got=EMAIL
                    ),
                    changed=_findings(40, field="properties.price", expected=9.95, got=10),
                ),
                by_field={
                    "properties.price": 40,
                    "timestamp": 12,
                    "event": 5,
                    "context.device.id": 2,
                    "traits.email": 1,
                },
                examined=58,
                pairs=(
                    pair(
                        expected,
                        got,
                        "properties.price",
                        "properties.campaign_name",
                        "traits.email",
                    ),
                    pair(message(), shifted, "timestamp"),
                ),
                shift_s=7200.0,
            ),
            unexpected=_findings(7, "Signed Up"),
            reordered=_findings(9, CLICK),
            late=_findings(3, field="time", expected=60, got=92.4),
            filtered={"not_selected": _findings(300, _ORDER)},
            reduced={"precision": _findings(8)},
            disturbed={"duplicate": _findings(6)},
            without_id=1,
            stages={
                SEND: Stages(8000, 7996, 7994, 7994),
                OPEN: Stages(4004, 4004, 4004, 3873),
                CLICK: Stages(1016, 1016, 1000, 1000),
                _ORDER: Stages(300, 0, 0, 0),
            },
            has_record=True,
        ),
        **changes,
    )


#: What must not leave its place in a page or a file.
HOSTILE = "</script><script>alert(1)</script><!--\u202e\u0000]]>\ud800&quot;'\""


def hostile_report() -> Report:
    """Make a report about events whose every text is hostile, and some of which are huge."""
    huge = "x" * 2**20
    deep: Any = 1
    for _ in range(700):
        deep = [deep]
    found = Findings(
        2,
        (
            Example(HOSTILE, HOSTILE, HOSTILE, HOSTILE, huge),
            Example(huge, huge, huge, deep, {HOSTILE: huge}),
        ),
        {HOSTILE: 1, huge: 1},
    )
    expected = {HOSTILE: HOSTILE, huge: huge, "long": [*range(5000)], "deep": deep, "n": 10**30}
    got = expected | {"long": [*range(2500), 0, *range(2501, 5000)], "n": True, "more": HOSTILE}
    return full_report(
        unexpected=found,
        altered=Altered(
            2,
            found.examples,
            found.by_event_type,
            by_cause={FindingKind.CHANGED.value: found},
            by_field={HOSTILE: 1, huge: 1},
            examined=2,
            pairs=(Pair(HOSTILE, HOSTILE, expected, got, (HOSTILE, huge)),),
        ),
        stages={HOSTILE: Stages(1, 1, 1, 0), huge: Stages(1, 1, 1, 1)},
    )
