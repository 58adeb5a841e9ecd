"""Sent and received values, which may be read twice."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import orjson

from ..errors import ReadError
from ..events import Event
from ..reading import Located, read_values, reads_once, why_unreadable
from ._tables import read_table

__all__ = ["Input", "OnUnreadable", "Source"]

#: A file, or values.
Input = Path | str | Iterable[Any]
OnUnreadable = Callable[[ReadError], None]


class Source:
    """The values of an input, in order.

    Args:
        given: the name of a file, or values.
        name: what the values are called in errors.
        directory: where an input that can be read only once is kept.
    """

    def __init__(self, given: Input, *, name: str, directory: Path) -> None:
        self._given = given
        self._kept = directory / name
        self._is_file = isinstance(given, Path | str)
        self._once = (
            reads_once(str(given)) if isinstance(given, Path | str) else iter(given) is given
        )
        #: The name of the file, or what the values are called.
        self.name = f"<{name}>"
        if isinstance(given, Path | str):
            self.name = "<stdin>" if str(given) == "-" else str(given)

    def read(self, on_unreadable: OnUnreadable) -> Generator[tuple[int, Any]]:
        """Yield each value that can be read, with its number.

        Raises:
            ReadError: the file cannot be opened.
        """
        if self._once and self._is_file:
            self._copy()
        elif self._once:
            self._keep(on_unreadable)
        yield from enumerate(self._values(on_unreadable))

    def read_again(self) -> Iterator[tuple[int, Any]]:
        """Yield the same values after `read`."""
        yield from enumerate(self._values(lambda _: None))

    def _copy(self) -> None:
        """Copy a pipe to a file, as it is."""
        try:
            if str(self._given) != "-":
                with Path(str(self._given)).open("rb") as pipe, self._kept.open("wb") as kept:
                    shutil.copyfileobj(pipe, kept)
            elif sys.stdin is None:
                raise ReadError("cannot be read: it is closed", source=self.name)
            else:
                with self._kept.open("wb") as kept:
                    shutil.copyfileobj(sys.stdin.buffer, kept)
        except OSError as error:
            raise ReadError(why_unreadable(error), source=self.name) from error

    def _keep(self, on_unreadable: OnUnreadable) -> None:
        """Write values that can be read only once to a file."""
        with self._kept.open("wb") as kept:
            for each in cast("Iterable[Any]", self._given):
                value = each.to_dict() if isinstance(each, Event) else each
                try:
                    kept.write(orjson.dumps(value) + b"\n")
                except TypeError as error:
                    on_unreadable(ReadError(f"a value is not JSON: {error}", source=self.name))

    def _values(self, on_unreadable: OnUnreadable) -> Iterator[Any]:
        if not self._is_file and not self._once:
            values = cast("Iterable[Any]", self._given)
            yield from (each.to_dict() if isinstance(each, Event) else each for each in values)
            return
        path = self._kept if self._once else Path(cast("str", self._given))
        try:
            if path.is_file() and (rows := read_table(path, self.name)) is not None:
                for row in rows:
                    if isinstance(row, ReadError):
                        on_unreadable(row)
                    else:
                        yield row
                return
            lines = path.open("rb")
        except (OSError, ValueError) as error:  # the latter for a name that no file can have
            raise ReadError(why_unreadable(error), source=self.name) from error
        with lines:
            items = cast("Generator[Located | ReadError]", read_values(lines, source=self.name))
            with closing(items):
                for item in items:
                    if type(item) is Located:
                        yield item.value
                    else:
                        on_unreadable(cast("ReadError", item))
