"""`StreamChecker` and `check_stream`: hold a stream against the rules of coherence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from ..errors import OptionError
from ..events import Event
from ._campaigns import Campaigns
from ._canvases import Canvases
from ._caps import Caps
from ._causes import Causes
from ._causes_table import CauseRow, depth_of, load_causes
from ._channels import load_channel_names
from ._context import Check, Context
from ._conversions import Conversions
from ._devices import Devices, Tokens
from ._fates import Fates, load_fates
from ._finding import IncoherenceFinding
from ._inbound import Inbound
from ._machines import Machines
from ._names import Names
from ._order import Order
from ._purchases import Purchases
from ._seen import HOUR, Kind, Seen, see
from ._sessions import Sessions
from ._silence import Gone, Silence
from ._subscriptions import Subscriptions
from ._surveys import Surveys

__all__ = ["DEFAULT_WINDOW", "StreamChecker", "check_stream"]

#: For how many seconds of the stream to wait for events that arrive out of order.
DEFAULT_WINDOW: Final = 3 * HOUR

#: After how many events to drop what is no longer needed.
_SWEEP: Final = 50_000

#: How many event types to check; a stream with more has made-up ones.
_MAX_KINDS: Final = 4096


class StreamChecker:
    """Hold a stream against the rules, event by event.

    Events are sorted by time within a window, since Currents promise no order, and events with a
    known id are left out, since Currents deliver at least once. An event that comes too late for
    the window is not checked; the past of its user counts as unknown from then on. The memory
    grows with the users and with the causes whose effects may still come, not with the events.

    Args:
        whole: whether the stream begins at the beginning and lacks no types and no users, so that a
            missing cause is a finding. Otherwise, a cause may lie before the user's first event,
            within the longest delay known for its effect, or may be of a type that the stream does
            not contain.
        window: for how many seconds of the stream to wait for events out of order. At most 50,000
            events are held, so the window of a busy stream can be shorter.
        catalog_dir: a directory that may contain `causes.tsv`, `fates.tsv` and `channels.tsv`; the
            packaged tables by default.

    Raises:
        OptionError: the window is negative.
        CatalogError: a table is invalid.

    Source: Braze, Event delivery semantics (order, duplicates).
    """

    def __init__(
        self,
        *,
        whole: bool = False,
        window: int = DEFAULT_WINDOW,
        catalog_dir: Path | None = None,
    ) -> None:
        if window < 0:
            raise OptionError(f"window is {window}; it must be 0 or more seconds")
        self._context = Context(whole=whole)
        self._order = Order(window)
        rows = load_causes(catalog_dir)
        channels = load_channel_names(catalog_dir)
        self._checks: list[Check] = [
            Gone(self._context),
            Causes(self._context, rows),
            Fates(self._context, load_fates(catalog_dir)),
            Silence(self._context, channels),
            Subscriptions(self._context, channels),
            Sessions(self._context),
            Campaigns(self._context),
            Canvases(self._context),
            Conversions(self._context),
            Caps(self._context, channels),
            Machines(self._context),
            Purchases(self._context),
            Devices(self._context),
            Tokens(self._context),
            Inbound(self._context),
            Surveys(self._context),
            Names(self._context),
        ]
        self._kinds = _Kinds(rows)
        self._concerned: dict[str, list[Check]] = {}
        self._fed = 0

    @property
    def late(self) -> int:
        """How many events came too late for the window, and were not checked."""
        return self._order.late

    @property
    def repeated(self) -> int:
        """How many events were left out because their id was known."""
        return self._order.repeated

    def feed(
        self, event: Event | Mapping[str, Any] | Any, *, where: str | None = None
    ) -> Iterator[IncoherenceFinding]:
        """Take an event, and yield the findings of all events that are due.

        Args:
            event: an `Event`, or any JSON value that was received. One without a type or a
                possible time is ignored.
            where: the place of the event, to be shown in findings.
        """
        seen = see(event, self._kinds, where)
        if seen is None or self._order.is_repeated(seen):
            return
        if self._order.is_late(seen):
            if seen.user is not None:
                self._forget_user(seen.user)
            return
        for due in self._order.push(seen):
            yield from self._check(due)

    def finish(self) -> Iterator[IncoherenceFinding]:
        """Yield the findings of the events that are still held, at the end of the stream."""
        for due in self._order.rest():
            yield from self._check(due)

    def _check(self, event: Seen) -> Iterator[IncoherenceFinding]:
        context, name = self._context, event.kind.name
        yield from context.overdue(event.time)
        if event.user is not None and event.user not in context.since:
            context.since[event.user] = event.time
        if name not in self._concerned and len(self._concerned) < _MAX_KINDS:
            context.types.add(name)
            self._concerned[name] = [each for each in self._checks if each.concerns(event.kind)]
        for check in self._concerned.get(name, ()):
            yield from check.feed(event)
        self._fed += 1
        if self._fed >= max(_SWEEP, len(context.since)):
            self._fed = 0
            for check in self._checks:
                check.forget(event.time)

    def _forget_user(self, user: str) -> None:
        self._context.forget_user(user, self._order.released)
        for check in self._checks:
            check.forget_user(user)


class _Kinds(dict[str, Kind]):
    """The kinds of event types, made when they are first seen."""

    def __init__(self, rows: list[CauseRow]) -> None:
        super().__init__()
        self._depth = partial(depth_of, rows=rows)

    def __missing__(self, name: str) -> Kind:
        kind = Kind(name, self._depth(name))
        if len(self) < _MAX_KINDS:
            self[name] = kind
        return kind


def check_stream(
    events: Iterable[Event | Mapping[str, Any] | Any],
    *,
    whole: bool = False,
    window: int = DEFAULT_WINDOW,
    catalog_dir: Path | None = None,
) -> Iterator[IncoherenceFinding]:
    """Yield the events of a stream that contradict the events around them.

    The stream may be anyone's: it may begin in the middle, contain only some event types, repeat
    events and be out of order. Only what contradicts something that was seen is a finding, unless
    the stream is said to be whole. Events that are not valid are ignored; `check_event` finds them.

    >>> from currents_export import World, check_stream
    >>> click = World().event("users.messages.email.Click")  # without a Send before it
    >>> for finding in check_stream([click], whole=True):
    ...     print(finding.code)
    no_cause

    Args:
        events: the events, or any JSON values that were received.
        whole: whether the stream begins at the beginning and lacks no types and no users, so that a
            missing cause is a finding.
        window: for how many seconds of the stream to wait for events that arrive out of order.
        catalog_dir: a directory of catalog tables to use instead of the packaged ones.

    Raises:
        OptionError: the window is negative.
        CatalogError: a table is invalid.

    Source: Braze, Event delivery semantics; Message engagement events.
    """
    checker = StreamChecker(whole=whole, window=window, catalog_dir=catalog_dir)
    for event in events:
        yield from checker.feed(event)
    yield from checker.finish()
