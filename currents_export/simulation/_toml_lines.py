"""Find the lines of the keys and values in a TOML document."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping

__all__ = ["Path", "lines_of"]

#: The keys and indices that lead to a value.
Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_PART = re.compile(r"""[ \t]*([A-Za-z0-9_-]+|"(?:\\.|[^"\\])*"|'[^']*')[ \t]*""")
# Triple quotes first; up to two more quotes may precede the closing ones.
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}(?!")'
    r"|'''.*?'{3,5}(?!')"
    r"""|"(?:\\.|[^"\\])*"|'[^']*'""",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^\s,\]}#]+(?: [0-9][^\s,\]}#]*)?")


def lines_of(text: str) -> Mapping[Path, int]:
    """Return the line, starting at 1, on which each key, table and array item begins.

    Args:
        text: a document that `tomllib` can parse.
    """
    lines: dict[Path, int] = {}
    line, before = 1, 0
    for path, start in _Scanner(text).places():
        # The places are in ascending order.
        line, before = line + text.count("\n", before, start), start
        for end in range(1, len(path) + 1):
            lines.setdefault(path[:end], line)
    return lines


class _Scanner:
    """A position in a document, and what is known about the tables before it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        #: How many tables each array of tables has so far.
        self.counts: dict[Path, int] = {}

    def places(self) -> Iterator[tuple[Path, int]]:
        """Yield each path and where it begins."""
        table: Path = ()
        self._skip_blank()
        while self.at < len(self.text):
            start = self.at
            if self._take("[["):
                keys = self._key()
                self._take("]]")
                array = self._resolve(keys[:-1]) + keys[-1:]
                number = self.counts.get(array, 0)
                self.counts[array] = number + 1
                table = (*array, number)
                yield table, start
            elif self._take("["):
                table = self._resolve(self._key())
                self._take("]")
                yield table, start
            else:
                path = table + self._key()
                yield path, start
                self._take("=")
                yield from self._value(path)
            self._skip_blank()

    def _resolve(self, keys: tuple[str, ...]) -> Path:
        """Return the path of a table: within an array of tables, of its last one."""
        path: Path = ()
        for key in keys:
            path += (key,)
            if path in self.counts:
                path += (self.counts[path] - 1,)
        return path

    def _skip_blank(self) -> None:
        found = _BLANK.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def _take(self, sign: str) -> bool:
        if self.text.startswith(sign, self.at):
            self.at += len(sign)
            return True
        return False

    def _key(self) -> tuple[str, ...]:
        parts = []
        while found := _PART.match(self.text, self.at):
            self.at = found.end()
            part = found[1]
            parts.append(_unquoted(part) if part[0] in "\"'" else part)
            if not self._take("."):
                break
        if not parts:  # never in a valid document; end the scan
            self.at = len(self.text)
        return tuple(parts)

    def _value(self, path: Path) -> Iterator[tuple[Path, int]]:
        self._skip_blank()
        if self._take("["):
            yield from self._items(path)
        elif self._take("{"):
            yield from self._pairs(path)
        else:
            found = _STRING.match(self.text, self.at) or _SCALAR.match(self.text, self.at)
            self.at = found.end() if found else len(self.text)

    def _items(self, path: Path) -> Iterator[tuple[Path, int]]:
        number = 0
        self._skip_blank()
        while self.at < len(self.text) and not self._take("]"):
            yield (*path, number), self.at
            yield from self._value((*path, number))
            number += 1
            self._skip_blank()
            self._take(",")
            self._skip_blank()

    def _pairs(self, path: Path) -> Iterator[tuple[Path, int]]:
        self._skip_blank()
        while self.at < len(self.text) and not self._take("}"):
            start = self.at
            inner = path + self._key()
            yield inner, start
            self._skip_blank()
            self._take("=")
            yield from self._value(inner)
            self._skip_blank()
            self._take(",")
            self._skip_blank()


def _unquoted(part: str) -> str:
    try:
        name: str = tomllib.loads(f"name = {part}")["name"]
    except tomllib.TOMLDecodeError:  # never in a valid document
        return part
    return name
