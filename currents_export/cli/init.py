"""`init`: create a Current's TOML file from the questions of Braze's form."""

from __future__ import annotations

import os
import shlex
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from .._config import from_text, read_secret
from .._forms import required_fields, to_command
from .._toml import to_toml, write_private
from ..current import Current, CurrentsExportWarning
from ..destinations import DESTINATIONS, kind_of
from ..errors import CurrentError, OptionError
from ._current import DEFAULT_FILE
from ._exit_codes import INTERRUPTED
from ._options import CatalogDir, EventTypes, SchemaVersion
from ._questions import ask, problems_of
from ._streams import print_line, print_note

__all__ = ["run"]

_OPTIONS = {
    "integration_name": "--integration-name",
    "contact_email": "--contact-email",
    "key": "--key-file (or --key-stdin, --key)",
    "region": "--region",
    "endpoint": "--endpoint",
}

#: Other systems have no permissions that say so.
_READERS = "; only you can read it" if os.name == "posix" else ""


def run(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The file to create.")
    ] = DEFAULT_FILE,
    *,
    integration_name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The name of the Current.")
    ] = None,
    contact_email: Annotated[
        str | None,
        typer.Option(
            metavar="EMAIL", help="Who is notified when the Current pauses or is disabled."
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="RudderStack: the webhook URL of the Braze source, including the write key. "
            "Other users of this machine can see it; prefer --key-file or --key-stdin.",
        ),
    ] = None,
    key_stdin: Annotated[
        bool, typer.Option("--key-stdin", help="Read the key from standard input.")
    ] = False,
    key_file: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="A file with the key, which the TOML file will name."),
    ] = None,
    region: Annotated[
        str | None, typer.Option(metavar="US|EU", help="RudderStack: the region.")
    ] = None,
    endpoint: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Custom HTTP: the URL that receives the events."),
    ] = None,
    bearer_token: Annotated[
        str | None,
        typer.Option(
            metavar="TOKEN",
            help="Custom HTTP: the bearer token. Other users of this machine can see it; prefer a "
            "file or standard input.",
        ),
    ] = None,
    bearer_token_stdin: Annotated[
        bool, typer.Option("--bearer-token-stdin", help="Read the token from standard input.")
    ] = False,
    bearer_token_file: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="A file with the token, which the TOML file will name."),
    ] = None,
    include_anonymous: Annotated[
        bool | None,
        typer.Option(
            "--include-anonymous/--no-include-anonymous",
            help="Custom HTTP: send events of users without an external_user_id; "
            "--no-include-anonymous says no.",
        ),
    ] = None,
    event_types: EventTypes = None,
    transform: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=HOW",
            help="A field to remove or hash; can be given more than once.",
        ),
    ] = None,
    schema_version: SchemaVersion = None,
    catalog_dir: CatalogDir = None,
    unknown_event_types: Annotated[
        str | None,
        typer.Option(
            metavar="filter|send",
            help="What happens to events of types that the schema version does not have.",
        ),
    ] = None,
    notice_command: Annotated[
        str | None,
        typer.Option(
            metavar="COMMAND",
            help="A program and its arguments in one text, to run for each notice; no shell.",
        ),
    ] = None,
    allow_plain_http: Annotated[
        bool | None,
        typer.Option("--allow-plain-http", help="Accept plain HTTP for other machines."),
    ] = None,
    test_current: Annotated[
        bool | None,
        typer.Option("--test-current", help="Send at most 1,500 events in a day in UTC."),
    ] = None,
    workspace: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The workspace whose Test Currents share these 1,500 events."
        ),
    ] = None,
    workspace_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The file in which workspaces are counted; one of this user by default.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
) -> None:
    """Create a Current's TOML file by asking the questions of Braze's form.

    Options answer questions in advance. If a required answer is missing, the command asks for it
    and for the optional ones. If no required answer is missing, or standard input is not a
    terminal, it asks nothing.

    On POSIX systems only the owner can read the file, because it may contain the key. The key and
    the token are not shown while they are typed.
    """
    _check_file(file, force=force)
    if key_stdin and bearer_token_stdin:
        raise OptionError("--key-stdin and --bearer-token-stdin cannot be given together")
    answers: dict[str, Any] = {
        "integration_name": integration_name,
        "contact_email": contact_email,
        "region": region,
        "endpoint": endpoint,
        "include_anonymous": include_anonymous,
        "allow_plain_http": allow_plain_http,
        "event_types": event_types,
        "schema_version": schema_version,
        "catalog_dir": catalog_dir,
        "test_current": test_current,
        "workspace": workspace,
        "workspace_file": workspace_file,
        "unknown_event_types": unknown_event_types,
        "notice_command": notice_command and to_command(notice_command),
    }
    problems: list[tuple[str, str]] = []
    readers: dict[str, Callable[[], Any]] = {
        "key": lambda: _secret("key", key, key_file, stdin=key_stdin),
        "bearer_token": lambda: _secret(
            "bearer_token", bearer_token, bearer_token_file, stdin=bearer_token_stdin
        ),
        "field_transformations": lambda: _transformations(transform),
    }
    for name, read in readers.items():
        try:
            answers[name] = read()
        except CurrentError as error:
            problems += error.problems
    answers = {name: value for name, value in answers.items() if value is not None}
    problems += [each for each in problems_of(answers) if each[0] in answers]
    if problems:
        raise CurrentError(problems)
    if missing := _missing(answers):
        if key_stdin or bearer_token_stdin or sys.stdin is None or not sys.stdin.isatty():
            raise OptionError(
                "standard input is not a terminal, so these options are needed: "
                + ", ".join(missing)
            )
        try:
            answers |= ask(answers)
        except typer.Abort:
            print_note("")
            raise typer.Exit(INTERRUPTED) from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CurrentsExportWarning)
        current = Current(**answers)
    for name, secret_file in (("key", key_file), ("bearer_token", bearer_token_file)):
        if secret_file is not None:
            del answers[name]
            answers[f"{name}_file"] = _seen_from(file, secret_file)
    for name, path in (("catalog_dir", catalog_dir), ("workspace_file", workspace_file)):
        if path is not None:
            answers[name] = _seen_from(file, str(path))
    write_private(file, to_toml(answers), replace=force)
    for warning in current.warnings:
        print_note(f"warning: {warning}")
    named = "" if file == DEFAULT_FILE else f" --current {shlex.quote(str(file))}"
    print_line(f"{file} has been written{_READERS}.")
    print_line(f"Next, check the credentials: currents-export check{named}")


