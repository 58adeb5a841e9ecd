"""The values of an input that have the shape of its first one."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from itertools import chain, islice
from typing import Any

from ..errors import ReadError
from ._shapes import Shape, shape_of
from ._source import OnUnreadable, Source

__all__ = ["Values"]

#: How many values are looked at for the first one that can be recognized.
_HEAD = 1000


class Values:
    """The values of an input of one shape; others are reported.

    Args:
        source: the input.
        on_unreadable: called for each part of the input that cannot be used.
        shapes: the shapes that it may have.
        if_empty: the shape of an input that is empty; None, the default, if that is an error.

    Attributes:
        source: the input.
        shape: the shape of its values, which is that of the first value that has one of them.

    Raises:
        ReadError: the input cannot be read, or the first values have none of the shapes.
    """

    def __init__(
        self,
        source: Source,
        on_unreadable: OnUnreadable,
        shapes: Iterable[Shape],
        *,
        if_empty: Shape | None = None,
    ) -> None:
        self.source = source
        self._on_unreadable = on_unreadable
        self._given: Generator[tuple[int, Any]] = source.read(on_unreadable)
        self._head: list[tuple[int, Any]] = []
        self.shape = self._first_shape(frozenset(shapes), if_empty)

    def _first_shape(self, shapes: frozenset[Shape], if_empty: Shape | None) -> Shape:
        for each in islice(self._given, _HEAD):
            self._head.append(each)
            found = shape_of(each[1])
            if found is not None and found in shapes:
                return found
        if self._head:
            *others, last = [each.description for each in Shape if each in shapes]
            what = f"{', '.join(others)} or {last}" if others else last
            raise ReadError(f"none of its first values is {what}", source=self.source.name)
        if if_empty is not None:
            return if_empty
        raise ReadError("it contains no events", source=self.source.name)

    def __iter__(self) -> Iterator[tuple[int, dict[str, Any]]]:
        shape = self.shape
        # An event that lost everything but its id and its type looks like a line of a key.
        shapes = (shape, Shape.KEY) if shape is Shape.EVENT else (shape,)
        for number, value in chain(self._head, self._given):
            if shape_of(value) in shapes:
                yield number, value
            elif not (shape is Shape.KEY and _is_summary(value)):
                self.report(number, f"is not {shape.description}")

    def report(self, number: int, what: str) -> None:
        """Report that a value cannot be used."""
        text = f"value {number + 1} {what}"
        self._on_unreadable(ReadError(text, source=self.source.name))

    def close(self) -> None:
        """Close the file."""
        self._given.close()


def _is_summary(value: Any) -> bool:
    return type(value) is dict and "summary" in value
