"""A copy of the catalog's tables, to change like a user who tries an unreleased version."""

from __future__ import annotations

import shutil
from pathlib import Path

import currents_export.catalog

PACKAGED = Path(currents_export.catalog.__file__).parent / "data"


class CopiedTables:
    """The packaged tables, copied to a directory where tests can change them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "tables"
        shutil.copytree(PACKAGED, self.directory)

    def add(self, table: str, **cells: object) -> str:
        """Add a row to a table, and return its place, such as `fields.tsv:12`."""
        lines = self.lines(table)
        row = [str(cells.pop(column, "")) for column in lines[0].split("\t")]
        assert not cells, f"{table} has no columns {', '.join(cells)}"
        self.write(table, "\n".join([*lines, "\t".join(row)]) + "\n")
        return f"{table}:{len(lines) + 1}"

    def add_version(self, number: int) -> None:
        """Add an unreleased schema version with the contents of the last one."""
        header, *_, last = self.lines("versions.tsv")
        cells = dict(zip(header.split("\t"), last.split("\t"), strict=True))
        self.add("versions.tsv", **{**cells, "schema_version": number})

    def lines(self, table: str) -> list[str]:
        """Return the lines of a table, the header first."""
        return (self.directory / table).read_text("utf-8").splitlines()

    def write(self, table: str, text: str) -> None:
        """Write a whole table."""
        (self.directory / table).write_text(text, "utf-8")

    def remove(self, table: str) -> None:
        """Remove a table."""
        (self.directory / table).unlink()
