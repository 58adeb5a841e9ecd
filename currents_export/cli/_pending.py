"""The file for the events that could not be sent."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from .._files import STDOUT, LineFile, beside
from ..errors import OptionError

__all__ = ["PendingFile"]


class PendingFile:
    """A JSON Lines file for what could not be sent.

    Lines are appended to a file that exists, so those of an earlier run are kept. The exception is
    a file that is the input as well: what is left of it takes its place at the end, and it is not
    touched when nothing is left.

    Args:
        name: the file; `-` is standard output. It is tried at once, before there is something to
            lose, and a new one is created only when there is something to write.
        inputs: the names of the files that are read; `-` is standard input.

    Attributes:
        name: the name.
        written: how many lines the file holds from this run.
        set_aside: the former content of the input that was replaced, if it was to be kept.

    Raises:
        OptionError: the file cannot be written, or is standard input too.
    """

    def __init__(self, name: str, inputs: Iterable[str] = ()) -> None:
        self.name = name
        self.written = 0
        self.set_aside: str | None = None
        self._opened: LineFile | None = None
        self._replaces: Path | None = None
        try:
            self._try_out(list(inputs))
        except OSError as error:
            raise OptionError(f"{name}: cannot be written: {error.strerror or error}") from error

    @property
    def is_stdout(self) -> bool:
        """Whether it is standard output."""
        return self.name == STDOUT

    def describe(self) -> str:
        """Say how much of what was not sent is in the file by now."""
        if self._replaces is not None and not self.written:
            return f"{self.name} is unchanged"
        return f"{self.name} has {self.written:,} of them"

    def _try_out(self, inputs: list[str]) -> None:
        if self.is_stdout:
            self._opened = LineFile(self.name)
            return
        path = Path(self.name)
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            beside(path.resolve()).unlink()
            return
        if not stat.S_ISREG(mode):
            # Opened once: a reader of a FIFO waits for that, and sees the end when it is closed.
            self._opened = LineFile(self.name)
            return
        LineFile(self.name).close()
        if "-" in inputs and _is_standard_input(path):
            raise OptionError(
                f"{self.name}: is standard input, too; name it as a file to read instead"
            )
        if any(_is_same(path, each) for each in inputs if each != "-"):
            self._replaces = path.resolve()
            beside(self._replaces).unlink()

    def write(self, lines: Iterable[bytes], keep_former: Callable[[], bool]) -> None:
        """Write the lines, each followed by a line break.

        Args:
            lines: the lines.
            keep_former: asked after the last line: whether an input that is replaced held something
                that is not among the lines, and must be kept under another name.

        Raises:
            OSError: not all lines could be written; `written` says how many were.
        """
        if self._replaces is not None:
            self._replace(self._replaces, lines, keep_former)
            return
        try:
            for line in lines:
                if self._opened is None:
                    self._opened = LineFile(self.name)
                self._opened.write([line])
                self.written += 1
        finally:
            if self._opened is not None:
                self._opened.close()

    def _replace(self, path: Path, lines: Iterable[bytes], keep_former: Callable[[], bool]) -> None:
        count, temporary = 0, beside(path)
        try:
            with temporary.open("wb") as file:
                for line in lines:
                    file.write(line + b"\n")
                    count += 1
            if count:
                _copy_owner_and_mode(path, temporary)
                if keep_former():
                    former = beside(path, f"{path.name}.before-")
                    path.replace(former)
                    self.set_aside = str(former)
                temporary.replace(path)
                self.written = count
        finally:
            temporary.unlink(missing_ok=True)


def _copy_owner_and_mode(source: Path, target: Path) -> None:
    status = source.stat()
    if hasattr(os, "chown"):
        with contextlib.suppress(OSError):  # only root may give a file to another user
            os.chown(target, status.st_uid, status.st_gid)
    target.chmod(stat.S_IMODE(status.st_mode))


def _is_same(path: Path, name: str) -> bool:
    try:
        return path.samefile(name)
    except OSError:  # an input that cannot be opened is reported when it is read
        return False


def _is_standard_input(path: Path) -> bool:
    try:
        return sys.stdin is not None and os.path.samestat(os.fstat(sys.stdin.fileno()), path.stat())
    except (OSError, ValueError, io.UnsupportedOperation):  # a stream without a descriptor
        return False
