"""Handle the signals that end a command."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["on_interrupt"]


#: What ends a command in order: Ctrl-C, `kill`, and a terminal that goes away.
_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


def _nothing(_: int) -> None:
    pass


@contextmanager
def on_interrupt(
    act: Callable[[], object], *, here: Callable[[int], object] = _nothing
) -> Iterator[None]:
    """Handle SIGINT, SIGTERM and SIGHUP with `act` and `here` while the context lasts.

    A signal that is ignored, as SIGINT is in a shell's background job or SIGHUP after `nohup`,
    stays ignored.

    Args:
        act: called in a separate thread. It must end the waits of the main thread: Python calls
            signal handlers only between two steps of the main thread, so a main thread that waits
            for a lock or for input, or is about to, notices the signal late or never.
        here: called with the signal's number in the main thread, at any point; it may raise.
    """
    before = {number: signal.getsignal(number) for number in _SIGNALS}
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
        signal.signal(each, lambda number, _: here(number))
    try:
        yield
    finally:
        for each in handled:
            signal.signal(each, before[each])
        signal.set_wakeup_fd(wakeup)
        signals.close()
        thread.join()
        ours.close()
