"""Ask for the fields of a form on the terminal, one at a time."""

from __future__ import annotations

import enum
import warnings
from types import UnionType
from typing import Any, get_args, get_origin

import attrs
import typer

from .._config import field_types, from_text
from .._forms import required_fields
from ..current import Current, CurrentsExportWarning
from ..destinations import DESTINATIONS, Destination, kind_of
from ..errors import CurrentError
from ._streams import print_note

__all__ = ["ask", "problems_of"]


def problems_of(answers: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the problems with the answers, missing ones included."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CurrentsExportWarning)
            Current(**{**dict.fromkeys(required_fields(Current)), **answers})
    except CurrentError as error:
        return error.problems
    return ()


def ask(given: dict[str, Any]) -> dict[str, Any]:
    """Ask for the fields that are not given, again after a wrong answer, and return all fields.

    Raises:
        typer.Abort: the user interrupted the questions or ended the input.
    """
    answers = dict(given)
    for name in required_fields(Current):
        _ask_field(name, answers, required=True)
    kind = kind_of(answers) or _ask_kind()
    for name in kind.form_fields():
        _ask_field(name, answers, required=name in kind.required_fields())
    _ask_field("event_types", answers, hint="separated by commas; all by default")
    _ask_field("field_transformations", answers, hint="such as email_address=hash,gender=remove")
    return answers


def _ask_kind() -> type[Destination]:
    kinds = {kind.name: kind for kind in DESTINATIONS}
    while True:
        answer = _prompt(f"Destination ({' or '.join(kinds)})", hidden=False, required=True)
        if answer.lower() in kinds:
            return kinds[answer.lower()]
        print_note(f"  it must be {' or '.join(kinds)}")


def _ask_field(
    name: str, answers: dict[str, Any], *, required: bool = False, hint: str = ""
) -> None:
    if name in answers:
        return
    field = getattr(attrs.fields(Current), name)
    label, hidden = field.metadata["label"], field.metadata["secret"]
    if bool in _types(name):
        answers[name] = typer.confirm(label, default=False, err=True)
        return
    hint = hint or " or ".join(_choices(name)) or ("" if required else "optional")
    question = f"{label} ({hint})" if hint else label
    if hidden:
        question += " [not shown]"
    while text := _prompt(question, hidden=hidden, required=required):
        try:
            value = from_text(Current, name, text)
            found = [text for field, text in problems_of({**answers, name: value}) if field == name]
        except ValueError as error:
            found = [str(error)]
        if not found:
            answers[name] = value
            return
        for problem in found:
            print_note(f"  {problem}")


def _types(name: str) -> tuple[Any, ...]:
    """Return the types that a field accepts."""
    declared = field_types(Current)[name]
    return get_args(declared) if get_origin(declared) is UnionType else (declared,)


def _choices(name: str) -> list[str]:
    """Return the values of a field whose type lists them."""
    kinds: list[type[enum.Enum]] = [
        each for each in _types(name) if isinstance(each, type) and issubclass(each, enum.Enum)
    ]
    return [str(member.value) for kind in kinds for member in kind]


def _prompt(question: str, *, hidden: bool, required: bool) -> str:
    default = None if required else ""
    text: str = typer.prompt(
        question, default=default, show_default=False, hide_input=hidden, err=True
    )
    return text.strip()
