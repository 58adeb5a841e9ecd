"""Write lines to the standard streams: results to stdout, everything else to stderr."""

from __future__ import annotations

import errno
import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import CurrentsExportError

__all__ = [
    "OutputError",
    "discard_stdout",
    "print_error",
    "print_json",
    "print_line",
    "print_note",
    "writable",
    "writing_output",
]


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


def discard_stdout() -> None:
    """Discard everything that is still to be written to standard output."""
    sys.stdout = io.StringIO()


def print_line(text: str = "") -> None:
    """Write a line of the result."""
    with writing_output():
        sys.stdout.write(f"{writable(text, sys.stdout.encoding)}\n")
        sys.stdout.flush()


def print_note(text: str) -> None:
    """Write a note about the result."""
    with writing_output():
        sys.stdout.flush()
    sys.stderr.write(f"{writable(text, sys.stderr.encoding)}\n")


def print_error(error: CurrentsExportError | str) -> None:
    """Write an error message."""
    print_note(f"error: {error}")


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
    with writing_output():
        sys.stdout.flush()
        sys.stdout.buffer.write(text + b"\n")
        sys.stdout.buffer.flush()
