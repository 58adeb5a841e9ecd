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

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

import gevent
from locust import User, events, task
from locust.env import Environment
from locust.exception import StopUser
from locust.runners import MasterRunner, WorkerRunner

from ._locust_shards import SHARDS, Assignment, ShardedEvents
from .current import Current
from .delivery import Action, Attempt, Drop, Hooks, Sender
from .errors import CurrentError, CurrentsExportError, NotTakenError
from .events import Event
from .simulation import Scenario, World, load_scenario

__all__ = ["CurrentsUser"]

_log = logging.getLogger("currents_export.locust")

#: Seconds between two looks at the workers, and before a user without events looks again.
_GLANCE, _IDLE = 0.5, 0.05
#: How many events a Locust user takes at once.
_CHUNK = 250
_TAKE, _GIVE_BACK, _GIVEN_BACK = "currents_take", "currents_give_back", "currents_given_back"
_REPORT = "currents_export"


class CurrentsUser(User):
    """A Locust user that sends the events of a world as a Current does; subclass it.

    A Locust user is one connection of the Current: it has one request at a time, with a batch of
    events of one type, and sends it again after a failure. So the number of Locust users is the
    number of requests at once; the people whose events are sent are those of the world. All Locust
    users of a class send the events of one world, whichever process they are in, and each event is
    sent by one of them. When workers come and go, their part of the world moves.

    A test without users of other kinds ends when the world has no more events; if the scenario has
    no `until`, it needs `--run-time`.
    In Locust's statistics, `POST <event type>` has the requests, and `EVENT delivered` the events,
    which `Aggregated` does not include.

    Attributes:
        current: the Current, or its TOML file; by default, one whose endpoint is `--host`.
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
        if isinstance(self.current, Current):
            return self.current
        if self.current is not None:
            return Current.load(self.current)
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
            gevent.sleep(_IDLE)

    def _send(self, taken: list[Event], source: _Source) -> None:
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


class _Source(ShardedEvents):
    """The events that the users of a class send in this process, not before they happen."""

    def __init__(self, kind: type[CurrentsUser], start: int, shards: int) -> None:
        scenario = kind.scenario
        if isinstance(scenario, Path | str):
            scenario = load_scenario(scenario)
        if kind.world_start is not None:
            start = kind.world_start
        elif scenario is not None and scenario.start is not None:
            start = scenario.start
        super().__init__(World(kind.seed, users=kind.people, scenario=scenario), start, shards)
        self._pace, self._began, self._from = kind.pace, time.monotonic(), start

    def take(self, most: int, until: float = float("inf")) -> list[Event]:
        """Return the next events, as `ShardedEvents` does."""
        if self._pace is not None:
            until = min(until, self._from + (time.monotonic() - self._began) * self._pace)
        return super().take(most, until)


class _Node:
    """What the users of a process share: the sources of events by the names of their classes."""

    def __init__(self, environment: Environment) -> None:
        self.sources: dict[str, _Source] = {}
        self._kinds = {
            each.__name__: each
            for each in environment.user_classes
            if issubclass(each, CurrentsUser)
        }
        self._run: int | None = None
        #: The shards that are being taken, since that takes a while.
        self._coming: set[tuple[str, int]] = set()
        runner = environment.runner
        if isinstance(runner, WorkerRunner):
            self._runner = runner
            runner.register_message(_TAKE, self._take, concurrent=True)
            runner.register_message(_GIVE_BACK, self._give_back, concurrent=True)
            _listen(environment.events.report_to_master, self._report)
            _listen(environment.events.test_start, self._forget)
        else:
            _listen(environment.events.test_start, self._start)
            _listen(environment.events.test_stop, self._forget)
            gevent.spawn(self._watch, environment)

    def _watch(self, environment: Environment) -> None:
        """End a test in this process only when there are no more events."""
        while True:
            gevent.sleep(_GLANCE)
            if self.sources and all(each.finished for each in self.sources.values()):
                self.sources.clear()
                _end(environment)

    def _start(self, **_: Any) -> None:
        """Begin a test in this process only."""
        for name, kind in self._kinds.items():
            self.sources[name] = source = _Source(kind, int(time.time()), 1)
            deque(source.add(0, 0), maxlen=0)

    def _forget(self, **_: Any) -> None:
        """Forget the events of an earlier test."""
        self.sources.clear()
        self._coming.clear()

    def _take(self, msg: Any, **__: Any) -> None:
        data = msg.data
        name = data["class"]
        if data["run"] != self._run:
            self._forget()
            self._run = data["run"]
        self._coming |= {(name, shard) for shard, _ in data["shards"]}
        if name not in self.sources:
            self.sources[name] = _Source(self._kinds[name], data["start"], SHARDS)
        source = self.sources[name]
        for shard, position in data["shards"]:
            for _ in source.add(shard, position):
                gevent.sleep(0)  # let others run
            self._coming.discard((name, shard))

    def _give_back(self, msg: Any, **_: Any) -> None:
        data = msg.data
        name = data["class"]
        while any((name, shard) in self._coming for shard in data["shards"]):
            gevent.sleep(_IDLE)
        source = self.sources.get(name)
        if source is None or data["run"] != self._run:
            return
        found = [(shard, source.remove(shard)) for shard in data["shards"]]
        shards = [(shard, position) for shard, position in found if position is not None]
        self._runner.send_message(_GIVEN_BACK, {**data, "shards": shards})

    def _report(self, data: dict[str, Any], **_: Any) -> None:
        coming = {name for name, _ in self._coming}
        data[_REPORT] = {
            "run": self._run,
            "sources": {
                name: {
                    "positions": source.positions(),
                    "finished": source.finished and name not in coming,
                }
                for name, source in self.sources.items()
            },
        }


class _Master:
    """Divides the worlds among the workers that have users."""

    def __init__(self, environment: Environment, runner: MasterRunner) -> None:
        self._environment, self._runner = environment, runner
        self._run, self._start_time = 0, 0
        self._assignments: dict[str, Assignment] = {}
        runner.register_message(_GIVEN_BACK, self._given_back)
        _listen(environment.events.worker_report, self._reported)
        _listen(environment.events.test_start, self._start)
        _listen(environment.events.test_stop, lambda **_: self._assignments.clear())
        runner.greenlet.spawn(self._watch)

    def _start(self, **_: Any) -> None:
        self._start_time = int(time.time())
        # Another master's runs, before it was started again, have other numbers.
        self._run = max(self._run + 1, self._start_time)
        self._assignments = {
            each.__name__: Assignment()
            for each in self._environment.user_classes
            if issubclass(each, CurrentsUser)
        }

    def _watch(self) -> None:
        while True:
            gevent.sleep(_GLANCE)
            self._divide()

    def _divide(self) -> None:
        clients = self._runner.clients
        connected = {each.id: each for each in clients.ready + clients.spawning + clients.running}
        for name, assignment in [*self._assignments.items()]:
            working = [
                client_id
                for client_id, each in connected.items()
                if each.user_classes_count.get(name)
            ]
            moves = assignment.update(working, connected)
            for client_id, shards in moves.give_back.items():
                self._ask_back(name, client_id, shards)
            for client_id, positions in moves.take.items():
                _log.info("%s takes %d parts of the world of %s", client_id, len(positions), name)
                data = {
                    "run": self._run,
                    "class": name,
                    "start": self._start_time,
                    "shards": [*positions.items()],
                }
                self._runner.send_message(_TAKE, data, client_id)

    def _ask_back(self, name: str, client_id: str, shards: Sequence[int]) -> None:
        _log.info("%s gives back %d parts of the world of %s", client_id, len(shards), name)
        data = {"run": self._run, "class": name, "shards": shards}
        self._runner.send_message(_GIVE_BACK, data, client_id)

    def _given_back(self, msg: Any, **_: Any) -> None:
        data = msg.data
        if data["run"] == self._run and (known := self._assignments.get(data["class"])):
            known.release(msg.node_id, data["shards"])
            self._divide()

    def _reported(self, client_id: str, data: Mapping[str, Any], **_: Any) -> None:
        report = data.get(_REPORT, {})
        if report.get("run") == self._run:
            for name, found in report["sources"].items():
                if (known := self._assignments.get(name)) is None:
                    continue
                # A worker that was out of reach has shards that others have now.
                if others := known.report(client_id, **found):
                    self._ask_back(name, client_id, others)
            if self._assignments and all(each.finished for each in self._assignments.values()):
                self._assignments.clear()
                _end(self._environment)


def _listen(hook: Any, listener: Callable[..., None]) -> None:
    """Call a listener when something happens; the hooks of Locust have no types."""
    hook.add_listener(listener)


def _end(environment: Environment) -> None:
    """End the test, and the process if there is no web page on which to start another one.

    Users of other kinds do not end, so with them, the test goes on.
    """
    options, runner = environment.parsed_options, environment.runner
    all_ended = all(issubclass(each, CurrentsUser) for each in environment.user_classes)
    if runner is not None and all_ended:
        headless = options is not None and options.headless
        gevent.spawn(runner.quit if headless else runner.stop)


_nodes: WeakKeyDictionary[Environment, _Node] = WeakKeyDictionary()


def _node_of(environment: Environment) -> _Node:
    if environment not in _nodes:
        _nodes[environment] = _Node(environment)
    return _nodes[environment]


def _on_init(environment: Environment, runner: Any, **_: Any) -> None:
    if isinstance(runner, MasterRunner):
        _Master(environment, runner)
    else:
        _node_of(environment)


_listen(events.init, _on_init)
