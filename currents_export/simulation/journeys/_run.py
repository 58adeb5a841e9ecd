"""One run of a world: the queue, the lives that are under way, and the events that happen."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from heapq import heappop
from typing import Any, TypeVar

from ...events import Event
from .._draws import Draws
from .._ids import uuid_text
from .._plan import Plan
from .._traffic import TrafficRule
from ..answer_key import KeyRecord
from ..fields import Draft
from ..people.model import User
from ..workspace.model import Message, Workspace
from ._calendar import Calendar
from ._chances import Chances
from ._curve import DAY
from ._entries import THERE, Entries, Entry
from ._life import Cause, Journey, Life
from ._queue import Queue
from ._quiet import QuietQueue

__all__ = ["Encoded", "Happening", "Run", "Variations", "record_of"]

T = TypeVar("T")

#: An event, the journey it happened in, the event it follows from (0 if it follows from none), and
#: for a conversion, what the purchases cost that it stands for.
Happening = tuple[Event, Journey, Cause, Mapping[str, float] | None]

#: The type of an event, the event as its run makes it, and the rest of a happening.
Made = tuple[str, T, Journey, Cause, Mapping[str, float] | None]

#: The type of an event, its JSON, and its place: when it arrives, when it happened, and the number
#: of the user.
Encoded = tuple[str, bytes, tuple[int, int, int]]


#: The share of the control group of a campaign, by how much the other shares are multiplied to get
#: the index of a message, the messages, that of the control group, and the key of the draw.
Variations = tuple[float, float, Sequence[Message], Sequence[Message], int]

#: For how many seconds lives have been under way when a stream begins.
WARM_UP = 3 * DAY


class _Beginning:
    """A life that will begin.

    Attributes:
        run: the run.
        person: the number of the user.
        active: whether it begins with a session.
        entries: who begins after that.
        gone: whether it is too late for it: never.
    """

    __slots__ = ("active", "entries", "person", "run")
    gone = False

    def __init__(self, run: Run, person: int, active: bool, entries: Iterator[Entry]) -> None:
        self.run = run
        self.person = person
        self.active = active
        self.entries = entries


def _begin(beginning: _Beginning) -> None:
    beginning.run.begin(beginning)


class Run:
    """What the lives of a run share.

    Args:
        seed_key: what all draws are keyed by.
        workspace: everything in the world except its users.
        people: the users.
        catalog: the names of the event types that there are.
        plans: how events are made, by type; other types are left out of the stream.
        draft: what is known about an event while it is made; it is overwritten.
        draws: the source of the draft's draws.
        chances: the named chances and delays.
        calendar: the campaigns and Canvases, and when they happen.
        begin: begins a life; whether with a session.
        entries: when people enter who are not there from the beginning.
        acted: lets everything happen that follows from an action of a user.
        visit: lets a user visit the app or the site; whether the visit ends with an order.
        unnamed: how events of types that no journey names are made, and how often.
        start: the time of the first event; what happens before it is left out.
        until: the time after the last event.
        newcomers: whether everybody's first session is yet to come.
        queue: what will happen.

    Attributes:
        now: the time.
        form: makes the event of a draft from what is known and the number of its id.
        out: the events that happened in the current step.
        put: adds a wake-up to the queue.
        variations: what users get from campaigns, by their ids.
    """

    def __init__(
        self,
        seed_key: int,
        workspace: Workspace,
        people: Sequence[User],
        catalog: Collection[str],
        plans: Mapping[str, Plan],
        *,
        draft: Draft,
        draws: Draws,
        chances: Chances,
        calendar: Calendar,
        begin: Callable[[Life, bool], None],
        entries: Entries,
        acted: Callable[..., None],
        visit: Callable[[Life, Cause, bool], None],
        unnamed: Sequence[tuple[Plan, TrafficRule]],
        start: int,
        until: int,
        newcomers: bool,
        queue: Queue,
    ) -> None:
        self.seed_key = seed_key
        self.workspace = workspace
        self.people = people
        self.chances = chances
        self.calendar = calendar
        self._begin_life = begin
        self._entries = entries
        self.acted = acted
        self.visit = visit
        self.unnamed = unnamed
        self.start = start
        self.until = until
        self.newcomers = newcomers
        self.now = 0
        self.form: Callable[[Plan, Draft, Mapping[str, Any], int], Any] = _make
        self.out: list[Made[Any]] = []
        self.catalog = catalog
        self.plans = plans
        self.draft = draft
        self.draws = draws
        self._queue = queue
        self.put = queue.put
        self.variations: dict[str, Variations] = {}

    def enter(self, people: Collection[int]) -> None:
        """Let people begin their lives.

        The first ones are there from the beginning. The others come when they first do something,
        or when a campaign reaches them, because to look at each of a million people before the
        first event would take too long.
        """
        began = self.start if self.newcomers else self.start - WARM_UP
        for person in people:
            if person >= THERE:
                break
            self._put(began, person, False, iter(()))
        for entries in self._entries.of(people):
            self._enter_next(entries)

    def _enter_next(self, entries: Iterator[Entry]) -> None:
        for time, person, active in entries:
            self._put(time, person, active, entries)
            return

    def _put(self, time: int, person: int, active: bool, entries: Iterator[Entry]) -> None:
        # Nobody lives yet, so the place of the life is taken by the entry itself.
        entry: Any = _Beginning(self, person, active, entries)
        self.put((time, person, 0, entry, _begin, entry))

    def begin(self, beginning: _Beginning) -> None:
        """Begin a life, and plan the next one."""
        self._begin_life(Life(self, beginning.person), beginning.active)
        self._enter_next(beginning.entries)

    def happenings(self) -> Iterator[Happening]:
        """Yield what happens, in order."""
        self.form = _make
        return self._run(_happening)

    def encoded(self) -> Iterator[Encoded]:
        """Yield the events as JSON, in order; nothing else is made of them."""
        self.form = Plan.render
        return self._run(_encoded)

    def _run(self, shape: Callable[[Any], T]) -> Iterator[T]:
        # The loop runs for every wake-up, so it looks into the queue itself.
        out, queue = self.out, self._queue
        heap, quiet = queue.heap, queue if isinstance(queue, QuietQueue) else None
        while heap or queue.advance():
            wake_up = heappop(heap)
            self.now, _, _, life, step, subject = wake_up
            if life.gone or (quiet is not None and quiet.ends(wake_up)):
                continue
            step(subject)
            if out:
                yield from map(shape, out)
                out.clear()

    def count(self) -> int:
        """Return how many events happen."""
        return sum(1 for _ in self.encoded())


def _make(plan: Plan, draft: Draft, facts: Mapping[str, Any], number: int) -> Event:
    return plan.make(draft, facts, uuid_text(number))


def _happening(made: Made[Event]) -> Happening:
    _, event, journey, cause, revenue = made
    return event, journey, cause, revenue


def _encoded(made: Made[bytes]) -> Encoded:
    life = made[2].life
    time = life.run.now
    return made[0], made[1], (time, time, life.number)


def record_of(happening: Happening) -> KeyRecord:
    """Return the entry of an event in the answer key."""
    event, journey, cause, revenue = happening
    fields = journey.message.fields if journey.message else {}
    return KeyRecord(
        id=event.id,
        event_type=event.event_type,
        cause=uuid_text(abs(cause)) if cause else None,
        journey=journey.name,
        campaign=fields.get("campaign_id"),
        canvas=fields.get("canvas_id"),
        step=fields.get("canvas_step_id"),
        before_start=cause < 0,
        sent_at=journey.facts.get("send_time"),
        revenue=revenue,
    )
