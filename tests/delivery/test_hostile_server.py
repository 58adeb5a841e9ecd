"""A server that does everything wrong, at random: nothing is lost, nothing hangs.

`CURRENTS_EXPORT_LONG=1` makes it a long run on a busy machine.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
import tenacity

from currents_export.delivery import Hooks, ManualClock, Sender, State
from currents_export.errors import QueueFullError
from tests.support.currents import custom
from tests.support.events import CLICK, OPEN, SEND, event
from tests.support.hostile import ENDLESS, Hostile
from tests.support.senders import PATIENCE, adds_up
from tests.support.servers import keep_alive_server

LONG = bool(os.environ.get("CURRENTS_EXPORT_LONG"))
EVENTS = 120
#: What a process does until its parent has ended.
SPIN = "import os, sys\nwhile os.getppid() == int(sys.argv[1]): sum(range(2_000))"
#: The statuses after which an event is delivered or may be dropped.
DELIVERED, DROPPED = set(range(200, 300)), {400, 413}


@contextmanager
def busy_machine() -> Iterator[None]:
    """Compete for the interpreter with threads, and for the processor with processes."""
    stop = threading.Event()

    def spin() -> None:
        while not stop.is_set():
            sum(range(2_000))

    threads = [threading.Thread(target=spin) for _ in range(2)]
    command = [sys.executable, "-c", SPIN, str(os.getpid())]
    processes = [subprocess.Popen(command) for _ in range(os.cpu_count() or 1)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        for process in processes:
            process.kill()
            process.wait()


#: Seconds for a request. On a busy machine, one that is given up must not arrive later.
TIMEOUT = 3.0 if LONG else 1.0
#: Descriptors of this process, on systems that list them.
DESCRIPTORS = Path("/proc/self/fd")


def count_descriptors() -> int:
    return len(list(DESCRIPTORS.iterdir())) if DESCRIPTORS.is_dir() else 0


@pytest.mark.parametrize("seed", range(300 if LONG else 6))
def test_hostile_server_loses_nothing(seed: int) -> None:
    rng = random.Random(seed)
    server = Hostile(random.Random(seed), [rng.choice(ENDLESS)])
    drops: list[str] = []
    before, descriptors = set(threading.enumerate()), count_descriptors()
    with keep_alive_server(server.serve) as url, busy_machine() if LONG else nullcontext():
        sender = Sender(
            custom(url),
            batch_size=rng.choice([1, 3, 10]),
            concurrency=rng.choice([1, 2, 4]),
            max_pending_events=rng.choice([20, 1_000]),
            timeout=TIMEOUT,
            wait=tenacity.wait_random(0, 0.01),
            clock=ManualClock(skip=PATIENCE),
            hooks=Hooks(
                on_delivered=server.on_delivered, on_dropped=lambda drop: drops.append(drop.id)
            ),
        )
        sent = [event(number, (OPEN, CLICK, SEND)[number % 3]) for number in range(EVENTS)]
        for each in sent:
            while True:
                try:
                    sender.send(each)
                    break
                except QueueFullError:
                    sender.resume()
        began = time.monotonic()
        while sender.flush().state is not State.ACTIVE or sender.result.pending:
            sender.resume()
        result = sender.close(timeout=PATIENCE)
        assert time.monotonic() - began < PATIENCE
        for thread in set(threading.enumerate()):
            if thread.name in ("currents-export", "hooks"):
                thread.join(PATIENCE)
                assert not thread.is_alive()
    assert adds_up(result)
    assert (result.accepted, result.pending, result.hook_failures) == (EVENTS, 0, 0)
    assert sorted([*server.delivered, *drops]) == sorted(each.id for each in sent)
    assert not {each for each in server.delivered if not server.statuses[each] & DELIVERED}
    assert not {each for each in drops if not server.statuses[each] & DROPPED}
    assert not server.sent_again
    assert set(threading.enumerate()) <= before
    assert count_descriptors() <= descriptors
