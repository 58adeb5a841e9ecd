"""One process at a time: a lock on a file beside the outbox, which names its holder."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
import weakref
from pathlib import Path

import orjson

__all__ = ["Lock", "holder_of"]

#: Seconds after which a lock is tried again.
_GLANCE = 0.01
#: The locks of this process, for its forked children.
_LOCKS: weakref.WeakSet[Lock] = weakref.WeakSet()

if sys.platform == "win32":
    import msvcrt

    #: The byte that is locked; the text before it can still be read.
    _PLACE = 1 << 20

    def _acquire(handle: int) -> bool:
        os.lseek(handle, _PLACE, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _acquire(handle: int) -> bool:
        # Unlike a lock of fcntl, it does not end when the process closes another descriptor, and it
        # holds against another descriptor of this process.
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class Lock:
    """A lock that the operating system ends with its process, even if that is killed.

    Args:
        path: the file to lock; it is removed when the lock ends in order.
        patience: how many seconds to wait for a process that only looks who holds it.

    Raises:
        OSError: the file cannot be opened or locked.

    Attributes:
        held: whether the lock is held; if not, another process holds it.
    """

    def __init__(self, path: Path, *, patience: float = 0.0) -> None:
        self._path = path
        self._handle: int | None = None
        until = time.monotonic() + patience
        while self._handle is None:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            if not _acquire(handle):
                os.close(handle)
                if time.monotonic() >= until:
                    break
                time.sleep(_GLANCE)
            elif _is_same(handle, path):
                self._handle = handle
                self._sign(handle)
                _LOCKS.add(self)
            else:  # its last holder removed it meanwhile
                os.close(handle)

    @property
    def held(self) -> bool:
        """Whether the lock is held."""
        return self._handle is not None

    def _sign(self, handle: int) -> None:
        holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": int(time.time())}
        # On a full disk, the lock still holds; only the name of its holder is missing.
        with contextlib.suppress(OSError):
            os.ftruncate(handle, 0)
            os.lseek(handle, 0, os.SEEK_SET)
            os.write(handle, orjson.dumps(holder))

    def release(self) -> None:
        """End the lock; a second call does nothing."""
        if self._handle is None:
            return
        # Remove it first: whoever opened it before finds that it is another file.
        with contextlib.suppress(OSError):
            self._path.unlink()
        self.forget()

    def forget(self) -> None:
        """Close the file without ending the lock of the process that this one was forked from."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _is_same(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def holder_of(path: Path) -> str:
    """Return the holder of a lock in words, as far as its file says."""
    try:
        holder = orjson.loads(path.read_bytes())
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(holder["since"]))
        return f"process {holder['pid']} on {holder['host']}, since {since}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


def _forget_all() -> None:
    for each in list(_LOCKS):
        each.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
