"""The package as a whole: its exports, and what importing it loads."""

from __future__ import annotations

import inspect
import subprocess
import sys
import typing
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import attrs
import pytest

import currents_export
from currents_export import errors


def modules_after(code: str) -> set[str]:
    """Return the modules that a new interpreter has imported after running the code."""
    run = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        check=True,
        timeout=60,
        capture_output=True,
        text=True,
    )
    return set(run.stdout.split())


def test_import_is_light() -> None:
    heavy = {"attrs", "faker", "httpx", "orjson", "rich", "starlette", "tenacity", "typer"}
    assert not modules_after("import currents_export") & (heavy | {"uvicorn"})


def test_sending_imports_only_what_it_needs() -> None:
    modules = modules_after("from currents_export import Current, Event, Sender")
    assert not modules & {"faker", "jinja2", "starlette", "typer", "uvicorn"}


@pytest.mark.parametrize("name", currents_export.__all__)
def test_public_name_is_documented(name: str) -> None:
    value = getattr(currents_export, name)
    assert value.__name__ == name
    assert inspect.getdoc(value)
    assert name in dir(currents_export)


def test_all_is_sorted_and_unique() -> None:
    assert len(set(currents_export.__all__)) == len(currents_export.__all__)


def test_unknown_name_is_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Sendr'"):
        _ = currents_export.Sendr


def annotations_of(value: Any) -> Iterator[Any]:
    """Yield the annotations of a class's fields, or of its public methods and properties."""
    if attrs.has(value) or issubclass(value, tuple):
        yield from typing.get_type_hints(value).values()
        return
    for name, member in inspect.getmembers(value):
        function = member.fget if isinstance(member, property) else member
        if inspect.isfunction(function) and (name == "__init__" or not name.startswith("_")):
            yield from typing.get_type_hints(function).values()


def classes_in(annotation: Any) -> Iterator[type]:
    """Yield the classes of this package that occur in an annotation."""
    for argument in typing.get_args(annotation):
        for each in argument if isinstance(argument, list) else [argument]:
            yield from classes_in(each)
    if inspect.isclass(annotation) and annotation.__module__.startswith("currents_export"):
        yield annotation


def reachable(*start: type) -> set[type]:
    """Return the classes of this package that these classes accept or return."""
    found: set[type] = set()
    left = list(start)
    while left:
        value = left.pop()
        if value not in found:
            found.add(value)
            left += [each for hint in annotations_of(value) for each in classes_in(hint)]
    return found


def test_everything_handed_out_is_exported() -> None:
    found = reachable(
        currents_export.Hooks,
        currents_export.Result,
        currents_export.Sender,
        currents_export.Receiver,
    )
    assert {"Attempt", "Response", "DropReason", "State", "FindingCount"} <= {
        each.__name__ for each in found
    }
    missing = [each for each in found if getattr(currents_export, each.__name__, None) is not each]
    assert missing == []


@pytest.mark.parametrize("name", errors.__all__)
def test_errors_are_in_one_hierarchy(name: str) -> None:
    error = getattr(errors, name)
    assert issubclass(error, currents_export.CurrentsExportError)
    assert name.endswith("Error")
    assert name in currents_export.__all__


def test_drawn_hierarchy_is_true() -> None:
    """The drawing lists each error once, below its base class."""
    assert errors.__doc__ is not None
    drawn: list[tuple[str, str | None]] = []
    path: list[str] = []
    for line in errors.__doc__.splitlines():
        indented = line.lstrip()
        if indented.startswith("- "):
            depth, name = (len(line) - len(indented)) // 2, indented[2:].split()[0]
            path[depth:] = [name]
            drawn.append((name, path[-2] if depth else None))
    true = [
        (
            name,
            base
            if (base := getattr(errors, name).__bases__[0].__name__) in errors.__all__
            else None,
        )
        for name in errors.__all__
    ]
    assert sorted(drawn) == sorted(true)


def test_version_is_the_installed_one() -> None:
    assert version("currents-export") == currents_export.__version__
