from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import currents_export
from currents_export import errors

ROOT = Path(__file__).parents[2]


def test_importing_the_package_is_light() -> None:
    code = (
        "import sys, currents_export; "
        "heavy = {'httpx', 'tenacity', 'faker', 'typer', 'rich', 'starlette', 'uvicorn', 'orjson'};"
        "sys.exit(', '.join(heavy & sys.modules.keys()) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_sending_needs_neither_faker_nor_the_receiver_nor_the_command_line() -> None:
    code = (
        "import sys; from currents_export import Current, Event, Sender; "
        "heavy = {'faker', 'typer', 'starlette', 'uvicorn'};"
        "sys.exit(', '.join(heavy & sys.modules.keys()) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("name", currents_export.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(currents_export, name)
    assert value.__name__ == name
    assert inspect.getdoc(value)
    assert name in dir(currents_export)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Sendr'"):
        _ = currents_export.Sendr


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_is_in_one_hierarchy_and_public(name: str) -> None:
    assert issubclass(getattr(errors, name), currents_export.CurrentsExportError)
    assert name in currents_export.__all__


def test_the_parts_know_only_what_is_below_them() -> None:
    above = {
        "catalog": {"delivery", "simulation", "receiver", "cli", "current"},
        "events.py": {"catalog", "delivery", "simulation", "receiver", "cli", "current", "payload"},
        "payload.py": {"catalog", "delivery", "simulation", "receiver", "cli", "current"},
        "current.py": {"delivery", "simulation", "receiver", "cli"},
        "delivery": {"simulation", "receiver", "cli"},
        "simulation": {"delivery", "receiver", "cli", "current"},
        "receiver": {"delivery", "simulation", "cli", "current"},
    }
    package = ROOT / "currents_export"
    for part, forbidden in above.items():
        path = package / part
        for file in path.rglob("*.py") if path.is_dir() else [path]:
            text = file.read_text("utf-8")
            for name in forbidden:
                assert f"from ..{name}" not in text, file
                assert f"from .{name} import" not in text or path.is_dir(), file


def test_the_version_is_the_one_that_is_installed() -> None:
    from importlib.metadata import version

    assert version("currents-export") == currents_export.__version__
