"""`World`: the users, apps and messages of a workspace, and the traffic they make."""

from __future__ import annotations

import math
import random
from bisect import bisect
from collections.abc import Iterable, Iterator
from itertools import accumulate

from ..catalog import Catalog, EventType
from ..errors import OptionError
from ..events import Event
from ._ids import uuid4
from ._messages import make_messages
from ._messaging import (
    make_apps,
    make_campaigns,
    make_canvases,
    make_email_senders,
    make_subscription_groups,
)
from ._mix import setting_of, weight_of
from ._model import (
    Agent,
    App,
    Campaign,
    Canvas,
    EmailSender,
    Product,
    SubscriptionGroup,
    User,
    Workspace,
)
from ._people import make_users
from ._plan import Audience, Plan, make_audience, make_plan
from ._scene import Scene
from ._shop import BRANDS, make_agents, make_products

__all__ = ["SAMPLE_TIME", "World"]

#: When samples happen by default: 2026-07-01 12:00:00 UTC.
SAMPLE_TIME = 1_782_907_200

#: Braze's ids count the seconds in 32 bits, so this is the last one: in the year 2106.
_LAST_TIME = 2**32 - 1


class World:
    """A workspace and its users, from which coherent events are drawn.

    Everything follows from the arguments: the same ones give the same events, byte by byte, in
    every process, with the same version of currents-export and of Faker (whose lists of names
    change between versions). Nobody in a world can be reached: its addresses are on domains that
    RFC 2606 reserves, its phone numbers in ranges kept for fiction or never given out.

    Args:
        seed: which world; the number of users and the schema version change no one in it.
        users: how many users it has; the first ones are the most active.
        schema_version: the version of the events it makes, by default the newest.

    Attributes:
        catalog: the event types that can be made.
        users: the users, the most active first. The first one has an external id; some three in
            a hundred of the others are anonymous and have none.
        app_group_id: the id of the workspace.
        brand: the name of the brand.
        domain: the brand's domain, under `.example`.
        apps: an app for each platform.
        campaigns: the campaigns.
        canvases: the Canvases.
        subscription_groups: the subscription groups, with who sends for them.
        email_senders: where email goes out.
        products: what is sold.
        agents: the agents of the agent console.

    Raises:
        OptionError: `users` is less than 1, or an argument is no whole number.
        UnknownNameError: there is no such schema version.
    """

    def __init__(
        self, seed: int = 0, *, users: int = 1_000, schema_version: int | None = None
    ) -> None:
        _check_whole("seed", seed)
        _check_whole("users", users, least=1)
        self.catalog = Catalog.load(schema_version)
        self._seed = seed
        self._workspace = _make_workspace(seed)
        self.app_group_id: str = self._workspace.app_group_id
        self.brand: str = self._workspace.brand
        self.domain: str = self._workspace.domain
        self.apps: tuple[App, ...] = self._workspace.apps
        self.campaigns: tuple[Campaign, ...] = self._workspace.campaigns
        self.canvases: tuple[Canvas, ...] = self._workspace.canvases
        self.subscription_groups: tuple[SubscriptionGroup, ...] = (
            self._workspace.subscription_groups
        )
        self.email_senders: tuple[EmailSender, ...] = self._workspace.email_senders
        self.products: tuple[Product, ...] = self._workspace.products
        self.agents: tuple[Agent, ...] = self._workspace.agents
        self.users: tuple[User, ...] = make_users(seed, users, self.apps)
        self._plans: dict[str, Plan] = {}
        self._audiences: dict[tuple[tuple[str, ...], ...], Audience] = {}

    def __repr__(self) -> str:
        return (
            f"World({self._seed}, users={len(self.users)}, "
            f"schema_version={self.catalog.schema_version})"
        )

    def sample(self, event_type: EventType | str, *, time: int | None = None) -> Event:
        """One event of a type, with every field that can hold together.

        Of the ids of a campaign and of a Canvas it has one set; of fields that exclude each
        other, such as those of iOS and those of a browser, the larger set. A machine opened the
        email of a sample. The same world gives the same sample of a type, whatever was asked of
        it before; at another time it has another id.

        Args:
            event_type: the type, or its name.
            time: when it happens, in seconds since the epoch; by default 2026-07-01 12:00:00 UTC
                (1782907200).

        Raises:
            UnknownNameError: the schema version has no such type.
            OptionError: `time` is not in 1 to 4294967295.
        """
        name = self.catalog[_name(event_type)].name
        time = SAMPLE_TIME if time is None else time
        _check_whole("time", time, least=1, most=_LAST_TIME)
        scene = self._scene(f"{self._seed}:{name}", whole=True)
        event = self._plan(name).draw_whole(scene, time)
        event_id = uuid4(random.Random(f"{self._seed}:{name}:{time}").getrandbits)
        return Event(event.event_type, event.time, event.user, event.properties, event_id)

    def events(
        self,
        *,
        event_types: Iterable[EventType | str] | None = None,
        start: int,
        rate: float = 10.0,
    ) -> Iterator[Event]:
        """A stream of events as in real traffic, in the order in which they happen.

        It has no end (before the year 2106); take as many as needed with `itertools.islice`. The
        same arguments give the same stream; streams that differ in any of them share no ids.

        Args:
            event_types: types, or whatever `Catalog.select` takes: names, families, globs; by
                default all types. How often each occurs is as in real traffic.
            start: when the first event happens, in seconds since the epoch.
            rate: how many events there are a second, on average.

        Raises:
            UnknownNameError: the schema version has no such type.
            OptionError: `event_types` is empty or a single name, `start` is not in 1 to
                4294967295, or `rate` is no number greater than 0.
        """
        chosen = self._select(event_types)
        _check_whole("start", start, least=1, most=_LAST_TIME)
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not (0 < rate < math.inf):
            raise OptionError(f"rate is {rate!r}; it must be a number greater than 0")
        key = f"{self._seed}:{self!r}:{start}:{float(rate)!r}:{','.join(chosen)}"
        return self._stream(chosen, self._scene(key, whole=False), start, rate)

    def _stream(self, names: list[str], scene: Scene, start: int, rate: float) -> Iterator[Event]:
        draws = [self._plan(name).draw for name in names]
        sums = list(accumulate(map(weight_of, names)))
        total, last, random_ = sums[-1], len(sums) - 1, scene.random
        now = float(start)
        while now <= _LAST_TIME:
            yield draws[bisect(sums, random_() * total, 0, last)](scene, int(now))
            now -= math.log(1.0 - random_()) / rate

    def _select(self, event_types: Iterable[EventType | str] | None) -> list[str]:
        if event_types is None:
            return list(self.catalog)
        if isinstance(event_types, str | EventType):
            raise OptionError(
                f"event_types is {_name(event_types)!r}; it must be several: put it into a list"
            )
        names = [_name(each) for each in event_types]
        if not names:
            raise OptionError("event_types is empty; give at least one, or leave it out for all")
        return [each.name for each in self.catalog.select(*names)]

    def _scene(self, key: str, *, whole: bool) -> Scene:
        rng = random.Random(key)
        return Scene(
            workspace=self._workspace,
            random=rng.random,
            bits=rng.getrandbits,
            whole=whole,
            event_type="",
            fields=frozenset(),
            time=0,
            user=self.users[0],
        )

    def _plan(self, name: str) -> Plan:
        if name not in self._plans:
            setting = setting_of(name)
            key = (setting.platforms, setting.user_has, setting.device_has)
            if key not in self._audiences:
                self._audiences[key] = make_audience(self.users, setting)
            self._plans[name] = make_plan(self.catalog[name], self._workspace, self._audiences[key])
        return self._plans[name]