def _check_file(file: Path, *, force: bool) -> None:
    """Refuse a file that cannot be written, before asking anything."""
    if str(file) == "-":
        raise OptionError("the Current contains secrets, so it is written to a file, not printed")
    if os.path.lexists(file) and not force:
        raise OptionError(f"{file} already exists; --force replaces it")
    if not file.parent.is_dir():
        raise OptionError(f"{file}: there is no directory {file.parent}")


def _secret(name: str, value: str | None, file: str | None, *, stdin: bool) -> str | None:
    """Return a secret from the one option that gives it; None if no option does."""
    option = f"--{name.replace('_', '-')}"
    if (value is not None) + (file is not None) + stdin > 1:
        raise OptionError(f"give only one of {option}, {option}-file and {option}-stdin")
    try:
        if file is not None:
            return read_secret(Path(file).expanduser())
        if stdin:
            return _from_stdin(name)
    except ValueError as error:
        raise CurrentError([(f"{name}_file" if file is not None else name, str(error))]) from None
    return value


def _from_stdin(name: str) -> str:
    if sys.stdin is None:
        raise ValueError("standard input is closed")
    if sys.stdin.isatty():
        secret: str = typer.prompt(name.replace("_", " "), hide_input=True, err=True)
        return secret
    try:
        text = sys.stdin.buffer.read().decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise ValueError("standard input is not UTF-8 text") from None
    if not text:
        raise ValueError("standard input is empty")
    return text


def _transformations(given: list[str] | None) -> dict[str, str] | None:
    try:
        return (
            None if given is None else from_text(Current, "field_transformations", ",".join(given))
        )
    except ValueError as error:
        raise CurrentError([("field_transformations", str(error))]) from None


def _missing(answers: dict[str, Any]) -> list[str]:
    """Return the required options that are missing."""
    names = [name for name in required_fields(Current) if name not in answers]
    kind = kind_of(answers)
    if kind is None:
        choices = [
            f"{' and '.join(_OPTIONS.get(name, name) for name in kind.required_fields())} "
            f"({kind.label})"
            for kind in DESTINATIONS
        ]
        return [*(_OPTIONS[name] for name in names), f"and either {', or '.join(choices)}"]
    names += [name for name in kind.required_fields() if name not in answers]
    return [_OPTIONS.get(name, name) for name in names]


def _seen_from(file: Path, other: str) -> str:
    """Return the name of a file relative to the directory of the TOML file, if there is one."""
    if Path(other).is_absolute() or other.startswith("~"):
        return other
    try:
        return os.path.relpath(other, file.parent)
    except ValueError:  # they are on different drives of Windows
        return str(Path(other).absolute())
