"""Compare what was sent with what arrived."""

from .charts import Bar, Delays, Rates, Stages
from .findings import Altered, Caused, Example, FindingKind, Findings, Pair, Row
from .reconcile import reconcile
from .report import Report, Through, Verdict

__all__ = [
    "Altered",
    "Bar",
    "Caused",
    "Delays",
    "Example",
    "FindingKind",
    "Findings",
    "Pair",
    "Rates",
    "Report",
    "Row",
    "Stages",
    "Through",
    "Verdict",
    "reconcile",
]
