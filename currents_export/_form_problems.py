"""What may be wrong with the settings of a Current, apart from its destination."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ._forms import Problem, quoted, text_problems
from ._suggestions import did_you_mean
from .catalog import Catalog
from .errors import CatalogError, UnknownNameError
from .payload import Transformation

__all__ = [
    "choose_catalog",
    "event_type_problems",
    "name_problems",
    "transformation_problems",
]

#: How many problems of a directory of tables a message lists.
_MOST_TABLE_PROBLEMS = 10

_WORD = re.compile(r"[A-Z]?[a-z]{1,20}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def name_problems(integration_name: object, contact_email: object) -> Iterator[Problem]:
    """Yield the problems of the names."""
    yield from text_problems("integration_name", integration_name)
    yield from text_problems("contact_email", contact_email)
    email = contact_email if isinstance(contact_email, str) else ""
    if email.strip() and not _EMAIL.fullmatch(email):
        yield "contact_email", f"{quoted(email)} is not an email address"


def choose_catalog(version: Any, directory: object) -> tuple[Catalog, list[Problem]]:
    """Return the catalog of a Current, or a similar one and the problems."""
    problems: list[Problem] = []
    if version is not None and type(version) is not int:
        problem = f"it must be a whole number, not {quoted(version)}"
        problems.append(("schema_version", problem))
        version = None
    if directory is not None and not isinstance(directory, Path):
        problems.append(("catalog_dir", f"it must be a path, not {quoted(directory)}"))
        directory = None
    try:
        newest = Catalog.load(directory=directory)
        return (newest if version is None else Catalog.load(version, directory)), problems
    except UnknownNameError as error:
        problems.append(("schema_version", str(error)))
        return newest, problems
    except CatalogError as error:
        problems += _table_problems(error)
        return Catalog.load(), problems


def _table_problems(error: CatalogError) -> Iterator[Problem]:
    for place, message in error.problems[:_MOST_TABLE_PROBLEMS]:
        where = f"{error.directory}: {place}" if place else error.directory
        yield "catalog_dir", f"{where}: {message}"
    if (more := len(error.problems) - _MOST_TABLE_PROBLEMS) > 0:
        yield "catalog_dir", f"and {more:,} more"


def event_type_problems(patterns: object, catalog: Catalog) -> Iterator[Problem]:
    """Yield the problems of the selected event types."""
    if not isinstance(patterns, tuple) or not all(isinstance(each, str) for each in patterns):
        yield "event_types", "it must be a list of names, families or globs"
        return
    if not patterns:
        yield "event_types", "none is selected; '*' selects all"
    for pattern in patterns:
        if "://" in pattern:
            yield "event_types", f"{quoted(pattern)} is a URL, not an event type"
            continue
        try:
            catalog.select(pattern)
        except UnknownNameError as error:
            yield "event_types", str(error)


def transformation_problems(transformations: object, catalog: Catalog) -> Iterator[Problem]:
    """Yield the problems of the field transformations."""
    if not isinstance(transformations, Mapping):
        yield "field_transformations", "it must be a table of field names to remove or hash"
        return
    if not transformations:
        return
    fields = catalog.fields
    texts = {name for name, found in fields.items() if any(f.json_type == "string" for f in found)}
    newest = Catalog.load(directory=catalog.directory).fields
    for name, how in transformations.items():
        if name not in fields and name in newest:
            since = min(field.since for field in newest[name])
            problem = f"{name} was introduced in schema version {since}; "
            problem += f"this is version {catalog.schema_version}"
            yield "field_transformations", problem
        elif name not in fields:
            problem = f"no event has a field {quoted(name)}{did_you_mean(str(name), texts)}"
            yield "field_transformations", problem
        elif name not in texts:
            yield "field_transformations", f"{name} is not text, and only text is transformed"
        if not isinstance(how, Transformation):
            # Show only a word: other text may be a write key that was given in the wrong place.
            is_secret = isinstance(how, str) and not _WORD.fullmatch(how)
            what = "not known" if is_secret else quoted(how)
            problem = f"the transformation of {quoted(name)} is {what}; it must be remove or hash"
            yield "field_transformations", problem
