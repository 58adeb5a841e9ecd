"""When people enter a run: in an order that needs no look at anybody before their time."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from .._draws import MASK, draw, mix, permute, stir
from ..people.model import Place
from ..people.places import PLACES
from ._calendar import Calendar, Occurrence, begin_of, week_of
from ._chances import Chances
from ._curve import DAY

__all__ = ["DAILY", "SETTLING", "THERE", "Entries", "Entry"]

#: How many people are there from the beginning, so that their journeys are under way. Each of them
#: delays the first event.
THERE = 4_000
#: The campaigns of this time at the beginning, in seconds, do not reach the others.
SETTLING = 600
#: Sessions a day of an active user: 14 a month. Source: Swrve 2014.
DAILY = 14 / 30
#: How many of the others enter one after the other.
_BLOCK = 1_024

#: Braze's ids count the seconds in 32 bits.
_LAST = 2**32 - 1

#: When a person enters, who that is, and whether a session is the reason.
Entry = tuple[int, int, bool]


class Entries:
    """When people enter who are not there from the beginning.

    A person enters with the first session, or when the first scheduled campaign reaches them,
    whichever comes first. The times of the first sessions have the distribution that independent
    people would have, but are drawn for a block of people in ascending order, and then given to
    these people in a shuffled order. So nothing needs to be drawn before its time comes. Shortly
    before campaigns begin to go out, at a different time in each block, the rest of the block is
    looked at.

    Args:
        seed_key: what all draws are keyed by.
        home: returns where a person lives.
        calendar: the campaigns.
        chances: the chances and delays.
        start: when the stream begins.
        newcomers: whether everybody's first session is the first one ever.
    """

    def __init__(
        self,
        seed_key: int,
        home: Callable[[int], Place],
        calendar: Calendar,
        chances: Chances,
        start: int,
        *,
        newcomers: bool,
    ) -> None:
        self._seed_key = seed_key
        self._home = home
        self._calendar = calendar
        self._chances = chances
        self._start = start
        self._newcomers = newcomers
        self._since = start + SETTLING
        self._there: dict[tuple[str, str], Sequence[Occurrence]] = {}
        self._weeks = (week_of(self._since), week_of(self._since) + 1)

    def of(self, people: Collection[int]) -> Iterator[Iterator[Entry]]:
        """Yield the entries of the people in each block, in order."""
        blocks: Iterable[int]
        if isinstance(people, range):
            late = people[max(0, -(-(THERE - people.start) // people.step)) :]
            ends = (late[0] - THERE, late[-1] - THERE) if late else (0, -1)
            blocks = range(ends[0] // _BLOCK, ends[1] // _BLOCK + 1)
        else:
            people = frozenset(people)
            blocks = {(person - THERE) // _BLOCK for person in people if person >= THERE}
        first = min(self._first_campaigns())
        for block in blocks:
            yield self._of_block(block, people, first)

    def _of_block(self, block: int, people: Collection[int], first: int) -> Iterator[Entry]:
        key = mix(self._seed_key, "entries", block)
        look = first - SETTLING * draw(key, -1)
        # People who enter in the same second must enter in their order.
        sessions = (
            entry
            for _, together in groupby(self._sessions(block), itemgetter(0))
            for entry in sorted(together)
            if entry[1] in people
        )
        rest: list[tuple[int, int]] = []
        for time, person in sessions:
            if time >= look:
                rest = [(time, person), *sessions]
                break
            yield time, person, True
        # There can be a million of these, so they are kept as numbers.
        numbers = array("Q", sorted(self._with_campaigns(*each) for each in rest))
        del rest
        for number in numbers:
            yield number >> 32, number >> 1 & 0x7FFFFFFF, bool(number & 1)

    def _sessions(self, block: int) -> Iterator[tuple[int, int]]:
        """Yield the time of the first session of each person, and the person, in order."""
        key = mix(self._seed_key, "entries", block)
        # The smallest of some numbers in [0, 1), then the smallest of the others above it, and so
        # on. The share of people who began no session within some days is 1 / (1 + DAILY * days),
        # because both the time and the activity are exponentially distributed.
        share = 1.0
        for rank in range(_BLOCK):
            share *= (1.0 - draw(key, rank)) ** (1.0 / (_BLOCK - rank))
            if self._newcomers:
                wait = self._chances.quantile("session.first", 1.0 - share)
            else:
                wait = int((1.0 / share - 1.0) / DAILY * DAY)
            person = THERE + block * _BLOCK + permute(rank, _BLOCK, key)
            yield min(self._start + wait, _LAST), person

    def _with_campaigns(self, session: int, person: int) -> int:
        """Return when a person enters whose first session comes at a time, as one number.

        Its bits are the time, the person, and whether a session is the reason.
        """
        time = self._first_message(session, person)
        return min(time, session) << 32 | person << 1 | (session <= time)

    def _first_message(self, until: int, person: int) -> int:
        """Return when the first campaign reaches a person, unless that is later than `until`."""
        key, place = stir(self._seed_key, person), self._home(person)
        there = self._there.get((place.region, place.timezone))
        if there is None:
            there = self._there[place.region, place.timezone] = self._occurrences(place)
        chances = self._chances
        drawn = chances.strata is None
        # The loop runs for everybody, so it draws by itself.
        for occurrence in there:
            if occurrence.time >= until:
                return occurrence.time
            if (
                key * occurrence.factor & MASK < occurrence.limit
                if drawn
                else chances.of_person(person, key, occurrence.audience) < occurrence.campaign.share
            ):
                return occurrence.time + chances.delay(key ^ occurrence.key, "message.burst")
        return begin_of(self._weeks[-1] + 1)

    def _occurrences(self, place: Place) -> Sequence[Occurrence]:
        """Return the campaigns that can be the first to reach somebody at a place, in order."""
        return [
            occurrence
            for week in self._weeks
            for occurrence in self._calendar.occurrences(place, week)
            if occurrence.time > self._since
        ]

    def _first_campaigns(self) -> Iterator[int]:
        """Yield when the first scheduled campaign goes out to people at each place."""
        for place in PLACES:
            for week in self._weeks:
                for occurrence in self._calendar.occurrences(place, week):
                    if occurrence.time > self._since:
                        yield occurrence.time
                        break
        yield from (time for _, time in self._calendar.single if time > self._since)
        yield begin_of(self._weeks[-1] + 1)
