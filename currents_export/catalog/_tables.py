"""The catalog's tables: tab-separated files with a header, packaged or in a directory."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from ..errors import CatalogError

__all__ = ["Row", "check_directory", "read_table"]


class Row(dict[str, str]):
    """A row of a table: its cells by column, and its place.

    Attributes:
        table: the file name of the table.
        line: the line, counted from 1.
        packaged: whether the table is packaged.
    """

    def __init__(self, cells: dict[str, str], *, table: str, line: int, packaged: bool) -> None:
        super().__init__(cells)
        self.table = table
        self.line = line
        self.packaged = packaged

    @property
    def place(self) -> str:
        """The file name and the line, such as `event_types.tsv:12`."""
        return f"{self.table}:{self.line}"


def read_table(
    name: str, directory: Path | None = None, *, columns: Collection[str] = ()
) -> list[Row]:
    """Read the rows of a table.

    Cells are stripped of surrounding spaces; cells missing at the end of a row are empty.

    Args:
        name: the file name, such as `event_types.tsv`.
        directory: where to look first; a table that is missing there is taken from the package.
        columns: the columns that the table must have; it may have others.

    Raises:
        CatalogError: the table cannot be read, lacks a column, or has a row that is too long.
    """
    own = None if directory is None else directory / name
    packaged = own is None or not own.is_file()
    source: Traversable | Path = _data().joinpath(name) if own is None or packaged else own
    try:
        # splitlines would also split at characters that are ordinary text in a cell.
        lines = source.read_bytes().decode("utf-8-sig").replace("\r\n", "\n").split("\n")
    except OSError as error:
        raise _problem(directory, name, f"cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise _problem(directory, name, "is not UTF-8 text") from error
    header = [cell.strip() for cell in lines[0].split("\t")]
    problems = list(_header_problems(name, header, columns))
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        cells += [""] * (len(header) - len(cells))
        row = Row(
            dict(zip(header, cells, strict=False)), table=name, line=number, packaged=packaged
        )
        rows.append(row)
        if len(cells) > len(header):
            message = f"the row has {len(cells)} cells; the header has {len(header)}"
            problems.append((row.place, message))
    if problems:
        raise CatalogError(problems, directory=directory)
    return rows


def check_directory(directory: Path) -> None:
    """Check that a directory exists and contains a table.

    Raises:
        CatalogError: it does not exist, or contains no table.
    """
    names = sorted(each.name for each in _data().iterdir() if each.name.endswith(".tsv"))
    try:
        if not directory.exists():
            raise _problem(directory, "", "there is no such directory")
        if not directory.is_dir():
            raise _problem(directory, "", "it is not a directory")
        if not any((directory / name).is_file() for name in names):
            raise _problem(directory, "", f"it contains none of the tables {', '.join(names)}")
    except OSError as error:
        raise _problem(directory, "", f"it cannot be read: {error.strerror or error}") from error


def _data() -> Traversable:
    return files("currents_export.catalog").joinpath("data")


def _header_problems(
    name: str, header: list[str], columns: Collection[str]
) -> Iterator[tuple[str, str]]:
    if missing := [column for column in columns if column not in header]:
        yield f"{name}:1", f"the header lacks {', '.join(missing)}"
    if twice := sorted({column for column in header if header.count(column) > 1}):
        yield f"{name}:1", f"the header repeats {', '.join(map(repr, twice))}"


def _problem(directory: Path | None, place: str, message: str) -> CatalogError:
    return CatalogError([(place, message)], directory=directory)
