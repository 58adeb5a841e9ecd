"""The command line: `currents-export`."""

from ._app import main

__all__ = ["main"]
