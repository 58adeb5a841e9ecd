"""Compare what was sent with what arrived."""

from ._html import to_html
from ._junit import to_junit
from ._sentences import sentence
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
    "sentence",
    "to_html",
    "to_junit",
]
