"""Delivery: queues to batches, the answer table, retries, and the sender around them."""

from ._answers import Action, Answer
from ._backoff import Backoff
from ._clock import Clock, ManualClock, SystemClock
from ._health import NoticeKind, State
from ._probe import CredentialsCheck
from ._queues import Drop, Tally
from ._report import Attempt, Hooks, Notice, Result
from .sender import Sender

__all__ = [
    "Action",
    "Answer",
    "Attempt",
    "Backoff",
    "Clock",
    "CredentialsCheck",
    "Drop",
    "Hooks",
    "ManualClock",
    "Notice",
    "NoticeKind",
    "Result",
    "Sender",
    "State",
    "SystemClock",
    "Tally",
]
