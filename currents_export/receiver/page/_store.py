"""Keep the last requests and events, in bounded memory."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import attrs

from ...catalog import Finding
from .._counts import Recorder
from ._rates import Latencies, Rates

__all__ = ["MAX_BYTES", "MAX_EVENTS", "MAX_REQUESTS", "EventRow", "RequestRow", "Store"]

#: The most events and requests that are kept; the oldest go first.
MAX_EVENTS, MAX_REQUESTS = 100_000, 20_000
#: The most bytes of events that are kept, and of bodies.
MAX_BYTES = 192 * 2**20
#: The most ids that are kept to find out which request is sent again.
_MAX_IDS = 200_000


@attrs.define(eq=False)
class RequestRow:
    """A request that was received.

    Attributes:
        number: counts the requests, from 0.
        at: when it came, in seconds since the Unix epoch.
        method: the HTTP method.
        path: the path, percent-encoded, without the query.
        query: the query as it came. It may have a write key, so it is never shown as it is.
        headers: the headers as they came. They may have credentials, as the query.
        status: the status of the response; `reset` if the connection was reset.
        milliseconds: how long the response took.
        wire_bytes: the size of the body as it was sent.
        body: the body, decoded; None if it was not read, or is not kept any more.
        events: how many events the body has; None if that is not known.
        taken: whether the events were taken.
        reason: why the request was refused; empty if it was not.
        fault: whether the response was set by hand on the page.
        retry_of: the number of an earlier request with the first event of this one.
        findings: what was wrong with the headers.
        first_event: the number of the first row of its events; None if they have no rows.
        worst: `error` or `warning`, the worst level of its findings; empty without findings.
        resent: whether the page sent it.
    """

    number: int
    at: float
    method: str
    path: str
    query: bytes
    headers: Sequence[tuple[bytes, bytes]]
    status: str
    milliseconds: float
    wire_bytes: int
    body: bytes | None
    events: int | None
    taken: bool
    reason: str
    fault: bool
    retry_of: int | None
    findings: Sequence[Finding]
    first_event: int | None = None
    worst: str = ""
    resent: bool = False

    @property
    def size(self) -> int:
        """The bytes that count towards the limit."""
        headers = sum(len(name) + len(value) for name, value in self.headers)
        return len(self.body or b"") + headers + len(self.query) + len(self.path)


@attrs.define(eq=False)
class EventRow:
    """An event that was looked at: taken, or refused for what is in it.

    Attributes:
        number: counts the events, from 0.
        request: the number of its request.
        index: its place in the request, from 0.
        at: when it came, in seconds since the Unix epoch.
        time: when it happened, in seconds since the Unix epoch; None if that is not known.
        event_id: its id; empty if it has none.
        event_type: its type; `?` if it has none.
        users: the ids of its user.
        tag: what stands for the user while personal data is masked; empty without a user.
        users_text: the ids and the tag, to search in.
        campaign: the id of its campaign or Canvas; empty if it has none.
        campaign_name: the name of its campaign or Canvas.
        data: the event as JSON.
        findings: its conformance findings.
        taken: whether it was taken.
    """

    number: int
    request: int
    index: int
    at: float
    time: float | None
    event_id: str
    event_type: str
    users: tuple[str, ...]
    tag: str
    users_text: str
    campaign: str
    campaign_name: str
    data: bytes
    findings: tuple[Finding, ...]
    taken: bool

    @property
    def size(self) -> int:
        """The bytes that count towards the limit."""
        return len(self.data)

    @property
    def worst(self) -> str:
        """`error` or `warning`, the worst level of the findings; empty without findings."""
        return worst_of(self.findings)


def worst_of(findings: Sequence[Finding]) -> str:
    """Return the worst level of findings: `error`, `warning`, or an empty text without any."""
    if not findings:
        return ""
    return "error" if any(each.level == "error" for each in findings) else "warning"


Row = TypeVar("Row", RequestRow, EventRow)


class Ring(Generic[Row]):
    """The last rows, by their numbers.

    Args:
        most: the most rows to keep.
        most_bytes: the most bytes that they may have together; the newest row is always kept.
    """

    def __init__(self, most: int, most_bytes: int) -> None:
        self._rows: list[Row | None] = [None] * most
        self._most_bytes = most_bytes
        self._bytes = 0
        #: The numbers of the oldest row that is kept, and of the next one.
        self.first = self.next = 0

    def append(self, row: Row) -> None:
        """Add the row with the number `next`, and drop the oldest ones beyond the limits."""
        most = len(self._rows)
        self._bytes += row.size
        while self.next - self.first >= most or (
            self._bytes > self._most_bytes and self.first < self.next
        ):
            at = self.first % most
            dropped = self._rows[at]
            self._bytes -= dropped.size if dropped is not None else 0
            self._rows[at] = None
            self.first += 1
        self._rows[self.next % most] = row
        self.next += 1

    def get(self, number: int) -> Row | None:
        """Return a row; None if there is none with this number, or if it is not kept any more."""
        row = self._rows[number % len(self._rows)]
        return row if row is not None and row.number == number else None

    def newest_first(
        self, before: int | None = None, after: int = -1, most: int | None = None
    ) -> list[Row]:
        """Return the rows, the newest first.

        Args:
            before: only rows with smaller numbers; None for all.
            after: only rows with larger numbers.
            most: the most rows; None for all.
        """
        end = self.next if before is None else max(self.first, min(before, self.next))
        start = min(end, max(self.first, after + 1, 0 if most is None else end - most))
        size = len(self._rows)
        low, high = start % size, end % size
        if start == end:
            return []
        found = self._rows[low:high] if low < high else self._rows[low:] + self._rows[:high]
        return [row for row in reversed(found) if row is not None]

    def clear(self) -> None:
        """Drop all rows; the numbers go on."""
        self._rows = [None] * len(self._rows)
        self.first, self._bytes = self.next, 0


class Store:
    """The last requests and events, with rates, response times, and findings by kind.

    Args:
        max_events: the most events to keep.
        max_requests: the most requests to keep.
        max_bytes: the most bytes of events to keep, and of bodies.

    Attributes:
        run: a text that differs in each store, so that a link to an event of another one is
            recognized.
        version: grows with each change.
        lock: held while rows are added.
    """

    def __init__(
        self,
        *,
        max_events: int = MAX_EVENTS,
        max_requests: int = MAX_REQUESTS,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self.run = secrets.token_hex(3)
        self.version = 0
        self.lock = threading.Lock()
        self.requests: Ring[RequestRow] = Ring(max_requests, max_bytes)
        self.events: Ring[EventRow] = Ring(max_events, max_bytes)
        self.rates = Rates()
        self.latencies = Latencies()
        self.recorder = Recorder(max_ids=_MAX_IDS)
        self._requests_of: OrderedDict[str, int] = OrderedDict()

    def request_of(self, event_id: str) -> int | None:
        """Return the number of the last request with the event of this id, as far as known."""
        return self._requests_of.get(event_id)

    def add(self, request: RequestRow, events: Sequence[EventRow], ids: Sequence[str]) -> None:
        """Add a request, the rows of its events, and the ids of all events in it."""
        with self.lock:
            for event_id in ids:
                self._requests_of[event_id] = request.number
                self._requests_of.move_to_end(event_id)
            while len(self._requests_of) > _MAX_IDS:
                self._requests_of.popitem(last=False)
            self.requests.append(request)
            for row in events:
                self.events.append(row)
                if row.findings:
                    self.recorder.record_findings(row.findings)
            self.recorder.record_status(request.status)
            self.recorder.record_findings(request.findings)
            failed = not request.status.startswith("2")
            self.rates.add(request.at, failed=failed, types=[each.event_type for each in events])
            self.latencies.add(request.milliseconds)
            self.version += 1

    def clear(self) -> None:
        """Drop all requests and events; the totals stay."""
        with self.lock:
            self.requests.clear()
            self.events.clear()
            self._requests_of.clear()
            self.version += 1

    def totals(self, now: float) -> dict[str, Any]:
        """Return rates, response times, and findings by kind."""
        with self.lock:
            counts = self.recorder.counts
            return {
                "rates": self.rates.to_dict(now),
                "latency": self.latencies.to_dict(),
                "requests": counts.requests,
                "by_status": counts.by_status,
                "errors": counts.errors,
                "warnings": counts.warnings,
                "findings": counts.findings,
            }
