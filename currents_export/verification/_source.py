"""Sent and received values, which may be read twice."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import orjson

from ..errors import ReadError
from ..events import Event
from ..reading import Located, read_path, reads_once

__all__ = ["Input", "OnUnreadable", "Source"]

#: A file, or values.
Input = Path | str | Iterable[Any]
OnUnreadable = Callable[[ReadError], None]


class Source:
    """The values of an input, in order.

    Args:
        given: the name of a file, or values.
        name: what the values are called in errors.
        directory: where values that can be read only once are kept.
    """

    def __init__(self, given: Input, *, name: str, directory: Path) -> None:
        self._given = given
        self._name = name
        self._kept = directory / name
        self._once = (
            reads_once(str(given)) if isinstance(given, Path | str) else iter(given) is given
        )

    @property
    def name(self) -> str:
        """The name of the file, or what the values are called."""
        return str(self._given) if isinstance(self._given, Path | str) else f"<{self._name}>"

    def read(self, on_unreadable: OnUnreadable) -> Generator[tuple[int, Any]]:
        """Yield each value that can be read, with its number.

        Raises:
            ReadError: the file cannot be opened.
        """
        if not self._once:
            yield from enumerate(self._values(self._given, on_unreadable))
            return
        with self._kept.open("wb") as kept:
            for value in self._values(self._given, on_unreadable):
                try:
                    kept.write(orjson.dumps(value) + b"\n")
                except TypeError as error:
                    on_unreadable(ReadError(f"a value is not JSON: {error}", source=self.name))
        yield from self.read_again()

    def read_again(self) -> Iterator[tuple[int, Any]]:
        """Yield the same values after `read`."""
        given = self._kept if self._once else self._given
        yield from enumerate(self._values(given, lambda _: None))

    def _values(self, given: Input, on_unreadable: OnUnreadable) -> Iterator[Any]:
        if not isinstance(given, Path | str):
            yield from (each.to_dict() if isinstance(each, Event) else each for each in given)
            return
        # An error in the caller must close the file, too.
        with closing(cast("Generator[Located | ReadError]", read_path(given))) as items:
            for item in items:
                if isinstance(item, ReadError):
                    on_unreadable(item)
                else:
                    yield item.value
