"""Interrupts before a command begins."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

__all__ = ["quitting_on_interrupt"]


@contextmanager
def quitting_on_interrupt() -> Iterator[None]:
    """Exit immediately on SIGINT while modules are imported, before a command has started work.

    An exception inside an import would leave a traceback, some of it from callbacks that print
    their own. A signal that is ignored or already handled is left as it is.
    """

    def quit_now(*_: object) -> NoReturn:
        os._exit(130)

    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    try:
        signal.signal(signal.SIGINT, quit_now)
    except ValueError:  # not in the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
