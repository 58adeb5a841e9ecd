"""Measure the speed and the memory of generated traffic against their targets.

Run it from the checkout: `python -m tests.benchmarks.generation`. It prints a table, and exits with
1 if a target is missed. Every figure is the median of the rounds; ratios are taken within a round,
so that the load of the machine matters less. Times are CPU times of the process, except where
processes are compared, which need as many idle cores.

- The baseline is what a person writes with Faker: a call for each field of an email open, encoded
  with orjson. It knows no users, no messages and no causes.
- A world's events are made and encoded as `generate` does; the clock starts at the first event.
- A million users run in a process of their own, whose peak of memory is measured.
- `--long` watches the memory of ten million events of 2,000 users; it takes some minutes.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from faker import Faker

from currents_export.cli._garbage import collect_seldom
from currents_export.simulation import SAMPLE_TIME, World

from .sender import peak_mib

OPEN = "users.messages.email.Open"
MILLION = 1_000_000
#: How many events of the baseline are made in a round; enough, because it keeps no state.
BASELINE = 2_000

#: What is measured, the figure of each round, the target, and whether it is a lower limit.
Row = tuple[str, list[float], float, bool]


def faker_opens(seed: int) -> Iterator[dict[str, Any]]:
    """Yield email opens, each field of which is a call of Faker."""
    fake = Faker()
    fake.seed_instance(seed)
    while True:
        sent = fake.unix_time()
        yield {
            "event_type": OPEN,
            "id": fake.uuid4(),
            "time": int(sent),
            "user": {
                "user_id": fake.hexify("^" * 24),
                "external_user_id": fake.bothify("cust_########"),
                "device_id": fake.uuid4(),
                "timezone": fake.timezone(),
            },
            "properties": {
                "app_group_id": fake.uuid4(),
                "campaign_id": fake.uuid4(),
                "campaign_name": fake.catch_phrase(),
                "message_variation_id": fake.uuid4(),
                "message_variation_name": fake.random_element(("Variant A", "Variant B")),
                "send_id": fake.hexify("^" * 24),
                "dispatch_id": fake.hexify("^" * 32),
                "send_time": int(sent),
                "email_address": fake.safe_email(),
                "from_domain": fake.domain_name(),
                "ip_pool": fake.word(),
                "esp": fake.random_element(("SparkPost", "SendGrid", "Amazon SES")),
                "mailbox_provider": fake.random_element(("Google", "Yahoo", "Microsoft")),
                "user_agent": fake.user_agent(),
                "browser": fake.random_element(("Chrome", "Safari", "Firefox")),
                "device_class": fake.random_element(("mobile", "tablet", "desktop")),
                "device_os": fake.random_element(("iOS", "Android", "Mac OS X", "Windows")),
                "device_model": fake.bothify("SM-?###?"),
                "machine_open": fake.random_element(("true", None)),
                "is_amp": fake.boolean(),
            },
        }


def _speed(things: Iterable[bytes], count: int) -> float:
    """Return how many things a second of CPU time makes."""
    began = time.process_time()
    for _ in islice(things, count):
        pass
    return count / (time.process_time() - began)


def _faker_speed(seed: int) -> float:
    return _speed(map(orjson.dumps, faker_opens(seed)), BASELINE)


def _world_speed(seed: int, users: int, count: int) -> float:
    events = World(seed, users=users).encoded_events(start=SAMPLE_TIME)
    next(events)
    return _speed((line for _, line, _ in events), count)


def _command(*args: object) -> float:
    """Return the seconds that `generate` takes."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "currents_export", "generate", *map(str, args)],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - began


def _workers_ratio(seed: int, count: int) -> float:
    args = ("--seed", seed, "--start", SAMPLE_TIME, "--count", count)
    return _command(*args) / _command(*args, "--workers", 2)


def _in_own_process(work: str, *args: int) -> list[float]:
    """Return the figures of a function that is called in a new process."""
    program = f"from {__spec__.name} import {work}; print({work}(*{args!r}))"
    run = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    return [float(each) for each in orjson.loads(run.stdout)]


def million_users(seed: int, count: int) -> list[float]:
    """Return the seconds until the first event, and the peak of memory in MiB."""
    began = time.process_time()
    events = World(seed, users=MILLION).encoded_events(start=SAMPLE_TIME)
    next(events)
    first = time.process_time() - began
    for _ in islice(events, count - 1):
        pass
    return [first, peak_mib()]


def long_stream(seed: int, count: int) -> list[float]:
    """Return how much memory the peak grows from one tenth of a stream to all of it."""
    events = World(seed, users=2_000).encoded_events(start=SAMPLE_TIME)
    peaks = []
    for number in range(1, 11):
        for _ in islice(events, count // 10):
            pass
        peaks.append(peak_mib())
        print(f"{number * count // 10:>12,} events: peak {peaks[-1]:.0f} MiB", file=sys.stderr)
    return [peaks[-1] / peaks[0]]


def _measure(options: argparse.Namespace) -> Iterator[Row]:
    rounds, count = range(options.rounds), options.events
    base, speeds = [], {users: [] for users in (1_000, 10_000, 100_000)}  # type: ignore[var-annotated]
    for seed in rounds:
        base.append(_faker_speed(seed))
        for users, values in speeds.items():
            values.append(_world_speed(seed, users, count))
    small = speeds[1_000]
    print(f"Faker, a call for each field: {statistics.median(base):,.0f} events/s")
    for users, values in speeds.items():
        print(f"{users:,} users: {statistics.median(values):,.0f} events/s")
    yield "1,000 users, times Faker's speed", _ratios(small, base), 45, True
    yield "10,000 users, of the speed of 1,000", _ratios(speeds[10_000], small), 0.7, True
    yield "100,000 users, of the speed of 1,000", _ratios(speeds[100_000], small), 0.5, True
    if (os.cpu_count() or 1) > 1:
        ratios = [_workers_ratio(seed, 2 * count) for seed in rounds]
        yield "--workers 2, times one process", ratios, 1.6, True
    first, peak = _in_own_process("million_users", 0, options.million)
    yield "1,000,000 users, seconds to the first event", [first], 5, False
    yield f"the same, MiB for {options.million:,} events", [peak], 1024, False
    if options.long:
        growth = _in_own_process("long_stream", 0, options.long)
        yield f"memory of {options.long:,} events, times that of a tenth", growth, 1.1, False


def _ratios(ours: list[float], theirs: list[float]) -> list[float]:
    return [one / other for one, other in zip(ours, theirs, strict=True)]


def main() -> int:
    """Measure and print the figures; return the exit code."""
    collect_seldom()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    number: Callable[..., Any] = parser.add_argument
    number("--rounds", type=int, default=3)
    number("--events", type=int, default=100_000, help="events of a world in a round")
    number("--million", type=int, default=MILLION, help="events of the million users")
    number("--long", type=int, nargs="?", const=10 * MILLION, default=0, metavar="EVENTS")
    missed = 0
    for what, values, target, at_least in _measure(parser.parse_args()):
        value = statistics.median(values)
        passed = value >= target if at_least else value <= target
        missed += not passed
        print(
            f"{'pass' if passed else 'FAIL'}  {what:<56}{value:>9,.2f}"
            f"   {'at least' if at_least else 'at most'} {target:g}"
            f"   ({min(values):,.2f} to {max(values):,.2f})",
            flush=True,
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
