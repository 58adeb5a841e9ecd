"""Compare the speed of verification with a bare read of both files, and watch its memory.

Run it from the checkout: `python -m tests.benchmarks.verification`. It writes events, and the
messages that RudderStack's source makes of them in another order, to a temporary directory, about
1.7 KB for each event; `--directory` names another place, and keeps the files for the next run.

- Both files are read line by line with `orjson.loads`, and nothing else is done.
- `reconcile` compares them as `verify` does, in another process, whose memory is watched.

The figures are those of one run, in seconds of processor time; a million events by default, ten
million with `--long`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import resource
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import orjson

from currents_export.cli._garbage import collect_seldom
from currents_export.receiver.rudderstack import transform
from currents_export.simulation import World
from currents_export.verification import Verdict, reconcile

#: How many different events are repeated with other ids.
POOL = 20_000
#: Messages are shuffled within this many.
WINDOW = 1_000
START = 1_782_907_200
ADDED = {
    "rudderId": "3c7a2c5a-0c7b-4c57-9f3e-8f0a8c7bb5d0",
    "receivedAt": "2026-07-03T12:00:00.000Z",
    "request_ip": "10.0.0.1",
    "channel": "sources",
    "originalTimestamp": "2026-07-01T12:00:00.000Z",
    "sentAt": "2026-07-01T12:00:00.000Z",
}


def events(count: int) -> Iterator[dict[str, Any]]:
    """Yield events with different ids."""
    random_bits = random.Random(1).getrandbits
    pool = [each.to_dict() for each in islice(World(seed=1, users=2_000).events(start=START), POOL)]
    for each in islice(cycle(pool), count):
        yield each | {"id": str(uuid.UUID(int=random_bits(128)))}


def write(count: int, sent: Path, received: Path) -> None:
    """Write events and their messages."""
    shuffle = random.Random(2).shuffle
    waiting: list[bytes] = []
    with sent.open("wb") as out, received.open("wb") as into:
        for event in events(count):
            out.write(orjson.dumps(event) + b"\n")
            if (message := transform(event)) is not None:
                waiting.append(orjson.dumps(message | ADDED) + b"\n")
            if len(waiting) >= WINDOW:
                shuffle(waiting)
                into.writelines(waiting)
                waiting.clear()
        into.writelines(waiting)


def read(*paths: Path) -> None:
    """Read files without doing anything else."""
    for path in paths:
        with path.open("rb") as lines:
            for line in lines:
                orjson.loads(line)


def measure(sent: Path, received: Path) -> tuple[float, float, float]:
    """Compare the files; return the seconds of processor time, of the clock, and the MiB."""
    collect_seldom()
    began, clock = time.process_time(), time.perf_counter()
    report = reconcile(sent, received)
    if report.verdict is not Verdict.RIGHT:
        raise AssertionError(report.to_dict())
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return time.process_time() - began, time.perf_counter() - clock, used


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--count", type=int, default=1_000_000, help="how many events")
    parser.add_argument("--long", action="store_true", help="10 million events")
    parser.add_argument("--directory", type=Path, help="where the files are, and stay")
    options = parser.parse_args()
    count = 10_000_000 if options.long else options.count
    with tempfile.TemporaryDirectory() as temporary:
        place = options.directory or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        sent, received = place / f"sent-{count}.jsonl", place / f"received-{count}.jsonl"
        if not (sent.exists() and received.exists()):
            write(count, sent, received)
        size = (sent.stat().st_size + received.stat().st_size) / 2**20
        began = time.process_time()
        read(sent, received)
        bare = time.process_time() - began
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            took, clock, used = pool.apply(measure, (sent, received))
    print(f"{count:,} events, {size:,.0f} MiB of files, Python {sys.version.split()[0]}")
    print(f"bare read       {bare:8.1f} s")
    print(f"reconcile       {took:8.1f} s, {clock:.1f} s by the clock, {used:.0f} MiB at most")
    print(f"ratio           {took / bare:8.1f}")


if __name__ == "__main__":
    main()
