"""The run of `qa`: send, take what arrives, and compare."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

import attrs

from .._files import STDOUT
from ..catalog import EventType
from ..current import Current
from ..delivery import SendRecord, Sender
from ..errors import OptionError, ReadError
from ..events import Event
from ..receiver import WebhookDestination, listen
from ..verification import Report, reconcile
from ._delivery import Delivery
from ._paced import PacedEvents
from ._settling import wait_until_settled
from ._streams import print_note
from ._tables import progress

__all__ = [
    "Address",
    "Arrivals",
    "FileArrivals",
    "Traffic",
    "compare",
    "delivery_for",
    "new_file",
    "parse_address",
    "receiving",
]


class Address(NamedTuple):
    """Where to listen."""

    host: str
    port: int


def parse_address(text: str) -> Address:
    """Parse `127.0.0.1:8090`, `[::1]:8090`, or `8090` for this machine only.

    Raises:
        OptionError: it is none of these.
    """
    host, _, port = text.rpartition(":")
    if not (port.isdecimal() and port.isascii() and int(port[:6]) <= 65_535):
        raise OptionError(f"--listen is {text!r}; it must be like 127.0.0.1:8090")
    return Address(host.removeprefix("[").removesuffix("]") or "127.0.0.1", int(port))


class Arrivals(Protocol):
    """What arrives, in a file."""

    @property
    def name(self) -> str:
        """The name of the file."""

    @property
    def size(self) -> int:
        """How much has arrived so far: messages, or bytes."""


@attrs.frozen
class FileArrivals:
    """What another program writes to a file."""

    name: str

    @property
    def size(self) -> int:
        """The bytes of the file; 0 if it does not exist yet."""
        try:
            return Path(self.name).stat().st_size
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise ReadError(error.strerror or str(error), source=self.name) from error


@attrs.frozen
class _Received:
    """What a webhook destination sends here."""

    name: str
    url: str
    _destination: WebhookDestination

    @property
    def size(self) -> int:
        """How many messages have arrived."""
        return self._destination.counts.messages


@contextmanager
def receiving(address: Address, *, bearer_tokens: Iterable[str], file: str) -> Iterator[_Received]:
    """Take what a webhook destination sends, and append it to a file.

    Raises:
        ReceiverError: the address is in use, or the file cannot be opened.
    """
    destination = WebhookDestination(bearer_tokens=bearer_tokens, capture=Path(file), keep=False)
    try:
        with listen(destination, host=address.host, port=address.port) as url:
            yield _Received(file, url, destination)
    finally:
        destination.close()


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
    mapping: dict[str, str] | None = None,
    late_after: float | None = None,
    exactly_once: bool = False,
    in_order: bool = False,
    on_unreadable: Callable[[ReadError], None] | None = None,
) -> Report:
    """Compare the record of a sender with what RudderStack sent of it."""
    return reconcile(
        record,
        arrived,
        mapping=mapping,
        late_after=late_after,
        exactly_once=exactly_once,
        in_order=in_order,
        same_run=True,
        on_unreadable=on_unreadable,
    )


def new_file(option: str, name: str | None, otherwise: Path) -> str:
    """Return the name of a file for this run only.

    Raises:
        OptionError: it contains something already, so that it would be mixed with this run.
    """
    if name is None:
        return str(otherwise)
    if name == STDOUT:
        raise OptionError(f"{option} must name a file, since it is read again")
    path = Path(name)
    if path.exists() and (not path.is_file() or path.stat().st_size):
        raise OptionError(f"{option}: {name}: it contains another run already; name a new file")
    return name


def delivery_for(current: Current, traffic: Traffic, record: str) -> Delivery:
    """Return the delivery of the traffic, recorded in a file."""
    return Delivery(current, source=traffic, record=SendRecord(Path(record)))
