"""Import the commands on first use, and report the errors that they do not handle."""

from __future__ import annotations

import errno
import inspect
import logging
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from .._version import __version__
from ..errors import CurrentsExportError
from ._exit_codes import BAD_INPUT
from ._garbage import collect_seldom
from ._help import Command, Group
from ._logs import log_options
from ._start import quitting_on_interrupt
from ._streams import (
    OutputError,
    discard_stdout,
    print_error,
    print_line,
    replace_closed_streams,
    writing_output,
)

__all__ = ["COMMANDS", "app", "main"]

#: The commands in the order of the help, each with its description there. The module of a command
#: has its name, and a function `run` whose docstring begins with the same sentence.
COMMANDS = {
    "demo": "Send one event of each type to a local receiver that fails at first, and report.",
    "init": "Create a Current's TOML file by asking the questions of Braze's form.",
    "events": "List the event types a Current can send.",
    "schema": "Print the JSON Schema of an event type.",
    "generate": "Generate realistic events as JSON Lines.",
    "journeys": "List the built-in journeys with their outcomes.",
    "journey": "Print one journey of one user as JSON Lines.",
    "validate": "Check events from files or standard input against the schema.",
    "send": "Send events from files or a scenario as the Current does.",
    "run": "Send the traffic of a world as it happens.",
    "trigger": "Send one journey of one user as the Current does.",
    "outbox": "Show what is in an outbox, or send, write or erase it.",
    "test": "Send one test event of each selected event type.",
    "check": "Check the credentials with a request that has no events.",
    "serve": "Receive events until interrupted, then report what arrived.",
    "verify": "Compare what was sent with what arrived.",
    "qa": "Send traffic, take what RudderStack makes of it, and say whether the source is right.",
}


class _LazyCommand(TyperCommand):
    """An entry in the list of commands that loads its command when it is used."""

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **extra: Any) -> Any:
        command = _load(self.name or "")
        with writing_output():  # its help
            return command.make_context(info_name, args, *rest, **extra)


def _load(name: str) -> Any:
    with quitting_on_interrupt():
        run: Callable[..., None] = import_module(f".{name}", __package__).run
    # In typer's help, every line of a paragraph except the first would stay a line.
    paragraphs = inspect.cleandoc(run.__doc__ or "").split("\n\n")
    single = typer.Typer(
        pretty_exceptions_enable=False, add_completion=False, context_settings=_HELP
    )
    single.command(
        name, cls=Command, help="\n\n".join(" ".join(each.split()) for each in paragraphs)
    )(run)
    command = typer.main.get_command(single)
    command.params += log_options(_HELP)
    return command


class _Commands(Group):
    """Turn the errors that no command handles into a line and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except OSError as error:
            if error.errno == errno.EPIPE:  # the reader closed the pipe; typer ends the process
                raise
            _report(error)
        except CurrentsExportError as error:
            _report(error)
        raise typer.Exit(BAD_INPUT)


def _report(error: CurrentsExportError | OSError) -> None:
    if isinstance(error, OutputError):
        # What could not be written must not be written again when Python ends.
        discard_stdout()
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename is not None else ""
        print_error(f"{where}{error.strerror or error}")
    else:
        print_error(error)


_HELP = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    name="currents-export",
    cls=_Commands,
    help="A Braze Current in a box: realistic events, delivered as Braze delivers them.",
    epilog="Exit codes: 0 everything was delivered or valid; 1 something was not; 2 bad usage or "
    "input; 130 interrupted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings=_HELP,
)
for _name, _help in COMMANDS.items():
    app.command(_name, cls=_LazyCommand, help=_help)(lambda: None)


def _show_version(wanted: bool) -> None:
    if wanted:
        print_line(f"currents-export {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    # The commands report what happens themselves, so the sender's log is not needed.
    logging.getLogger("currents_export").addHandler(logging.NullHandler())


def main() -> None:
    """Run the command line."""
    collect_seldom()
    replace_closed_streams()
    try:
        with writing_output():
            app()
    except OutputError as error:  # of the help, which no command prints
        _report(error)
        sys.exit(BAD_INPUT)
