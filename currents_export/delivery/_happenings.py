"""What hooks and logs learn of: an attempt, a delivery, a drop, or a notice."""

from __future__ import annotations

from typing import NamedTuple

from ._batches import Batch
from ._ledger import Drop
from ._responses import Action, Response
from ._status import NoticeKind

__all__ = ["Attempted", "Delivered", "Dropped", "Happening", "Noticed"]


class Attempted(NamedTuple):
    """A batch was sent, and got a response or failed."""

    batch: Batch
    number: int
    response: Response
    action: Action
    at: float
    duration_s: float


class Delivered(NamedTuple):
    """A batch was delivered."""

    batch: Batch


class Dropped(NamedTuple):
    """An accepted event was dropped."""

    drop: Drop


class Noticed(NamedTuple):
    """The Current's state changed, or something else is due to be reported to its contact."""

    kind: NoticeKind
    reason: str
    at: float
    since: float | None


Happening = Attempted | Delivered | Dropped | Noticed
