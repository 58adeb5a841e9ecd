"""Delivery: queues to batches, the response table, retries, and the sender around them."""

from ._backoff import Backoff
from ._credentials import CredentialsCheck
from ._queues import Drop, Totals
from ._report import Attempt, Hooks, Notice, Result
from ._responses import Action, Response
from ._status import NoticeKind, State
from .clock import Clock, ManualClock, SystemClock
from .sender import Sender

__all__ = [
    "Action",
    "Attempt",
    "Backoff",
    "Clock",
    "CredentialsCheck",
    "Drop",
    "Hooks",
    "ManualClock",
    "Notice",
    "NoticeKind",
    "Response",
    "Result",
    "Sender",
    "State",
    "SystemClock",
    "Totals",
]
