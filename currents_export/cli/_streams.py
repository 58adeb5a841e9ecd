"""Lines to the standard streams: results to stdout, everything else to stderr.

A stream that is closed does not stop a command, and neither does a standard error that cannot be
written, such as that of a terminal that went away. A standard output that cannot be written is an
error, since the result is lost.
"""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from .._files import ClosedStream
from ..errors import CurrentsExportError
from ._colors import paint

__all__ = [
    "OutputError",
    "discard_stdout",
    "fitted",
    "print_error",
    "print_json",
    "print_line",
    "print_note",
    "quiet_stderr",
    "replace_closed_streams",
    "results_to_stderr",
    "writable",
    "writing_output",
    "writing_result",
]


#: A text that is shorter than this fits into each terminal.
_NARROW = 40
#: Streams that were replaced: one that nothing refers to would be closed.
_KEPT: list[TextIO] = []


class OutputError(CurrentsExportError):
    """Standard output cannot be written."""


@contextmanager
def writing_output() -> Iterator[None]:
    """Turn a failure to write standard output into an error; let a closed pipe pass.

    Raises:
        OutputError: standard output cannot be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        raise OutputError(f"the output cannot be written: {error.strerror or error}") from error


@contextmanager
def writing_result() -> Iterator[None]:
    """Like `writing_output`, but ignore a closed standard output: nobody reads the result.

    Raises:
        OutputError: standard output is open and cannot be written.
    """
    try:
        with writing_output():
            yield
    except OutputError as error:
        if not isinstance(error.__cause__, OSError) or error.__cause__.errno != errno.EBADF:
            raise
        discard_stdout()


def discard_stdout() -> None:
    """Send what is still to be written to standard output nowhere."""
    sys.stdout = ClosedStream()


def replace_closed_streams() -> None:
    """Put streams that take everything in the place of standard streams that are closed."""
    if os.name == "posix":
        # The next file that is opened would take the place of a closed one, and get its output.
        while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(descriptor)
    if sys.stdout is None:
        sys.stdout = ClosedStream()
    if sys.stderr is None:
        sys.stderr = ClosedStream()


def results_to_stderr() -> None:
    """Write results to standard error from now on, since standard output holds events."""
    _KEPT.append(sys.stdout)
    sys.stdout = sys.stderr


class _Quiet(io.TextIOBase):
    """Standard error as a text stream that ignores what it cannot write."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @property
    # typeshed declares a writable attribute; here it only follows the stream.
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        with self._discarding():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._discarding():
            self._stream.flush()

    @contextmanager
    def _discarding(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError):
            # Python would try to write the rest when it exits, and exit with 120 instead.
            _KEPT.append(self._stream)
            if sys.stderr is self._stream:
                sys.stderr = ClosedStream()
            self._stream = ClosedStream()


def quiet_stderr() -> io.TextIOBase:
    """Return standard error as a stream that ignores what it cannot write."""
    return _Quiet(sys.stderr)


def print_line(text: str = "") -> None:
    """Write a line of the result."""
    with writing_result():
        sys.stdout.write(f"{fitted(writable(text, sys.stdout.encoding), sys.stdout)}\n")
        sys.stdout.flush()


def print_note(text: str, *, whole: bool = False) -> None:
    """Write a line about the result; `whole` if it must stay one line on a terminal."""
    # A failure to write standard output is that of the result, and is reported there.
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    stderr = _Quiet(sys.stderr)
    text = writable(text, stderr.encoding)
    stderr.write(f"{text if whole else fitted(text, stderr)}\n")
    stderr.flush()


def print_error(error: CurrentsExportError | str) -> None:
    """Write an error message."""
    label = paint("error:", "red", sys.stderr) if sys.stderr is not None else "error:"
    print_note(f"{label} {error}")


def fitted(text: str, stream: TextIO | io.TextIOBase) -> str:
    """Return a text that breaks between words at the width of the terminal, if it is for one."""
    if len(text) < _NARROW or not stream.isatty():
        return text
    from ._layout import fit  # noqa: PLC0415 - short lines need no layout

    return fit(text, shutil.get_terminal_size().columns)


def writable(text: str, encoding: str | None) -> str:
    """Escape the characters of a text that the stream cannot encode."""
    codec = encoding or "utf-8"
    return text.encode(codec, "backslashreplace").decode(codec)


def print_json(value: object, *, indent: bool = True) -> None:
    """Write the result as JSON, in UTF-8."""
    import orjson  # noqa: PLC0415 - commands that print no JSON start without it

    try:
        text = orjson.dumps(value, option=orjson.OPT_INDENT_2 if indent else 0)
    except TypeError:  # a file name that is not Unicode
        text = json.dumps(value, indent=2 if indent else None).encode()
    with writing_result():
        sys.stdout.flush()
        sys.stdout.buffer.write(text + b"\n")
        sys.stdout.buffer.flush()
