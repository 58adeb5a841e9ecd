"""The command line: `currents-export`."""

from __future__ import annotations

from ._start import quitting_on_interrupt

__all__ = ["main"]


def main() -> None:
    """Run the command line."""
    with quitting_on_interrupt():
        from ._app import main as run  # noqa: PLC0415 - an interrupt during it must end quietly
    run()
