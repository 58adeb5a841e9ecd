"""Load the Current that a command uses."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

from .._config import ENVIRONMENT_PREFIX
from ..current import Current, CurrentsExportWarning
from ..errors import CurrentError, OptionError
from ._streams import print_note

__all__ = ["DEFAULT_FILE", "load_current"]

#: The file that `init` creates, and that commands read by default.
DEFAULT_FILE = Path("current.toml")
#: Variables that do not configure a Current by themselves.
_NOT_A_CURRENT = {f"{ENVIRONMENT_PREFIX}CATALOG_DIR", f"{ENVIRONMENT_PREFIX}WORKSPACE_FILE"}


def load_current(path: Path | None, catalog_dir: Path | None) -> Current:
    """Load the Current from the file and the environment, and print its warnings.

    Args:
        path: the TOML file; None looks for `current.toml` in the current directory.
        catalog_dir: the directory of catalog tables; it overrides the file and the environment.

    Raises:
        CurrentError: a setting is missing or wrong.
        OptionError: there is no file, and the environment does not contain a Current.
    """
    file = path
    if file is None and DEFAULT_FILE.exists():
        file = DEFAULT_FILE
        print_note(f"using {DEFAULT_FILE} in this directory; --current names another file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CurrentsExportWarning)
            current = Current.load(file, catalog_dir=catalog_dir)
    except CurrentError as error:
        if file is not None:
            raise
        raise OptionError(_without_a_file(error)) from error
    for warning in current.warnings:
        print_note(f"warning: {warning}")
    return current


def _without_a_file(error: CurrentError) -> str:
    hint = (
        f"--current FILE names the Current's TOML file; there is no {DEFAULT_FILE} in this "
        "directory. 'currents-export init' creates one."
    )
    if any(
        name.startswith(ENVIRONMENT_PREFIX) and value and name not in _NOT_A_CURRENT
        for name, value in os.environ.items()
    ):
        return f"{error}\n{hint}"
    return f"there is no Current: {hint}"
