"""`World`: the users, apps and messages of a workspace, and the traffic they make."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import Literal

from ..catalog import Catalog, EventType
from ..errors import OptionError
from ..events import Event
from ._audience import Audience, make_audience
from ._draws import Draws, mix
from ._ids import uuid4
from ._placeholders import make_placeholder
from ._plan import Plan, make_plan
from ._samples import fill, make_sample
from ._traffic import AudienceRule, check_tables, traffic_rule
from .fields import Draft, source_of
from .journeys import Calendar, Chances, Happening, Life, Run, acted, begin, unnamed_types, visit
from .people.model import User
from .people.users import make_users
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

#: How long lives have been under way when a stream begins.
_WARM_UP = 3 * 86_400

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
        users: how many users it has; the first ones are the most active.
        catalog: the event types it makes, such as `Catalog.load(5)`; the newest by default. The
            tables in the catalog's directory also give the weight and audience rule of each type,
            what it belongs to (`traffic.tsv`), and the channels (`channels.tsv`).

    Attributes:
        catalog: the event types that can be made.
        users: the users, the most active first. The first one has an external id; about three
            percent of the others are anonymous and have none.
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
        self.users: tuple[User, ...] = make_users(seed, users, self.apps)
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
        event_types: Iterable[EventType | str] | None = None,
        start: int,
        until: int | None = None,
        history: Literal["running", "clean"] = "running",
        users: Iterable[int] | None = None,
        shard: tuple[int, int] = (0, 1),
    ) -> Iterator[Event]:
        """Return the events of the users' lives, in the order in which they happen."""
        for event, _, _ in self._happenings(event_types, start, until, history, users, shard):
            yield event

    def _happenings(
        self,
        event_types: Iterable[EventType | str] | None,
        start: int,
        until: int | None,
        history: str,
        users: Iterable[int] | None,
        shard: tuple[int, int],
    ) -> Iterator[Happening]:
        names = self._select(event_types)
        _check_whole("start", start, least=1, most=_LAST_TIME)
        draws = Draws()
        plans = {name: self._plan(name) for name in names}
        draft = Draft(
            event_type=self.catalog[names[0]],
            names=frozenset(),
            workspace=self._workspace,
            random=draws.random,
            bits=draws.bits,
            whole=False,
            canvas_side=False,
            time=0,
            user=self.users[0],
        )
        clean = history == "clean"
        run = Run(
            mix(self._seed, "lives", start),
            self._workspace,
            self.users,
            self.catalog,
            plans,
            draft=draft,
            draws=draws,
            chances=Chances(self.catalog),
            calendar=Calendar(self._workspace),
            acted=acted,
            visit=visit,
            unnamed=[
                (self._plan(name), traffic_rule(name, self.catalog.directory).weight)
                for name in unnamed_types([*self.catalog])
            ],
            start=start,
            until=_LAST_TIME if until is None else until,
            newcomers=clean,
        )
        number, count = shard
        for person in range(len(self.users)) if users is None else users:
            if person % count == number:
                life = Life(run, person)
                life.at(start if clean else start - _WARM_UP, begin, life)
        return run.happenings()

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
                self._audiences[key] = make_audience(self.users, rule.audience, required)
            self._plans[name] = make_plan(event_type, self._workspace, rule, self._audiences[key])
        return self._plans[name]


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
