"""The run of `qa`: send, take what arrives, and compare."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

import attrs

from .._files import STDOUT
from ..catalog import EventType
from ..delivery import Sender
from ..errors import OptionError, ReadError
from ..events import Event
from ..receiver import WebhookDestination, listen
from ..verification import Report, reconcile
from ._paced import PacedEvents
from ._settling import wait_until_settled
from ._streams import print_note
from ._tables import progress

__all__ = [
    "Arrivals",
    "FileArrivals",
    "RunFiles",
    "Traffic",
    "arrivals_from",
    "compare",
    "parse_address",
]


def parse_address(text: str) -> tuple[str, int]:
    """Parse `127.0.0.1:8090`, `[::1]:8090`, or `8090` for this machine only.

    Raises:
        OptionError: it is none of these.
    """
    host, _, port = text.rpartition(":")
    if not (port.isdecimal() and port.isascii() and int(port[:6]) <= 65_535):
        raise OptionError(f"--listen is {text!r}; it must be like 127.0.0.1:8090")
    return host.removeprefix("[").removesuffix("]") or "127.0.0.1", int(port)


class Arrivals(Protocol):
    """What arrives, in a file."""

    @property
    def name(self) -> str:
        """The name of the file."""

    @property
    def size(self) -> int | None:
        """How much has arrived so far: messages, or bytes; None without a place for it yet."""


@attrs.frozen
class FileArrivals:
    """What another program writes to a file."""

    name: str

    @property
    def size(self) -> int | None:
        """The bytes of the file; None if it does not exist yet."""
        try:
            return Path(self.name).stat().st_size
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ReadError(error.strerror or str(error), source=self.name) from error


@attrs.frozen
class _Received:
    """What a webhook destination sends here."""

    name: str
    _destination: WebhookDestination

    @property
    def size(self) -> int:
        """How many messages have arrived."""
        return self._destination.counts.messages


@contextmanager
def arrivals_from(
    to: str | None, received: str | None, *, bearer_tokens: Iterable[str], files: RunFiles
) -> Iterator[Arrivals]:
    """Listen for what a webhook destination sends, or else watch a file.

    Raises:
        OptionError: `to` is not an address.
        ReceiverError: the address is in use, or the file cannot be opened.
    """
    if to is None:
        yield FileArrivals(received or "")
        return
    host, port = parse_address(to)
    capture = Path(files.capture)
    destination = WebhookDestination(bearer_tokens=bearer_tokens, capture=capture, keep=False)
    with closing(destination), listen(destination, host=host, port=port) as url:
        print_note(f"listening on {url}")
        yield _Received(files.capture, destination)


class Traffic:
    """What `qa` sends, which can be stopped at any time.

    Args:
        test_event: makes a test event of a type; None if none are sent.
        events: the other events.
    """

    def __init__(
        self, test_event: Callable[[EventType], Event] | None, events: Iterable[Event]
    ) -> None:
        self._test_event = test_event
        self._events = PacedEvents(events, start=0, pace=None)
        self._stopped = threading.Event()
        self.unfinished: list[str] = []

    def stop(self) -> None:
        """Send no more, and end the wait for arrivals; called from any thread."""
        self._events.stop()
        self._stopped.set()

    def send(self, sender: Sender) -> None:
        """Send the test events and the others."""
        if self._test_event is not None:
            sender.send_test_events(self._test_event)
        sender.send(iter(self._events))

    def settle(
        self,
        arrivals: Arrivals,
        *,
        settle: float,
        timeout: float,
        now: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] | None = None,
    ) -> bool:
        """Wait until nothing new arrives; return whether that is so, and say if it is not.

        Args:
            arrivals: what arrives.
            settle: the seconds without anything new to wait for.
            timeout: the most seconds to wait.
            now: returns the seconds that have passed since some moment.
            wait: waits for some seconds, or until the traffic is stopped.
        """
        with progress("arrived") as advance:
            is_settled = wait_until_settled(
                lambda: arrivals.size,
                settle=settle,
                timeout=timeout,
                wait=wait or self._stopped.wait,
                now=now,
                on_more=advance,
            )
        if not is_settled:
            why = "interrupted" if self._stopped.is_set() else f"not quiet after {timeout:g} s"
            print_note(f"{why}: what is still on its way counts as lost")
        return is_settled


def compare(
    record: Path | str,
    arrived: Path | str,
    *,
    mapping: Mapping[str, str] | None = None,
    late_after: float | None = None,
    exactly_once: bool = False,
    on_unreadable: Callable[[ReadError], None] | None = None,
) -> Report:
    """Compare the record of a sender with what RudderStack sent of it."""
    return reconcile(
        record,
        arrived,
        mapping=mapping,
        late_after=late_after,
        exactly_once=exactly_once,
        same_run=True,
        on_unreadable=on_unreadable,
    )


@attrs.frozen
class RunFiles:
    """The files of a run.

    Attributes:
        record: what was sent.
        capture: what arrived.
    """

    record: str
    capture: str

    @classmethod
    def choose(cls, place: Path, *, record: str | None, capture: str | None) -> RunFiles:
        """Return the files that options name, or else some in a directory.

        Raises:
            OptionError: a file contains something already, which would be mixed with this run.
        """
        return cls(
            _new_file("--record", record, place / "sent.jsonl"),
            _new_file("--capture", capture, place / "received.jsonl"),
        )


def _new_file(option: str, name: str | None, otherwise: Path) -> str:
    if name is None:
        return str(otherwise)
    if name == STDOUT:
        raise OptionError(f"{option} must name a file, since it is read again")
    path = Path(name)
    if path.exists() and (not path.is_file() or path.stat().st_size):
        raise OptionError(f"{option}: {name}: it contains another run already; name a new file")
    return name
