"""Divide the events of the worlds in a load test among the processes of Locust.

The master watches the workers. Those that have users get shards of each world; see
`_locust_shards.py`.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import gevent
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from ._locust_shards import SHARDS, Assignment, ShardedEvents
from .current import Current
from .events import Event
from .simulation import Scenario, World, load_scenario

__all__ = ["IDLE", "Master", "Node", "Source", "Traffic", "listen_to", "load_current"]

_log = logging.getLogger("currents_export.locust")

#: Seconds between two looks at the workers, and before somebody without events looks again.
_GLANCE, IDLE = 0.5, 0.05
#: A wait that lets everybody else run, such as the heartbeat, which must not miss three seconds.
_YIELD = 0.001
#: Seconds after which worlds are divided although some workers have no users yet.
_PATIENCE = 5.0
_TAKE, _GIVE_BACK, _GIVEN_BACK = "currents_take", "currents_give_back", "currents_given_back"
_REPORT = "currents_export"


@attrs.frozen
class Traffic:
    """What the users of a class send; the attributes are those of `CurrentsUser`."""

    current: Current | Path | str | None
    scenario: Scenario | Path | str | None
    seed: int | None
    people: int | None
    start: int | None
    pace: float | None


Traffics = Callable[[], Mapping[str, Traffic]]


def load_current(current: Current | Path | str) -> Current:
    """Return a Current, or load it from its TOML file."""
    return current if isinstance(current, Current) else Current.load(current)


class Source(ShardedEvents):
    """The events that the users of a class send in this process, not before they happen.

    Args:
        traffic: what they are.
        start: when they begin, in seconds since the epoch, if the traffic does not say so.
        elapsed: for how many seconds the test has run.
        shards: how many shards the world has.
    """

    def __init__(self, traffic: Traffic, start: int, elapsed: float, shards: int) -> None:
        current = None if traffic.current is None else load_current(traffic.current)
        catalog = None if current is None else current.catalog
        scenario = traffic.scenario
        if isinstance(scenario, Path | str):
            scenario = load_scenario(scenario, catalog=catalog)
        if traffic.start is not None:
            start = traffic.start
        elif scenario is not None and scenario.start is not None:
            start = scenario.start
        world = World(traffic.seed, users=traffic.people, catalog=catalog, scenario=scenario)
        selected = None
        if current is not None:
            wanted = world.catalog.select(*world.scenario.event_types)
            selected = sorted(current.selected & {each.name for each in wanted})
        super().__init__(world, start, shards, selected)
        self._pace, self._from = traffic.pace, start
        self._began = time.monotonic() - elapsed

    def take(self, most: int, until: float = float("inf")) -> list[Event]:
        """Return the next events, as `ShardedEvents` does."""
        if self._pace is not None:
            until = min(until, self._from + (time.monotonic() - self._began) * self._pace)
        return super().take(most, until)


class Node:
    """What the users of a process share.

    Args:
        environment: the environment of Locust.
        traffics: returns the traffic of each class of users, by its name.

    Attributes:
        sources: the events of each class, by its name; only once there are any.
    """

    def __init__(self, environment: Environment, traffics: Traffics) -> None:
        self.sources: dict[str, Source] = {}
        self._traffics = traffics
        self._run: int | None = None
        #: The shards that are being taken, since that takes a while.
        self._coming: set[tuple[str, int]] = set()
        runner = environment.runner
        if isinstance(runner, WorkerRunner):
            self._runner = runner
            runner.register_message(_TAKE, self._take, concurrent=True)
            runner.register_message(_GIVE_BACK, self._give_back, concurrent=True)
            listen_to(environment.events.report_to_master, self._report)
            listen_to(environment.events.test_start, self._forget)
        else:
            listen_to(environment.events.test_start, self._start)
            listen_to(environment.events.test_stop, self._forget)
            gevent.spawn(self._watch, environment)

    def _watch(self, environment: Environment) -> None:
        """End a test in this process only when there are no more events."""
        while True:
            gevent.sleep(_GLANCE)
            if self.sources and all(each.finished for each in self.sources.values()):
                self.sources.clear()
                _end(environment, self._traffics)

    def _start(self, **_: Any) -> None:
        """Begin a test in this process only."""
        for name, traffic in self._traffics().items():
            self.sources[name] = source = Source(traffic, int(time.time()), 0.0, 1)
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
            traffic, elapsed = self._traffics()[name], data["elapsed"]
            self.sources[name] = Source(traffic, data["start"], elapsed, SHARDS)
        source = self.sources[name]
        for shard, position in data["shards"]:
            for _ in source.add(shard, position):
                gevent.sleep(_YIELD)
            self._coming.discard((name, shard))

    def _give_back(self, msg: Any, **_: Any) -> None:
        data = msg.data
        name = data["class"]
        while any((name, shard) in self._coming for shard in data["shards"]):
            gevent.sleep(IDLE)
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


class Master:
    """Divides the worlds among the workers that have users.

    Args:
        environment: the environment of Locust.
        runner: its runner.
        traffics: returns the traffic of each class of users, by its name.
    """

    def __init__(self, environment: Environment, runner: MasterRunner, traffics: Traffics) -> None:
        self._environment, self._runner, self._traffics = environment, runner, traffics
        self._run, self._began = 0, 0.0
        self._assignments: dict[str, Assignment] = {}
        runner.register_message(_GIVEN_BACK, self._given_back)
        listen_to(environment.events.worker_report, self._reported)
        listen_to(environment.events.test_start, self._start)
        listen_to(environment.events.test_stop, lambda **_: self._assignments.clear())
        runner.greenlet.spawn(self._watch)

    def _start(self, **_: Any) -> None:
        self._began = time.monotonic()
        # The runs of a master have other numbers than those before it was started again.
        self._run = max(self._run + 1, int(time.time()))
        self._assignments = {name: Assignment() for name in self._traffics()}

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
            if len(working) < len(connected) and self._is_spawning():
                continue
            moves = assignment.update(working, connected)
            for client_id, shards in moves.give_back.items():
                self._ask_back(name, client_id, shards)
            for client_id, positions in moves.take.items():
                _log.info("%s takes %d parts of the world of %s", client_id, len(positions), name)
                data = {
                    "run": self._run,
                    "class": name,
                    "start": self._run,
                    "elapsed": time.monotonic() - self._began,
                    "shards": [*positions.items()],
                }
                self._runner.send_message(_TAKE, data, client_id)

    def _is_spawning(self) -> bool:
        """Return whether more workers will probably have users soon."""
        early = time.monotonic() - self._began < _PATIENCE
        return early and not self._runner.spawning_completed

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
                _end(self._environment, self._traffics)


def listen_to(hook: Any, listener: Callable[..., None]) -> None:
    """Call a listener when something happens; the hooks of Locust have no types."""
    hook.add_listener(listener)


def _end(environment: Environment, traffics: Traffics) -> None:
    """End the test, and the process if there is no web page on which to start another one.

    Users of other kinds do not end, so with them, the test goes on.
    """
    options, runner = environment.parsed_options, environment.runner
    others = {each.__name__ for each in environment.user_classes} - traffics().keys()
    if runner is not None and not others:
        headless = options is not None and options.headless
        gevent.spawn(runner.quit if headless else runner.stop)
