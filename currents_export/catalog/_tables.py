"""The catalog's tables: tab-separated files with a header, packaged or in a directory."""

from __future__ import annotations

import csv
from importlib.resources import files
from pathlib import Path

__all__ = ["read_table"]


def read_table(name: str, directory: Path | None = None) -> list[dict[str, str]]:
    """Read the rows of a table.

    Args:
        name: the file name, such as `event_types.tsv`.
        directory: where to look first; a table that is not there is taken from the package.
    """
    packaged = files("currents_export.catalog").joinpath("data", name)
    path = directory / name if directory is not None else None
    text = (path if path is not None and path.is_file() else packaged).read_text("utf-8")
    return [*csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)]
