"""The commands put together, and what is done with the errors they do not handle."""

from __future__ import annotations

import errno
import inspect
import io
import logging
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from .._version import __version__
from ..errors import CurrentsExportError
from ._catalog import events, schema, validate
from ._delivery import check, send, send_test
from ._demo import demo
from ._output import BAD_INPUT, complain
from ._receiver import serve
from ._traffic import generate

__all__ = ["app", "main"]


class _Commands(TyperGroup):
    """Turns the errors that no command handles into a line and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except CurrentsExportError as error:
            complain(error)
        except OSError as error:
            if error.errno == errno.EPIPE:  # who reads has seen enough; typer ends the process
                raise
            # What could not be written must not be tried again when Python ends.
            sys.stdout = io.StringIO()
            complain(f"the output cannot be written: {error.strerror or error}")
        raise typer.Exit(BAD_INPUT)


app = typer.Typer(
    name="currents-export",
    cls=_Commands,
    help="A Braze Current in a box: realistic events, delivered as Braze delivers them.",
    epilog="Exit codes: 0 all was delivered or found good; 1 something was not; 2 bad usage or "
    "input; 130 interrupted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_COMMANDS: dict[str, Callable[..., None]] = {
    "demo": demo,
    "events": events,
    "schema": schema,
    "generate": generate,
    "validate": validate,
    "send": send,
    "test": send_test,
    "check": check,
    "serve": serve,
}
for _name, _command in _COMMANDS.items():
    # In typer's help every line of a paragraph but the first would stay a line.
    _paragraphs = inspect.cleandoc(_command.__doc__ or "").split("\n\n")
    app.command(_name, help="\n\n".join(" ".join(each.split()) for each in _paragraphs))(_command)


def _show_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"currents-export {__version__}\n")
        raise typer.Exit


@app.callback()
def _options(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    # What the sender would log, the commands tell in their own way.
    logging.getLogger("currents_export").addHandler(logging.NullHandler())


def main() -> None:
    """Run the command line."""
    app()
