"""Compare what was sent with what arrived."""

from .reconcile import reconcile
from .report import Ages, Altered, Example, Findings, Report, Through, Verdict

__all__ = [
    "Ages",
    "Altered",
    "Example",
    "Findings",
    "Report",
    "Through",
    "Verdict",
    "reconcile",
]
