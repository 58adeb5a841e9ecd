"""`World`: the users, apps and messages of a workspace, and the traffic they make."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Literal

from ..catalog import Catalog, EventType
from ..errors import OptionError
from ..events import Event
from ._checks import (
    MOST_USERS,
    SAMPLE_TIME,
    check_number,
    check_start,
    check_whole,
    choose_types,
    sample_time,
)
from ._known import check_names
from ._opening import open_stream, types_of
from ._plans import Plans
from ._singles import Singles
from ._streams import Encoded, Lives, Place
from ._traffic import check_tables
from .answer_key import KeyRecord
from .disturbances import Disturbance
from .people.model import User
from .people.people import People
from .scenario import Scenario
from .workspace.assets import Agent, CanvasDestination, LandingPage, Product, Survey
from .workspace.declare import declare
from .workspace.make import make_workspace
from .workspace.model import App, Campaign, Canvas, EmailSender, SubscriptionGroup

__all__ = ["SAMPLE_TIME", "World"]


class World:
    """A workspace and its users, from which coherent events are drawn.

    The same arguments give the same events, byte for byte, in every process with the same versions
    of currents-export and Faker (whose lists of names change between versions). Nobody in a world
    can be reached: its addresses are on domains that RFC 2606 reserves, and its phone numbers are
    in ranges that are reserved for fiction or never assigned.

    >>> from currents_export import World
    >>> world = World(seed=7, users=20)
    >>> world.event("users.messages.email.Open", campaign_name="May").properties["campaign_name"]
    'May'
    >>> world.journey("abandoned-cart")[0].event_type
    'users.behaviors.app.SessionStart'
    >>> next(world.events(start=1_782_907_200)).time >= 1_782_907_200
    True

    Args:
        seed: selects the world; the number of users and the schema version do not change anyone in
            it. By default the scenario's, or 0.
        users: how many users it has; they are made when they are needed, so a million are possible.
            By default as many as in the scenario, or 1,000.
        catalog: the event types it makes, such as `Catalog.load(5)`; the newest by default. The
            tables in the catalog's directory also give the weight and audience rule of each type,
            what it belongs to (`traffic.tsv`), and the channels (`channels.tsv`).
        scenario: the traffic that it has: further campaigns and Canvases, other rates and delays,
            disturbances and so on; see `load_scenario`.

    Attributes:
        scenario: the scenario; the default one if none was given.
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
        OptionError: `users` is not from 1 to 10 million, an argument has the wrong type, or the
            scenario has names that are unknown in this world.
        CatalogError: `traffic.tsv` or `channels.tsv` is invalid; all problems are listed together.
    """

    def __init__(
        self,
        seed: int | None = None,
        *,
        users: int | None = None,
        catalog: Catalog | None = None,
        scenario: Scenario | None = None,
    ) -> None:
        if catalog is not None and not isinstance(catalog, Catalog):
            raise OptionError(
                f"catalog is {catalog!r}; it must be a Catalog, such as Catalog.load(5)"
            )
        if scenario is not None and not isinstance(scenario, Scenario):
            raise OptionError(
                f"scenario is {scenario!r}; it must be a Scenario, such as load_scenario(path)"
            )
        self.scenario = Scenario() if scenario is None else scenario
        seed = self.scenario.seed if seed is None else seed
        users = self.scenario.users if users is None else users
        check_whole("seed", seed)
        check_whole("users", users, least=1, most=MOST_USERS)
        self.catalog = Catalog.load() if catalog is None else catalog
        check_tables(self.catalog.directory)
        check_names(self.scenario, self.catalog)
        self._seed = seed
        self._workspace = workspace = make_workspace(seed, self.catalog.directory)
        declared = declare(
            workspace,
            seed,
            self.catalog.directory,
            self.scenario.campaigns,
            self.scenario.canvases,
        )
        self.app_group_id: str = workspace.app_group_id
        self.brand: str = workspace.brand
        self.domain: str = workspace.domain
        self.apps: tuple[App, ...] = workspace.apps
        self.campaigns: tuple[Campaign, ...] = declared.campaigns
        self.canvases: tuple[Canvas, ...] = declared.canvases
        self.subscription_groups: tuple[SubscriptionGroup, ...] = workspace.subscription_groups
        self.email_senders: tuple[EmailSender, ...] = workspace.email_senders
        self.landing_pages: tuple[LandingPage, ...] = workspace.landing_pages
        self.surveys: tuple[Survey, ...] = workspace.surveys
        self.destinations: tuple[CanvasDestination, ...] = workspace.destinations
        self.products: tuple[Product, ...] = workspace.products
        self.agents: tuple[Agent, ...] = workspace.agents
        self._people = people = People(seed, users, self.apps)
        self.users: Sequence[User] = people
        self._plans = plans = Plans(self.catalog, workspace, people)
        self._singles = Singles(seed, self.catalog, workspace, people, plans)
        self._lives = Lives(seed, self.catalog, workspace, declared, people, plans, self.scenario)

    def __reduce__(self) -> tuple[Callable[[], World], tuple[()]]:
        options: dict[str, Any] = {
            "users": len(self.users),
            "catalog": self.catalog,
            "scenario": self.scenario,
        }
        return partial(World, self._seed, **options), ()

    def __repr__(self) -> str:
        directory = self.catalog.directory
        where = f", {str(directory)!r}" if directory else ""
        scenario = "" if self.scenario == Scenario() else ", scenario=..."
        return (
            f"World({self._seed}, users={len(self.users)}, "
            f"catalog=Catalog.load({self.catalog.schema_version}{where}){scenario})"
        )

    def sample(
        self,
        event_type: EventType | str,
        *,
        time: int | None = None,
        canvas: bool = False,
        id: str | None = None,  # noqa: A002 - the name of the event's attribute
        **properties: Any,
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
        calls; a sample at another time or with other properties has another id. To send the same
        sample twice, as different events, use `Event.replace`.

        Args:
            event_type: the type, or its name.
            time: when it happens, in seconds since the epoch; by default 2026-07-01 12:00:00 UTC
                (1782907200).
            canvas: whether to return the Canvas side.
            id: the id; by default, one that follows from the other arguments.
            **properties: fields to replace, as for `event`; the other fields stay as they are.

        Raises:
            UnknownNameError: the schema version has no such type, or the type no such field.
            OptionError: `time` is not between 1 and 4294967295.
            EventError: `id` is not text, or is empty.
        """
        name, time = self.catalog[_name(event_type)].name, sample_time(time)
        return self._singles.sample(name, time, properties, canvas=canvas, event_id=id)

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
        name = self.catalog[_name(event_type)].name
        return self._singles.placeholder(name, sample_time(time))

    def event(
        self,
        event_type: EventType | str,
        /,
        *,
        user: int | User | None = None,
        time: int | None = None,
        **properties: Any,
    ) -> Event:
        """Return one event of a type, with the fields that matter set.

        The other fields fit them and each other as in real traffic: the device is the user's, the
        message one of the channel. If a message or device has the given values, such as a
        `campaign_name` or a `device_id`, the event belongs to it. The same arguments give the same
        event; another time, user or value gives another id.

        Args:
            event_type: the type, or its name.
            user: the user or the user's number; by default the first who can have such an event.
            time: when it happens, as for `sample`.
            **properties: fields by name, in `properties` or `user`; None leaves a field out. Only
                the names are checked: wrong values are what some tests need.

        Raises:
            UnknownNameError: the schema version has no such type, or the type no such field.
            OptionError: the user cannot have such an event, or `time` is out of range.
        """
        name = self.catalog[_name(event_type)].name
        return self._singles.event(name, user, sample_time(time), properties)

    def journey(
        self,
        name: str,
        /,
        *,
        user: int | User | None = None,
        start: int | None = None,
        outcome: str | None = None,
        **properties: Any,
    ) -> list[Event]:
        """Return the events of one journey of one user, in the order in which they happen.

        It has the events of that story only, and those that cause it: `abandoned-cart` begins with
        the session in which the cart is left. The same arguments give the same events.
        `currents_export.simulation.stories.STORIES` has the journeys with their outcomes.

        Args:
            name: the journey, such as `abandoned-cart`.
            user: the user or the user's number; by default the first who can have the journey.
            start: when it begins, in seconds since the epoch; some outcomes, such as `quiet-hours`,
                begin at the next time of day that fits. By default 2026-07-01 12:00:00 UTC.
            outcome: how it ends, such as `converted`; by default its first outcome.
            **properties: fields that all its events with such a field have, in `properties` or
                `user`; None leaves a field out. As for `event`, only the names are checked.

        Raises:
            UnknownNameError: there is no such journey or outcome, or none of its events has such a
                field.
            OptionError: the user cannot have the journey, or an argument is out of range.
        """
        return self._singles.journey(name, user, sample_time(start, "start"), outcome, properties)

    def events(
        self,
        *,
        start: int | None = None,
        until: int | Literal["quiet"] | None = None,
        event_types: Iterable[EventType | str] | None = None,
        users: Iterable[int] | None = None,
        shard: tuple[int, int] = (0, 1),
        history: Literal["running", "clean"] | None = None,
        rate: float | None = None,
        disturbances: Iterable[Disturbance] | None = None,
        pace: float | None = None,
        key: Callable[[KeyRecord], object] | None = None,
        place: Callable[[Place], object] | None = None,
    ) -> Iterator[Event]:
        """Return the events of the users' lives, in the order in which they arrive.

        The lives hang together: every effect has its cause. The same world and `start` give the
        same lives; the other arguments only choose from them. A part of the types, users or shards
        gives the same events as the whole without the rest, and a later `until` only adds events.
        What is not given is as in the scenario, and otherwise as it says below.

        Without disturbances, events arrive when they happen.

        Args:
            start: the time of the first event, in seconds since the epoch; it must be given unless
                the scenario has one.
            until: the time after the last event; by default the stream has no end (before the year
                2106), and `itertools.islice` takes as many events as needed. With `quiet`, each
                user's events end with the last journey through the scenario's campaigns and
                Canvases, also those of this world that its `journeys` name.
            event_types: types, or whatever `Catalog.select` takes: names, families, globs; by
                default all types.
            users: the numbers of the users whose events are wanted, such as `range(100)` or
                `[7]`; by default all.
            shard: `(k, n)` for the k-th of n parts, from 0; users are divided by their numbers, and
                the parts together, in order, are the whole.
            history: `running`, the default: the world has existed before `start`, so sessions are
                open, and opens of yesterday's messages come. `clean`: nothing has happened before,
                and each user's first session is yet to come.
            rate: about how many events a second are wanted; it chooses how many users are active,
                the first ones. `count_active` returns that number.
            disturbances: what happens to the events on their way, such as `Duplicate(share=0.1)`;
                they are disturbed one by one, so these laws hold for them, too.
            pace: how many seconds of the world pass in a second of real time: 1 for events as they
                arrive; by default as fast as possible. It changes no event.
            key: called with the entry in the answer key before each event.
            place: called before each event with its place, by which the streams of shards merge
                in the order of the whole: when it arrives, when it happened, and the number of the
                user.

        Raises:
            UnknownNameError: the schema version has no such type.
            OptionError: an argument is out of range, the world has too few users for the rate, or
                there is nothing that `quiet` could wait for.
        """
        return open_stream(
            self._lives,
            start=start,
            until=until,
            event_types=event_types,
            users=users,
            shard=shard,
            history=history,
            rate=rate,
            disturbances=disturbances,
            pace=pace,
            key=key,
        ).events(place)

    def encoded_events(self, **options: Any) -> Iterator[Encoded]:
        """Return the events as JSON: for each its type, its JSON, and its place.

        They are those of `events`, as `encode_event` encodes them, but made faster.

        Args:
            **options: the arguments of `events` except `place`.

        Raises:
            UnknownNameError: as for `events`.
            OptionError: as for `events`.
        """
        return open_stream(self._lives, **options).encoded()

    def count_active(
        self,
        rate: float,
        *,
        start: int | None = None,
        event_types: Iterable[EventType | str] | None = None,
    ) -> int:
        """Return how many users make about `rate` events a second.

        Args:
            rate: how many events a second.
            start: when the stream begins; by default when the scenario does.
            event_types: the types that count; by default those of the scenario.

        Raises:
            OptionError: the world has too few users, or an argument is out of range.
        """
        check_number("rate", rate)
        names = choose_types(self.catalog, types_of(self.scenario, event_types))
        start = check_start(self.scenario.start if start is None else start)
        return self._lives.count_active(rate, names, start)


def _name(event_type: EventType | str) -> str:
    return event_type.name if isinstance(event_type, EventType) else event_type
