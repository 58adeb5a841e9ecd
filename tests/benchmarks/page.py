"""Measure how long the page takes while 2,000 events a second arrive.

Run it from the checkout: `python -m tests.benchmarks.page`. A receiver in another process gets
100,000 events, which is as many as its page keeps, and then 2,000 more every second. Meanwhile this
process asks for what the page asks for, and uses the page in Chromium if there is one.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import cycle, islice

import httpx
import orjson

from currents_export.simulation import World

HEADERS = {"Content-Type": "application/json", "Braze-Currents-Version": "1"}
BATCH = 50
_SERVER = """
import resource, sys
from currents_export.receiver import Receiver, listen
from currents_export.receiver.page import Page
receiver = Receiver(keep=False)
with listen(receiver, page=Page(receiver)) as url:
    print(url, flush=True)
    sys.stdin.readline()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
#: What the page asks for; the filters find nothing, so they search all events that are kept.
_QUESTIONS: dict[str, tuple[str, dict[str, str]]] = {
    "newest events": ("events", {}),
    "text": ("events", {"text": "no such text"}),
    "text beyond ASCII": ("events", {"text": "no such größe"}),
    "type": ("events", {"type": "no.such.*"}),
    "user": ("events", {"user": "nobody"}),
    "campaign": ("events", {"campaign": "no such campaign"}),
    "finding": ("events", {"finding": "no_such_finding"}),
    "requests": ("requests", {}),
    "timeline": ("timeline", {"user": "nobody"}),
    "summary": ("summary", {}),
}
#: Clicks a node or fills a field, and returns the milliseconds until something is drawn.
_TIMED = """([node, value, done]) => new Promise((resolve) => {
  const began = performance.now(), target = document.querySelector(node);
  const look = () => document.querySelector(done)
    ? requestAnimationFrame(() => resolve(performance.now() - began)) : requestAnimationFrame(look);
  if (value === null) target.click();
  else { target.value = value; target.dispatchEvent(new Event("input", {bubbles: true})); }
  setTimeout(look, 0);
})"""


@contextmanager
def receiver() -> Iterator[str]:
    """Serve a receiver with its page from another process, and report its memory at the end."""
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            output, _ = process.communicate("\n", timeout=60)
            print(f"{'memory of the receiver':30}{int(output) / 1024:8.0f} MiB")


@contextmanager
def arriving(url: str, bodies: list[bytes], rate: int) -> Iterator[None]:
    """Send `rate` events a second while the context lasts."""
    stop = threading.Event()
    sent = [0, 0.0]

    def feed() -> None:
        began = time.monotonic()
        with httpx.Client(headers=HEADERS, timeout=60) as client:
            for number, body in enumerate(cycle(bodies), start=1):
                client.post(url, content=body)
                sent[:] = number * BATCH, time.monotonic() - began
                if stop.wait(max(0.0, number * BATCH / rate - sent[1])):
                    return

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        print(f"{'arrived per second':30}{sent[0] / sent[1]:8.0f}")


def report(name: str, seconds: list[float]) -> None:
    """Print the median and the longest of some times."""
    median, longest = statistics.median(seconds) * 1000, max(seconds) * 1000
    print(f"{name:30}{median:8.1f} ms, at most {longest:.1f} ms")


def timed(ask: Callable[[], object], times: int = 7) -> list[float]:
    """Return how long something takes, several times."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        ask()
        found.append(time.perf_counter() - began)
    return found


def browse(url: str) -> None:
    """Use the page in Chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("Chromium is not installed")
        return
    from playwright.sync_api import sync_playwright

    actions = {
        "open an event": ("#tbody .open", None, "#shown:not([hidden]) .json"),
        "filter, nothing found": ("#f-text", "no such text", "#empty:not(:empty)"),
        "switch to requests": ("#tab-requests", None, "#tbody .status"),
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        for name, action in actions.items():
            found = []
            for _ in range(5):
                page.goto(url)
                page.wait_for_selector("#tbody tr")
                page.wait_for_timeout(1000)
                found.append(page.evaluate(_TIMED, list(action)) / 1000)
            report(f"browser: {name}", found)
        browser.close()


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000, help="events before the first one")
    parser.add_argument("--rate", type=int, default=2_000, help="events a second")
    options = parser.parse_args()
    events = [each.to_dict() for each in islice(World(3, users=3000).events(start=10**9), 20_000)]
    bodies = [
        orjson.dumps({"events": events[at : at + BATCH]}) for at in range(0, len(events), BATCH)
    ]
    with receiver() as url, httpx.Client(headers=HEADERS, timeout=60) as client:
        for body in islice(cycle(bodies), options.events // BATCH):
            client.post(url, content=body)
        with arriving(url, bodies, options.rate):
            for name, (path, query) in _QUESTIONS.items():
                address = f"{url}/_page/api/{path}"
                report(name, timed(partial(client.get, address, params=query)))
            browse(url)
    print(f"{'memory of this process':30}", end="")
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MiB")


if __name__ == "__main__":
    main()
