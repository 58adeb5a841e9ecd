"""Compare `CurrentsUser` with a user of Locust that posts bodies which were made before.

Run it from the checkout: `python -m tests.benchmarks.locust_speed`. In each round, one process of
Locust with two users sends the events of a world, once as `CurrentsUser`, which simulates and
encodes them meanwhile, and once as `FastHttpUser`, with bodies of the same events that are ready.
The server runs in another process: this package's receiver, and a minimal one that does not hide
the clients' own work. The figures are medians.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from .servers import minimal_server, receiver

#: The least events per second, as a part of those of `FastHttpUser`.
LEAST = 0.6

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

events = islice(World().events(start=1_800_000_000), 20_000)
bodies = cycle([(body, body.count(b'"event_type"')) for body in encode_bodies(events)])

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


def events_per_second(locustfile: str, url: str, seconds: int) -> float:
    """Run Locust, and return how many events it delivered in a second."""
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        directory.joinpath("locustfile.py").write_text(locustfile, "utf-8")
        command = [sys.executable, "-m", "locust", "--headless", "--only-summary", "-u2", "-r10"]
        subprocess.run(
            [*command, f"-t{seconds}s", "--csv", "out", "--host", url.rstrip("/")],
            cwd=directory,
            check=True,
            capture_output=True,
        )
        with directory.joinpath("out_stats.csv").open(encoding="utf-8") as file:
            found = next(each for each in csv.DictReader(file) if each["Type"] == "EVENT")
    return float(found["Requests/s"])


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
                ours.append(events_per_second(CURRENTS, url, given.seconds))
                theirs.append(events_per_second(READY, url, given.seconds))
        ratio = statistics.median([one / other for one, other in zip(ours, theirs, strict=True)])
        met = met and ratio >= LEAST
        print(
            f"{name}: CurrentsUser {statistics.median(ours):,.0f} events/s, "
            f"ready bodies {statistics.median(theirs):,.0f} events/s, ratio {ratio:.2f} "
            f"({'pass' if ratio >= LEAST else 'FAIL'}: at least {LEAST})"
        )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
