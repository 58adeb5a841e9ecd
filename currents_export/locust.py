"""Load tests of a receiver with Locust: `CurrentsUser`.

A locustfile is as short as this:

    from currents_export.locust import CurrentsUser

    class Shop(CurrentsUser):
        current = "current.toml"
        scenario = "scenario.toml"

Importing this module imports Locust, which lets gevent replace threads and sockets.

Source: Locust, Writing a locustfile; Distributed load generation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

import gevent
from locust import User, events, task
from locust.env import Environment
from locust.exception import StopUser
from locust.runners import MasterRunner

from ._locust_workers import IDLE, Master, Node, Source, Traffic, listen_to, load_current
from .current import Current
from .delivery import Action, Attempt, Drop, Hooks, Sender
from .errors import CurrentError, CurrentsExportError, NotTakenError
from .events import Event
from .simulation import Scenario

__all__ = ["CurrentsUser"]

#: How many events a Locust user takes at once.
_CHUNK = 250


class CurrentsUser(User):
    """A Locust user that sends the events of a world as a Current does; subclass it.

    A Locust user is one connection of the Current: it has one request at a time, with a batch of
    events of one type, and sends it again after a failure. So the number of Locust users is the
    number of requests at once; the people whose events are sent are those of the world. All Locust
    users of a class send the events of one world, whichever process they are in, and each event is
    sent by one of them. When workers come and go, their part of the world moves. Up to 24 workers
    can have one.

    A test without users of other kinds ends when the world has no more events; if the scenario has
    no `until`, it needs `--run-time`.

    In Locust's statistics, `POST <event type>` has the requests, and `EVENT delivered` the events,
    which `Aggregated` does not include.

    Attributes:
        current: the Current, or its TOML file; by default, one whose endpoint is `--host`. Only
            events of the types that it selects are simulated.
        scenario: the scenario of the world, or its TOML file.
        seed: the seed of the world; by default the scenario's, or 0.
        people: how many users the world has; by default as in the scenario, or 1,000.
        world_start: when the events begin, in seconds since the epoch; by default as in the
            scenario, or now.
        pace: how many seconds of the world pass in a second; by default as fast as possible.
        sender_options: options of the `Sender` of each Locust user. Different from its defaults,
            batches leave after a second even if they are not full, and 2,000 events may be pending.
        patience: the seconds that a Locust user has to deliver what is pending when it stops.
    """

    abstract = True

    current: ClassVar[Current | Path | str | None] = None
    scenario: ClassVar[Scenario | Path | str | None] = None
    seed: ClassVar[int | None] = None
    people: ClassVar[int | None] = None
    world_start: ClassVar[int | None] = None
    pace: ClassVar[float | None] = None
    sender_options: ClassVar[Mapping[str, Any]] = {}
    patience: ClassVar[float] = 10.0

    def on_start(self) -> None:
        """Make the sender.

        Raises:
            CurrentsExportError: the Current or an option of the sender is not valid.
        """
        options: dict[str, Any] = {"concurrency": 1, "max_age": 1.0, "max_pending_events": 2000}
        hooks = Hooks(
            on_attempt=self._record,
            on_delivered=lambda _, ids: self._settle(ids),
            on_dropped=self._drop,
            on_filtered=lambda event, _: self._settle((event.id,)),
        )
        self._node = _node_of(self.environment)
        self._sent = 0
        self._delivered = self.environment.stats.get("delivered", "EVENT")
        self._sender = Sender(
            self._chosen_current(), hooks=hooks, **{**options, **self.sender_options}
        )

    def _chosen_current(self) -> Current:
        if self.current is not None:
            return load_current(self.current)
        if not self.host:
            raise CurrentError([("endpoint", "it is missing; set `current`, or give --host")])
        return Current(
            integration_name=type(self).__name__,
            contact_email="load-test@example.com",
            endpoint=self.host,
            allow_plain_http=True,
            include_anonymous=True,
        )

    @task
    def send_events(self) -> None:
        """Send the next events of the world; wait while there is no room for them."""
        source = self._node.sources.get(type(self).__name__)
        if source is not None and (taken := source.take(_CHUNK)):
            self._send(taken, source)
        else:
            gevent.sleep(IDLE)

    def _send(self, taken: list[Event], source: Source) -> None:
        try:
            self._sender.send(taken)
            self._sent += len(taken)
        except NotTakenError as error:  # it is paused
            source.give_back(taken[error.taken :])
            self._fail("the Current", f"{error}")
            raise StopUser from error
        except BaseException:  # Locust stops the user
            result = self._sender.result
            source.give_back(taken[result.accepted + result.filtered - self._sent :])
            raise

    def on_stop(self) -> None:
        """Deliver what is pending."""
        result = self._sender.close(self.patience)
        if result.pending:
            if (source := self._node.sources.get(type(self).__name__)) is not None:
                source.give_back(self._sender.pending())
            reason = f" ({result.reason})" if result.reason else ""
            self._fail("the Current", f"{result.pending:,} events are still pending{reason}")

    def _record(self, attempt: Attempt) -> None:
        response = attempt.response
        milliseconds = attempt.duration_s * 1000
        delivered = attempt.action is Action.DELIVERED
        what = "network error" if response.status is None else str(response.status)
        error = CurrentsExportError(f"{what}: {response.text}" if response.text else what)
        self.environment.events.request.fire(
            request_type="POST",
            name=attempt.event_type,
            response_time=milliseconds,
            response_length=0,
            response=None,
            context={"size": attempt.size, "number": attempt.number, **self.context()},
            exception=None if delivered else error,
        )
        for _ in range(attempt.size if delivered else 0):
            self._delivered.log(milliseconds, 0)

    def _fail(self, name: str, problem: str) -> None:
        self.environment.events.request.fire(
            request_type="CURRENT",
            name=name,
            response_time=None,
            response_length=0,
            response=None,
            context=self.context(),
            exception=CurrentsExportError(problem),
        )

    def _drop(self, drop: Drop) -> None:
        self._settle((drop.id,))

    def _settle(self, ids: Iterable[str]) -> None:
        if (source := self._node.sources.get(type(self).__name__)) is not None:
            source.settle(ids)


_nodes: WeakKeyDictionary[Environment, Node] = WeakKeyDictionary()


def _node_of(environment: Environment) -> Node:
    if environment not in _nodes:
        _nodes[environment] = Node(environment, lambda: _traffics(environment))
    return _nodes[environment]


def _traffics(environment: Environment) -> dict[str, Traffic]:
    return {
        each.__name__: Traffic(
            each.current, each.scenario, each.seed, each.people, each.world_start, each.pace
        )
        for each in environment.user_classes
        if issubclass(each, CurrentsUser)
    }


def _on_init(environment: Environment, runner: Any, **_: Any) -> None:
    if isinstance(runner, MasterRunner):
        Master(environment, runner, lambda: _traffics(environment))
    else:
        _node_of(environment)


listen_to(events.init, _on_init)