def _make_workspace(seed: int) -> Workspace:
    rng = random.Random(f"{seed}:workspace")
    brand = rng.choice(BRANDS)
    domain = f"{brand.lower()}.example"
    groups = make_subscription_groups(rng, brand)
    senders = make_email_senders(rng, domain)
    campaigns, canvases = make_campaigns(rng), make_canvases(rng)
    products = make_products(rng)
    return Workspace(
        app_group_id=uuid4(rng.getrandbits),
        brand=brand,
        domain=domain,
        apps=make_apps(rng, brand),
        subscription_groups=groups,
        email_senders=senders,
        products=products,
        campaigns=campaigns,
        canvases=canvases,
        messages=make_messages(
            rng, domain, campaigns=campaigns, canvases=canvases, groups=groups, senders=senders
        ),
        news_feed_cards=tuple(uuid4(rng.getrandbits) for _ in range(6)),
        agents=make_agents(rng, products),
        catalog_id=str(rng.randrange(10**14, 10**15)),
    )


def _name(event_type: EventType | str) -> str:
    return event_type.name if isinstance(event_type, EventType) else event_type


def _check_whole(name: str, value: object, *, least: int | None = None, most: int = 0) -> None:
    if type(value) is int and (least is None or value >= least) and not 0 < most < value:
        return
    limits = "" if least is None else f" from {least}" + (f" to {most}" if most else " on")
    raise OptionError(f"{name} is {value!r}; it must be a whole number{limits}")
