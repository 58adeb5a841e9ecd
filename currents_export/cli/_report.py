"""Write the files of a report, and the options for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from .._files import STDOUT, open_output
from ..verification import Report, to_html, to_junit
from ._streams import print_error, print_note, results_to_stderr

__all__ = ["HtmlFile", "JunitFile", "check_files", "now_text", "write_files"]

HtmlFile = Annotated[
    str | None,
    typer.Option(
        "--html",
        metavar="FILE",
        help="Write the report as a page that needs no network; one that exists is overwritten. "
        "'-' is standard output.",
    ),
]
JunitFile = Annotated[
    str | None,
    typer.Option(
        "--junit",
        metavar="FILE",
        help="Write the report as JUnit XML, with a test case for each check and each event type. "
        "'-' is standard output.",
    ),
]


def now_text() -> str:
    """Return the time as a report shows it."""
    return datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC").lstrip("0")


def check_files(html: str | None, junit: str | None, *inputs: str | None) -> None:
    """Check before the work that the files of a report can be written afterwards.

    Raises:
        BadParameter: two are the same, one is an input, or its directory does not exist.
    """
    outputs = {"--html": html, "--junit": junit}
    named = {name: file for name, file in outputs.items() if file is not None}
    taken = {_place(each) for each in inputs if each is not None and each != STDOUT}
    for name, file in named.items():
        if _place(file) in taken:
            raise typer.BadParameter(f"{name} {file} is another file of this command, too")
        taken.add(_place(file))
        if file != STDOUT and not Path(file).resolve().parent.is_dir():
            raise typer.BadParameter(f"{name} {file}: its directory does not exist")


def _place(name: str) -> str:
    return name if name == STDOUT else str(Path(name).resolve())


def write_files(
    report: Report,
    *,
    html: str | None,
    junit: str | None,
    title: str,
    details: Mapping[str, str],
    personal_data: bool,
) -> bool:
    """Write the files of a report, and return whether all could be written.

    If one of them is standard output, results go to standard error from then on.
    """
    texts = {}
    if html is not None:
        page = to_html(report, title=title, details=details, personal_data=personal_data)
        texts[html] = "--html", page
    if junit is not None:
        texts[junit] = "--junit", to_junit(report, personal_data=personal_data)
    is_written = [_write(option, name, text) for name, (option, text) in texts.items()]
    if STDOUT in texts:
        results_to_stderr()
    return all(is_written)


def _write(option: str, name: str, text: str) -> bool:
    try:
        file = open_output(name)
        try:
            file.write(text.encode())
            file.flush()
        finally:
            if name != STDOUT:
                file.close()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        print_error(f"{option}: {name}: it cannot be written: {why}")
        return False
    if name != STDOUT:
        print_note(f"the report is in {name}")
    return True
