"""Read the data files of this package: tab-separated tables and TOML documents."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

__all__ = ["read_data", "read_rows", "split"]


def _file(subpackage: str, name: str) -> Traversable:
    return files("currents_export.simulation").joinpath(subpackage, "data", name)


@cache
def read_rows(subpackage: str, name: str) -> tuple[Mapping[str, str], ...]:
    """Read the rows of a table of a subpackage, such as `people` and `cities.tsv`."""
    lines = _file(subpackage, name).read_text("utf-8").splitlines()
    return tuple(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


@cache
def read_data(subpackage: str, name: str) -> Mapping[str, Any]:
    """Read a TOML document of a subpackage."""
    return tomllib.loads(_file(subpackage, name).read_text("utf-8"))


def split(cell: str) -> tuple[str, ...]:
    """Return the items of a table cell, which are separated by `|`."""
    return tuple(filter(None, cell.split("|")))
