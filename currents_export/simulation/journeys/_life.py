"""The state of one user's life, and the journeys in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .._draws import MASK, UNIT, draw, factor_of, key_of, mix, stir
from .._ids import id_number
from ..people.model import Device, User
from ..workspace.model import Message
from ._queue import Step
from ._state import Awaited, OwnedDevice, Reach

if TYPE_CHECKING:
    from ._calendar import Occurrence
    from ._canvases import Passage
    from ._messages import MessageJourney
    from ._run import Run
    from ._session import Session

__all__ = ["Cause", "Journey", "Life", "journey_key"]

#: What stands for an event as the cause of others: the number of its id; negative if it happened
#: before the stream began, 0 for no event.
Cause = int

#: The part of an id that an event is drawn by.
_LOW = (1 << 64) - 1


class Life:
    """What is known about a user at this moment of a run; only for those who are active.

    Attributes:
        run: the run.
        number: the number of the user.
        user: the user.
        key: what all draws of this life are keyed by.
        sequence: the number of wake-ups so far.
        gone: whether the profile was deleted or merged into another one, so that nothing happens
            any more.
        handover: when the user hands a phone over to the next user; 0 for never.
        background: how many things happened that happen now and then.
        others: how many events of types that only the tables know happened.
        activity: the user's sessions a day, while the user is interested.
        interested_until: when the user loses interest, so that sessions become rare.
        sessions: how many sessions there were.
        lapsed: how many there were when the user lapsed the last time; -1 for never.
        devices: the devices.
        reach: on which channels the user can be reached.
        awaited: what may still convert, by the action that converts it.
        received: the campaigns of which a message was received.
        passages: the Canvases that the user is in or was in, by id.
        session: the session that is open, or the last one.
        cards: content cards that the user has not seen yet.
        shown: messages of Canvases that the next session shows.
        latest: the latest message of each channel that a reply can refer to.
        week: the week of the next scheduled campaign, by its number; see `Calendar.occurrences`.
        coming: the scheduled campaigns of that week on channels of the user, in order.
        upcoming: the index of the first of these that the user has not yet looked forward to.
        channels: the channels on which the user could ever get a message.
    """

    __slots__ = (
        "activity",
        "awaited",
        "background",
        "cards",
        "channels",
        "coming",
        "devices",
        "gone",
        "handover",
        "interested_until",
        "key",
        "lapsed",
        "latest",
        "number",
        "others",
        "passages",
        "reach",
        "received",
        "run",
        "sequence",
        "session",
        "sessions",
        "shown",
        "upcoming",
        "user",
        "week",
    )

    def __init__(self, run: Run, number: int) -> None:
        self.run = run
        self.number = number
        self.key = mix(run.seed_key, number)
        self.user: User = run.people[number]
        self.sequence = 0
        self.background = 0
        self.others = 0
        self.gone = False
        self.handover = 0
        self.activity = 0.0
        self.interested_until = 0
        self.sessions = 0
        self.lapsed = -1
        self.devices: list[OwnedDevice] = []
        self.reach = Reach()
        self.awaited: dict[str, list[Awaited]] = {}
        # An empty set takes as much memory as half of a life.
        self.received: set[str] | frozenset[str] = frozenset()
        self.passages: dict[str, Passage] = {}
        self.session: Session | None = None
        self.cards: list[MessageJourney] = []
        self.shown: list[Message] = []
        self.latest: dict[str, MessageJourney] = {}
        self.week = 0
        self.coming: Sequence[Occurrence] = ()
        self.upcoming = 0
        self.channels: frozenset[str] = frozenset()

    @property
    def life(self) -> Life:
        """The life itself, as for a journey in it."""
        return self

    @property
    def now(self) -> int:
        """The time, in seconds since the epoch."""
        return self.run.now

    def at(self, time: int, step: Step, subject: Any) -> None:
        """Take a step, which is about a subject, at a time that is not in the past."""
        self.sequence += 1
        self.run.put((time, self.number, self.sequence, self, step, subject))


def journey_key(life_key: int, name: str, key: int) -> int:
    """Return what a journey in a life is drawn by, given its name and its key among those."""
    return stir(life_key ^ key_of(name), key)


class Journey:
    """A story in a life, such as a session or a message and what follows from it.

    Everything in it is drawn by its key, so that other journeys change nothing in it.

    Attributes:
        life: whose it is.
        name: its name, as in the answer key.
        key: what its draws are keyed by.
        count: the number of events in it so far.
        message: the message that its events belong to.
        facts: properties that all its events share.
        cause: the event that it follows from.
    """

    __slots__ = ("cause", "count", "facts", "key", "life", "message", "name")

    def __init__(
        self,
        life: Life,
        name: str,
        key: int,
        *,
        message: Message | None = None,
        cause: Cause = 0,
    ) -> None:
        self.life = life
        self.name = name
        self.key = journey_key(life.key, name, key)
        self.count = 0
        self.message = message
        self.facts: dict[str, Any] = {}
        self.cause = cause

    @property
    def now(self) -> int:
        """The time, in seconds since the epoch."""
        return self.life.run.now

    def unit(self, name: str, occurrence: int = 0) -> float:
        """Return a number in [0, 1) that the name and the occurrence determine."""
        if occurrence:
            return draw(self.key, key_of(name) + occurrence)
        return (self.key * factor_of(name) & MASK) * UNIT

    def happens(self, name: str, occurrence: int = 0) -> bool:
        """Return whether a named chance comes true."""
        chances = self.life.run.chances
        share, limit, key, factor = chances.shares[name]
        if chances.strata is not None:
            return chances.strata.unit(self, key + occurrence) < share
        if occurrence:
            return draw(self.key, key + occurrence) < share
        return self.key * factor & MASK < limit

    def delay(self, name: str, occurrence: int = 0) -> int:
        """Return a named delay, in seconds."""
        return self.life.run.chances.delay(self.key, name, occurrence)

    def after(self, seconds: int, step: Step) -> None:
        """Take a step of this journey after some seconds."""
        life = self.life
        run = life.run
        life.sequence += 1
        run.put((run.now + seconds, life.number, life.sequence, life, step, self))

    def emit(
        self,
        event_type: str,
        *,
        device: Device | None = None,
        cause: Cause | None = None,
        revenue: Mapping[str, float] | None = None,
        **facts: Any,
    ) -> Cause:
        """Let an event happen now, and return it as the cause of others.

        Args:
            event_type: its type; one that the schema version does not have is left out of the
                stream.
            device: the device that it happens on, if that is known.
            cause: the event that it follows from; by default the journey's.
            revenue: for a conversion, what the purchases cost that it stands for, by currency.
            **facts: its properties, in addition to those of the journey.
        """
        life = self.life
        run = life.run
        self.count = count = self.count + 1
        if cause is None:
            cause = self.cause
        plan = run.plans.get(event_type)
        if plan is None and event_type not in run.catalog:
            return cause
        number = id_number(self.key, count)
        now = run.now
        if now < run.start:
            return -number
        if plan is not None:
            draft = run.draft
            draft.time = now
            draft.user = life.user
            draft.device = device
            draft.message = self.message
            run.draws.state = number & _LOW
            given = {**self.facts, **facts} if facts else self.facts
            event = run.form(plan, draft, given, number)
            run.out.append((event_type, event, self, cause, revenue))
        return number
