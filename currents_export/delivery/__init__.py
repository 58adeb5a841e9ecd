"""Delivery: queues, batches, the response table, retries, and the sender that runs them."""

from ..destinations import CredentialsCheck
from ._backoff import Backoff
from ._ledger import Drop, Totals
from ._options import Durability
from ._quota import Quota
from ._responses import Action, Response
from ._status import NoticeKind, State
from .async_sender import AsyncSender
from .clock import Clock, ManualClock, SystemClock
from .hooks import Attempt, Hooks, Notice
from .pacing import AsRecorded
from .reasons import DropReason, FilterReason
from .record import SendRecord
from .result import Result
from .sender import Sender

__all__ = [
    "Action",
    "AsRecorded",
    "AsyncSender",
    "Attempt",
    "Backoff",
    "Clock",
    "CredentialsCheck",
    "Drop",
    "DropReason",
    "Durability",
    "FilterReason",
    "Hooks",
    "ManualClock",
    "Notice",
    "NoticeKind",
    "Quota",
    "Response",
    "Result",
    "SendRecord",
    "Sender",
    "State",
    "SystemClock",
    "Totals",
]
