"""`World`: the users, apps and messages of a workspace, and the traffic they make."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Literal

from ..catalog import Catalog, EventType
from ..errors import OptionError
from ..events import Event
from ._audience import Audience, make_audience
from ._draws import mix
from ._ids import uuid4
from ._pace import paced
from ._placeholders import make_placeholder
from ._plan import Plan, make_plan
from ._samples import fill, make_sample
from ._traffic import AudienceRule, check_tables, traffic_rule
from .answer_key import KeyRecord
from .fields import Draft, source_of
from .journeys import Chances, Run, new_run, record_of, unnamed_types
from .people.model import User
from .people.people import People
from .workspace.make import make_workspace
from .workspace.model import (
    Agent,
    App,
    Campaign,
    Canvas,
    CanvasDestination,
    EmailSender,
    LandingPage,
    Product,
    SubscriptionGroup,
    Survey,
)

__all__ = ["SAMPLE_TIME", "World"]

#: The default time of samples: 2026-07-01 12:00:00 UTC.
SAMPLE_TIME = 1_782_907_200

#: How many users are tried out, and for how long, to learn how many events users make.
_PILOTS, _PILOT_TIME = 200, 7 * 86_400

#: The users of samples come from this many of the first ones.
_CANDIDATES = 1_000

#: Braze's ids count the seconds in 32 bits, so this is the last one: in the year 2106.
_LAST_TIME = 2**32 - 1


class World:
    """A workspace and its users, from which coherent events are drawn.

    The same arguments give the same events, byte for byte, in every process with the same versions
    of currents-export and Faker (whose lists of names change between versions). Nobody in a world
    can be reached: its addresses are on domains that RFC 2606 reserves, and its phone numbers are
    in ranges that are reserved for fiction or never assigned.

    Args:
        seed: selects the world; the number of users and the schema version do not change anyone in
            it.
        users: how many users it has; they are made when they are needed, so a million are possible.
        catalog: the event types it makes, such as `Catalog.load(5)`; the newest by default. The
            tables in the catalog's directory also give the weight and audience rule of each type,
            what it belongs to (`traffic.tsv`), and the channels (`channels.tsv`).

    Attributes:
        catalog: the event types that can be made.
        users: the users, made when they are needed. The first one has everything that a user can
            have; about three percent of the others are anonymous and have no external id.
        app_group_id: the id of the workspace.
        brand: the name of the brand.
        domain: the brand's domain, under `.example`.
        apps: an app for each platform.
        campaigns: the campaigns.
        canvases: the Canvases.
        subscription_groups: the subscription groups, with their senders.
        email_senders: the senders of email.
        landing_pages: the landing pages.
        surveys: the surveys.
        destinations: the external destinations to which Canvases pass users.
        products: the products of the shop.
        agents: the agents of the agent console.

    Raises:
        OptionError: `users` is less than 1, or an argument has the wrong type.
        CatalogError: `traffic.tsv` or `channels.tsv` is invalid; all problems are listed together.
    """

    def __init__(
        self, seed: int = 0, *, users: int = 1_000, catalog: Catalog | None = None
    ) -> None:
        _check_whole("seed", seed)
        _check_whole("users", users, least=1)
        if catalog is not None and not isinstance(catalog, Catalog):
            raise OptionError(
                f"catalog is {catalog!r}; it must be a Catalog, such as Catalog.load(5)"
            )
        self.catalog = Catalog.load() if catalog is None else catalog
        check_tables(self.catalog.directory)
        self._seed = seed
        self._workspace = workspace = make_workspace(seed, self.catalog.directory)
        self.app_group_id: str = workspace.app_group_id
        self.brand: str = workspace.brand
        self.domain: str = workspace.domain
        self.apps: tuple[App, ...] = workspace.apps
        self.campaigns: tuple[Campaign, ...] = workspace.campaigns
        self.canvases: tuple[Canvas, ...] = workspace.canvases
        self.subscription_groups: tuple[SubscriptionGroup, ...] = workspace.subscription_groups
        self.email_senders: tuple[EmailSender, ...] = workspace.email_senders
        self.landing_pages: tuple[LandingPage, ...] = workspace.landing_pages
        self.surveys: tuple[Survey, ...] = workspace.surveys
        self.destinations: tuple[CanvasDestination, ...] = workspace.destinations
        self.products: tuple[Product, ...] = workspace.products
        self.agents: tuple[Agent, ...] = workspace.agents
        self._people = People(seed, users, self.apps)
        self.users: Sequence[User] = self._people
        self._plans: dict[str, Plan] = {}
        self._audiences: dict[tuple[AudienceRule, frozenset[str]], Audience] = {}

    def __repr__(self) -> str:
        directory = self.catalog.directory
        where = f", {str(directory)!r}" if directory else ""
        return (
            f"World({self._seed}, users={len(self.users)}, "
            f"catalog=Catalog.load({self.catalog.schema_version}{where}))"
        )

    def sample(
        self, event_type: EventType | str, *, time: int | None = None, canvas: bool = False
    ) -> Event:
        """Return one event of a type, with every field that can occur together.

        Some fields exclude each other, so there are two samples of a type; together they have
        every field. The first one belongs to a campaign if it can, and the other one, the Canvas
        side, to a Canvas. If fields exclude each other for another reason, the first one has the
        larger set:

        | event types | first | Canvas side |
        |---|---|---|
        | on devices | an iPhone's fields | a browser's fields |
        | subscription changes | email | push; SMS |
        | `canvasstep.Progression` | goes on: `next_step_id` | leaves: `exit_reason` |
        | Live Activities | an update of a running one | a start |
        | `whatsapp.InboundReceive` | a filled form | a button, a picture and a product |
        | `line.InboundReceive` | a text | a picture |
        | `survey.Response` | an NPS score with a comment | the other answers; a landing page |

        If two events cannot keep all sets apart (surveys, WhatsApp replies), the Canvas side has
        more fields than one real event would. In a sample, a machine opened the email, and a bot is
        suspected of a click. The same world gives the same sample of a type, regardless of earlier
        calls; a sample at another time has another id.

        Args:
            event_type: the type, or its name.
            time: when it happens, in seconds since the epoch; by default 2026-07-01 12:00:00 UTC
                (1782907200).
            canvas: whether to return the Canvas side.

        Raises:
            UnknownNameError: the schema version has no such type.
            OptionError: `time` is not between 1 and 4294967295.
        """
        plan = self._plan(self.catalog[_name(event_type)].name)
        name, time = plan.event_type.name, _sample_time(time)
        drafts = [
            self._draft(f"{self._seed}:{name}:{side}", plan, whole=True, canvas_side=side)
            for side in (False, True)
        ]
        for draft in drafts:
            draft.time = time
        first = make_sample(plan, drafts[0], self._id(name, "", time))
        second = make_sample(
            plan,
            drafts[1],
            self._id(name, "canvas", time),
            beside=frozenset((*first.user, *first.properties)),
        )
        fill(first, plan, drafts[0], others=second)
        return second if canvas else first

    def placeholder(self, event_type: EventType | str, *, time: int | None = None) -> Event:
        """Return an event of a type whose values match only the data type.

        Braze's "Send Test Events" sends such events: `campaign_name` is the text
        `campaign_name`. The event has all fields, including the ids of both a campaign and a
        Canvas.

        Args:
            event_type: the type, or its name.
            time: when it happens, as for `sample`.

        Raises:
            UnknownNameError: the schema version has no such type.
            OptionError: `time` is not between 1 and 4294967295.
        """
        found, time = self.catalog[_name(event_type)], _sample_time(time)
        event_id = self._id(found.name, "placeholder", time)
        return make_placeholder(found, time=time, event_id=event_id)

    def events(
        self,
        *,
        start: int,
        until: int | None = None,
        event_types: Iterable[EventType | str] | None = None,
        users: Iterable[int] | None = None,
        shard: tuple[int, int] = (0, 1),
        history: Literal["running", "clean"] = "running",
        rate: float | None = None,
        pace: float | None = None,
        key: Callable[[KeyRecord], object] | None = None,
    ) -> Iterator[Event]:
        """Return the events of the users' lives, in the order in which they happen.

        The lives hang together: every effect has its cause. The same world and `start` give the
        same lives; the other arguments only choose from them. A part of the types, users or shards
        gives the same events as the whole without the rest, and a later `until` only adds events.

        Args:
            start: the time of the first event, in seconds since the epoch.
            until: the time after the last event; by default the stream has no end (before the year
                2106), and `itertools.islice` takes as many events as needed.
            event_types: types, or whatever `Catalog.select` takes: names, families, globs; by
                default all types.
            users: the numbers of the users whose events are wanted, such as `range(100)` or
                `[7]`; by default all.
            shard: `(k, n)` for the k-th of n parts, from 0; users are divided by their numbers, and
                the parts together, in order, are the whole.
            history: `running`: the world has existed before `start`, so sessions are open, and
                opens of yesterday's messages come. `clean`: nothing has happened before, and each
                user's first session is yet to come.
            rate: about how many events a second are wanted; it chooses how many users are active,
                the first ones. `count_active` returns that number.
            pace: how many seconds of the world pass in a second of real time: 1 for events as they
                happen; by default as fast as possible. It changes no event.
            key: called with the entry in the answer key before each event.

        Raises:
            UnknownNameError: the schema version has no such type.
            OptionError: an argument is out of range, or the world has too few users for the rate.
        """
        names = self._select(event_types)
        _check_whole("start", start, least=1, most=_LAST_TIME)
        if until is not None:
            _check_whole("until", until, least=start, most=_LAST_TIME)
        people = self._choose(users, shard)
        if rate is not None:
            active = self.count_active(rate, start=start, event_types=event_types)
            people = _below(people, active)
        _check_number("pace", pace)
        run = self._run(names, start, until, history=history)
        run.enter(people)
        events = _events_of(run, key)
        return events if pace is None else paced(events, start, pace)

    def count_active(
        self,
        rate: float,
        *,
        start: int,
        event_types: Iterable[EventType | str] | None = None,
    ) -> int:
        """Return how many users make about so many events a second.

        Args:
            rate: how many events a second.
            start: when the stream begins.
            event_types: the types that count; by default all.

        Raises:
            OptionError: the world has too few users, or an argument is out of range.
        """
        _check_number("rate", rate)
        pilots = min(_PILOTS, len(self.users))
        run = self._run(self._select(event_types), start, start + _PILOT_TIME, history="running")
        run.enter(range(pilots))
        made = run.count()
        wanted = math.ceil(rate * _PILOT_TIME * pilots / made) if made else 0
        if not 0 < wanted <= len(self.users):
            most = made / pilots / _PILOT_TIME * len(self.users)
            raise OptionError(
                f"rate is {rate!r}; the {len(self.users):,} users of this world make about "
                f"{most:.2g} such events a second: make it larger, such as "
                f"World(users={max(wanted, 1)})"
            )
        return wanted

    def _choose(self, users: Iterable[int] | None, shard: tuple[int, int]) -> Collection[int]:
        """Return the numbers of the users, in order."""
        number, count = shard
        _check_whole("shard", count, least=1)
        if not 0 <= number < count:
            raise OptionError(f"shard is {shard!r}; its first number must be from 0 to {count - 1}")
        if users is None:
            return range(number, len(self.users), count)
        everybody = range(len(self.users))
        if isinstance(users, range) and users and everybody[users.start : users.stop] == users:
            first = users.start + (number - users.start) % count
            return range(first, users.stop, count)
        chosen = sorted(set(users))
        for each in (*chosen[:1], *chosen[-1:]):
            if not 0 <= each < len(self.users):
                raise OptionError(
                    f"users has {each}; the users of this world are 0 to {len(self.users) - 1}"
                )
        return [each for each in chosen if each % count == number]

    def _run(self, names: Iterable[str], start: int, until: int | None, *, history: str) -> Run:
        if history not in ("running", "clean"):
            raise OptionError(f"history is {history!r}; it must be running or clean")
        unnamed = [
            (self._plan(name), traffic_rule(name, self.catalog.directory).weight)
            for name in unnamed_types(list(self.catalog))
        ]
        return new_run(
            mix(self._seed, "lives", start),
            self._workspace,
            self._people,
            self.catalog,
            {name: self._plan(name) for name in names},
            chances=Chances(self.catalog),
            unnamed=unnamed,
            start=start,
            until=_LAST_TIME if until is None else until,
            newcomers=history == "clean",
        )

    def _select(self, event_types: Iterable[EventType | str] | None) -> list[str]:
        if event_types is None:
            if not self.catalog:
                raise OptionError("the catalog has no event types")
            return list(self.catalog)
        if isinstance(event_types, str | EventType):
            raise OptionError(
                f"event_types is {_name(event_types)!r}; it must be a collection; use a list"
            )
        names = [_name(each) for each in event_types]
        if not names:
            raise OptionError("event_types is empty; give at least one, or leave it out for all")
        return [each.name for each in self.catalog.select(*names)]

    def _draft(self, key: str, plan: Plan, *, whole: bool, canvas_side: bool = False) -> Draft:
        rng = random.Random(key)
        return Draft(
            event_type=plan.event_type,
            names=plan.names,
            workspace=self._workspace,
            random=rng.random,
            bits=rng.getrandbits,
            whole=whole,
            canvas_side=canvas_side,
            time=0,
            user=self.users[0],
        )

    def _id(self, name: str, kind: str, time: int) -> str:
        return uuid4(random.Random(f"{self._seed}:{name}:{kind}:{time}").getrandbits)

    def _plan(self, name: str) -> Plan:
        if name not in self._plans:
            event_type = self.catalog[name]
            rule = traffic_rule(name, self.catalog.directory)
            required = frozenset(
                field.name
                for field in event_type.fields.values()
                if field.required
                and (source := source_of(name, field.name))
                and source.kind in ("user", "device")
            )
            key = (rule.audience, required)
            if key not in self._audiences:
                self._audiences[key] = make_audience(
                    self.users[:_CANDIDATES], rule.audience, required
                )
            self._plans[name] = make_plan(event_type, self._workspace, rule, self._audiences[key])
        return self._plans[name]


def _events_of(run: Run, key: Callable[[KeyRecord], object] | None) -> Iterator[Event]:
    for happening in run.happenings():
        if key is not None:
            key(record_of(happening))
        yield happening[0]


def _below(people: Collection[int], most: int) -> Collection[int]:
    """Return the people with numbers below a limit; a range stays one."""
    if isinstance(people, range):
        return people[: max(0, -(-(most - people.start) // people.step))]
    return [person for person in people if person < most]


def _check_number(name: str, value: object) -> None:
    """Refuse what is neither None nor a number greater than 0."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise OptionError(f"{name} is {value!r}; it must be a number greater than 0")


def _sample_time(time: int | None) -> int:
    if time is None:
        return SAMPLE_TIME
    _check_whole("time", time, least=1, most=_LAST_TIME)
    return time


def _name(event_type: EventType | str) -> str:
    return event_type.name if isinstance(event_type, EventType) else event_type


def _check_whole(name: str, value: object, *, least: int | None = None, most: int = 0) -> None:
    if type(value) is int and (least is None or value >= least) and not 0 < most < value:
        return
    limits = "" if least is None else f" of {least} or more"
    if most:
        limits = f" from {least} to {most}"
    raise OptionError(f"{name} is {value!r}; it must be a whole number{limits}")
