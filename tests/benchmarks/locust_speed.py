"""Compare `CurrentsUser` with a user of Locust that posts bodies which were made before.

Run it from the checkout: `python -m tests.benchmarks.locust_speed`. In each round, one process of
Locust with two users sends the events of a world, once as `CurrentsUser`, which simulates and
encodes them meanwhile, and once as `FastHttpUser`, with bodies of the same events that are ready.
The server runs in another process: this package's receiver, and a minimal one that does not hide
the clients' own work. The figures are medians, per second of wall time and, since other processes
may use the machine, per second of the CPU time of Locust's process.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from .servers import minimal_server, receiver

#: The least events per second, as a part of those of `FastHttpUser`.
LEAST = 0.6

MEASURE = """
import json, os, time
import gevent
from locust import events

def measure(environment):
    entry = environment.stats.get("delivered", "EVENT")
    gevent.sleep(float(os.environ["WARM_UP"]))
    count, wall, cpu = entry.num_requests, time.monotonic(), time.process_time()
    gevent.sleep(float(os.environ["SECONDS"]))
    found = entry.num_requests - count, time.monotonic() - wall, time.process_time() - cpu
    with open("figures.json", "w") as file:
        json.dump(found, file)
    gevent.spawn(environment.runner.quit)

@events.test_start.add_listener
def begin(environment, **_):
    gevent.spawn(measure, environment)
"""

CURRENTS = """
from currents_export.locust import CurrentsUser

class Bench(CurrentsUser):
    world_start = 1_800_000_000
"""

READY = """
from itertools import cycle, islice
from locust import FastHttpUser, task
from currents_export import World
from currents_export.payload import encode_bodies

bodies = cycle(
    [
        (body, body.count(b'"event_type"'))
        for body in encode_bodies(islice(World().events(start=1_800_000_000), 20_000))
    ]
)

class Bench(FastHttpUser):
    @task
    def post(self):
        body, size = next(bodies)
        headers = {"Content-Type": "application/json", "Braze-Currents-Version": "1"}
        self.client.post("/", data=body, headers=headers, name="ready")
        entry = self.environment.stats.get("delivered", "EVENT")
        for _ in range(size):
            entry.log(1, 0)
"""


class Speed(NamedTuple):
    """How many events one process delivered in a second, and in a second of its CPU time."""

    wall: float
    cpu: float


def speed(locustfile: str, url: str, seconds: int) -> Speed:
    """Run Locust, and return how fast it was after a while."""
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        directory.joinpath("locustfile.py").write_text(MEASURE + locustfile, "utf-8")
        command = [sys.executable, "-m", "locust", "--headless", "--only-summary", "-u2", "-r10"]
        subprocess.run(
            [*command, "--host", url.rstrip("/")],
            cwd=directory,
            env={**os.environ, "WARM_UP": "3", "SECONDS": f"{seconds}"},
            check=True,
            capture_output=True,
        )
        count, wall, cpu = json.loads(directory.joinpath("figures.json").read_text("utf-8"))
    return Speed(count / wall, count / cpu)


def main() -> int:
    """Compare the two, print the figures, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10)
    given = parser.parse_args()
    met = True
    for name, server in (("receiver", receiver), ("minimal server", minimal_server)):
        ours, theirs = [], []
        with server() as url:
            for _ in range(given.rounds):
                ours.append(speed(CURRENTS, url, given.seconds))
                theirs.append(speed(READY, url, given.seconds))
        for field in Speed._fields:
            pairs = [
                (getattr(a, field), getattr(b, field)) for a, b in zip(ours, theirs, strict=True)
            ]
            ratio = statistics.median([one / other for one, other in pairs])
            met = met and ratio >= LEAST
            one, other = (statistics.median(each) for each in zip(*pairs, strict=True))
            print(
                f"{'pass' if ratio >= LEAST else 'FAIL'}  {name}, per second of {field} time: "
                f"CurrentsUser {one:,.0f} events, ready bodies {other:,.0f}, ratio {ratio:.2f}"
            )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
