"""Delivery: queues, batches, the response table, retries, and the sender that runs them."""

from ..destinations import CredentialsCheck
from ._backoff import Backoff
from ._ledger import Drop, Totals
from ._responses import Action, Response
from ._status import NoticeKind, State
from .clock import Clock, ManualClock, SystemClock
from .hooks import Attempt, Hooks, Notice
from .reasons import DropReason, FilterReason
from .record import SendRecord
from .result import Result
from .sender import Sender

__all__ = [
    "Action",
    "Attempt",
    "Backoff",
    "Clock",
    "CredentialsCheck",
    "Drop",
    "DropReason",
    "FilterReason",
    "Hooks",
    "ManualClock",
    "Notice",
    "NoticeKind",
    "Response",
    "Result",
    "SendRecord",
    "Sender",
    "State",
    "SystemClock",
    "Totals",
]
