"""The response table: what becomes of a batch, by how its request was answered.

Source: Braze, Custom Currents export (the response codes) and Event delivery semantics.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import attrs

from .._codes import Code

__all__ = ["Action", "Response", "decide", "retry_after"]


class Action(Code):
    """What is done with a batch after a response."""

    DELIVERED = "delivered", "delivered"
    RETRY = "retry", "sent again later"
    SPLIT_TO_ONES = "split_to_ones", "split into batches of one"
    SPLIT_SMALLER = "split_smaller", "split into smaller batches"
    DROP = "drop", "dropped"
    PAUSE = "pause", "kept until the Current is resumed"


@attrs.frozen
class Response:
    """What came back for a request.

    Attributes:
        status: the HTTP status; None when the network failed before there was one.
        text: the beginning of the body, or what went wrong with the network; no secrets.
        retry_after: seconds the receiver asked to wait, from its `Retry-After` header.
    """

    status: int | None
    text: str = ""
    retry_after: float | None = None

    def __str__(self) -> str:
        what = "network error" if self.status is None else str(self.status)
        return f"{what}: {self.text}" if self.text else what


#: Statuses with a meaning of their own. 2XX is a delivery; every other status is tried again.
_BY_STATUS = {
    400: Action.SPLIT_TO_ONES,
    401: Action.PAUSE,
    403: Action.PAUSE,
    404: Action.PAUSE,
    413: Action.SPLIT_SMALLER,
    429: Action.RETRY,
}


def decide(status: int | None, *, size: int, alone: bool) -> Action:
    """What Braze does with a batch whose request was answered with `status`.

    Args:
        status: the HTTP status, or None for a network error.
        size: how many events the batch has.
        alone: whether the batch is one event that a 400 split off: a second 400 is its last. An
            event that merely was the only one in its queue is sent again first, as Braze says.
    """
    if status is None:
        return Action.RETRY
    if 200 <= status < 300:
        return Action.DELIVERED
    action = _BY_STATUS.get(status, Action.RETRY)
    if (action is Action.SPLIT_TO_ONES and alone) or (action is Action.SPLIT_SMALLER and size == 1):
        return Action.DROP
    return action


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """The seconds a `Retry-After` header asks for; None when there is none, or none that is sound.

    The header is a number of seconds or an HTTP date (RFC 9110). A date is compared with the
    response's own `Date`, so that a receiver whose clock is off is understood all the same.

    Args:
        headers: the response's headers, with lower-case names.
        now: seconds since the epoch, for a response without a `Date`.
    """
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        then = _date(value)
        if then is None:
            return None
        seconds = then - (_date(headers.get("date", "")) or now)
    return seconds if math.isfinite(seconds) and seconds > 0 else None


def _date(value: str) -> float | None:
    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
