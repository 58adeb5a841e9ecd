"""The response table: what happens to a batch after a response.

Source: Braze, Custom Currents export (the response codes) and Event delivery semantics.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

import attrs

from .._codes import Code

__all__ = ["Action", "Response", "decide", "retry_after"]

_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")


class Action(Code):
    """What the sender does with a batch after a response."""

    DELIVERED = "delivered", "delivered"
    RETRY = "retry", "sent again later"
    SPLIT_TO_ONES = "split_to_ones", "split into batches of one"
    SPLIT_SMALLER = "split_smaller", "split into smaller batches"
    DROP = "drop", "dropped"
    PAUSE = "pause", "kept until the Current is resumed"


@attrs.frozen
class Response:
    """The response to a request.

    Attributes:
        status: the HTTP status; None if the network failed before there was one.
        text: the beginning of the body, or the network error; in one line, without secrets and
            control characters.
        retry_after: the seconds that the `Retry-After` header asked for, up to the sender's
            `max_retry_after`; None if there was none.
    """

    status: int | None
    text: str = ""
    retry_after: float | None = None

    def __str__(self) -> str:
        what = "network error" if self.status is None else str(self.status)
        return f"{what}: {self.text}" if self.text else what


#: Statuses with a special meaning. 2XX means delivered; every other status means retry.
_BY_STATUS = {
    400: Action.SPLIT_TO_ONES,
    401: Action.PAUSE,
    403: Action.PAUSE,
    404: Action.PAUSE,
    413: Action.SPLIT_SMALLER,
    429: Action.RETRY,
}


def decide(status: int | None, *, size: int, split_off: bool) -> Action:
    """Return what Braze does with a batch after a response.

    Args:
        status: the HTTP status, or None for a network error.
        size: the number of events in the batch.
        split_off: whether the batch is one event that was split off after a 400; a second 400
            drops it. An event that was the only one in its batch is sent once more first.
    """
    if status is None:
        return Action.RETRY
    if 200 <= status < 300:
        return Action.DELIVERED
    action = _BY_STATUS.get(status, Action.RETRY)
    if (action is Action.SPLIT_TO_ONES and split_off) or (
        action is Action.SPLIT_SMALLER and size == 1
    ):
        return Action.DROP
    return action


def retry_after(headers: Mapping[str, str], *, now: float, most: float) -> float | None:
    """Return the seconds that a `Retry-After` header asks for; None without a valid one.

    The header is a number of seconds or an HTTP date (RFC 9110). A date is compared with the
    response's own `Date`, so that the receiver's clock need not be right.

    Args:
        headers: the response's headers, with lower-case names.
        now: seconds since the Unix epoch, for a response without a `Date`.
        most: the longest wait. More is a mistake, such as a time in place of a number of seconds.
    """
    value = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        seconds = float(value)
    elif (then := _date(value)) is not None:
        date = _date(headers.get("date", ""))
        seconds = then - (now if date is None else date)
    else:
        return None
    return min(seconds, most) if seconds > 0 else None


def _date(value: str) -> float | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    # The format of asctime has no zone. All HTTP dates are in GMT (RFC 9110).
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
