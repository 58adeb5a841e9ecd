"""Handle the signals that end a command."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["on_interrupt"]


def _nothing() -> None:
    pass


@contextmanager
def on_interrupt(
    act: Callable[[], object], *, here: Callable[[], object] = _nothing
) -> Iterator[None]:
    """Handle SIGINT and SIGTERM with `act` and `here` while the context lasts.

    A signal that is ignored, as SIGINT is in a shell's background job, stays ignored.

    Args:
        act: called in a separate thread, because the main thread may be waiting for a lock and
            would notice the signal late or never.
        here: called in the main thread, at any point; it may raise.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    handled = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    ours, signals = socket.socketpair()
    signals.setblocking(False)

    def listen() -> None:
        while number := ours.recv(1):
            if number[0] in handled:
                act()

    thread = threading.Thread(target=listen, name="signals", daemon=True)
    thread.start()
    wakeup = signal.set_wakeup_fd(signals.fileno(), warn_on_full_buffer=False)
    for each in handled:
        signal.signal(each, lambda *_: here())
    try:
        yield
    finally:
        for each in handled:
            signal.signal(each, before[each])
        signal.set_wakeup_fd(wakeup)
        signals.close()
        thread.join()
        ours.close()
