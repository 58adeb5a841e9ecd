"""A Current from TOML and from environment variables.

Both become one mapping of form fields, which cattrs structures. The values of TOML go to `Current`
as they are, since it checks them with better messages; the text of variables is converted first.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from operator import eq
from pathlib import Path
from typing import Any, Final, TypeVar, get_type_hints

import attrs
import cattrs
from cattrs.errors import ClassValidationError, ForbiddenExtraKeysError

from ._forms import Problem, required_fields, to_command
from ._suggestions import did_you_mean
from .destinations import Region
from .errors import CurrentError
from .payload import Transformation

__all__ = ["ENVIRONMENT_PREFIX", "field_types", "from_text", "load", "read_secret"]

C = TypeVar("C")

#: The environment variable of a field is this prefix and the field's name in capitals.
ENVIRONMENT_PREFIX: Final = "CURRENTS_EXPORT_"
#: The fields with a path.
_PATHS = {"catalog_dir", "workspace_file"}
#: The largest size of a secret file, in bytes.
_MAX_SECRET = 65_536


def load(
    kind: type[C],
    path: Path | str | None,
    *,
    environ: Mapping[str, str] | None,
    catalog_dir: Path | str | None,
) -> C:
    """Load the form `kind`, which is `Current`, from its settings; see `Current.load`."""
    settings = _Settings(_secret_fields(kind))
    if path is not None:
        settings.add_file(Path(path))
    settings.add_environment(os.environ if environ is None else environ)
    settings.read_secrets()
    if catalog_dir is not None:
        settings.values["catalog_dir"] = catalog_dir
        settings.places.pop("catalog_dir", None)
    failing = {name for name, _ in settings.problems}
    made, found = _structure(kind, settings.values)
    # A secret whose file cannot be read must not also be reported as missing.
    problems = settings.problems + [
        each for each in found if each[0] not in failing and f"{each[0]}_file" not in failing
    ]
    if made is None or problems:
        source = None if path is None else str(path)
        raise CurrentError(problems, source=source, places=settings.places)
    return made


@attrs.define
class _Settings:
    """The settings from the file and the environment.

    Attributes:
        secrets: the fields that may be read from a separate file, which `<field>_file` names.
        values: form fields, and names that are not form fields.
        places: where each value was given, by name, as the beginning of a message.
        directories: the directory that a relative path is relative to, by name.
        problems: the problems with the values that are left out.
    """

    secrets: tuple[str, ...]
    values: dict[str, Any] = attrs.field(factory=dict)
    places: dict[str, str] = attrs.field(factory=dict)
    directories: dict[str, Path] = attrs.field(factory=dict)
    problems: list[Problem] = attrs.field(factory=list)

    def add_file(self, path: Path) -> None:
        """Add the settings of a TOML file.

        Raises:
            CurrentError: the file cannot be read or parsed.
        """
        text = _read(path)
        self.values |= _parse(text, str(path))
        self.places |= {name: _place_of(name, text) for name in self.values}
        self.directories |= dict.fromkeys(self.values, path.parent)
        for name in _PATHS & self.values.keys():
            self.values[name] = _to_path(self.values[name], path.parent)

    def add_environment(self, environ: Mapping[str, str]) -> None:
        """Add the settings of environment variables, which override those of the file."""
        found = {
            variable.removeprefix(ENVIRONMENT_PREFIX).lower(): _Text(text)
            for variable, text in sorted(environ.items())
            # In many CI systems, a secret that is not set is an empty variable.
            if variable.startswith(ENVIRONMENT_PREFIX) and text
        }
        for name in self.secrets:
            if name in found or f"{name}_file" in found:
                self.values.pop(name, None)
                self.values.pop(f"{name}_file", None)
        self.values |= found
        self.places |= {name: f"{ENVIRONMENT_PREFIX}{name.upper()}: " for name in found}
        self.directories |= dict.fromkeys(found, Path())

    def read_secrets(self) -> None:
        """Replace the names of secret files with their contents."""
        for name in self.secrets:
            field = f"{name}_file"
            if field not in self.values:
                continue
            file = self.values.pop(field)
            try:
                if name in self.values:
                    raise ValueError(f"{name} is given too; keep only one of the two")
                path = _secret_path(file, self.directories[field])
                self.values[name] = read_secret(path)
                self.places[name] = f"{path}: "
            except ValueError as error:
                self.problems.append((field, str(error)))


def _secret_fields(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in attrs.fields(kind) if field.metadata.get("secret", False))


class _Text(str):
    """The text of an environment variable, to be converted to the type of its field."""

    __slots__ = ()


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CurrentError([("", "not UTF-8 text")], source=str(path)) from error
    except (OSError, ValueError) as error:  # ValueError: no file can have the name
        why = f"cannot be read: {getattr(error, 'strerror', None) or error}"
        raise CurrentError([("", why)], source=str(path)) from error


def _parse(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number too long, a value nested too deep
        raise CurrentError([("", f"not TOML: {error}")], source=source) from error


def _place_of(name: str, text: str) -> str:
    """Return the line of a top-level key; empty if the key is written in an unusual way."""
    key = rf"^[ \t]*\[{{0,2}}[ \t]*([\"']?){re.escape(name)}\1[ \t]*[=.\]]"
    found = re.search(key, text, re.MULTILINE)
    return f"line {text.count(chr(10), 0, found.start()) + 1}: " if found else ""


def _to_path(value: object, directory: Path) -> Any:
    """Convert text to a path; return anything else unchanged, for validation."""
    if not isinstance(value, str) or "://" in value:
        return value
    try:
        return directory / Path(value).expanduser()
    except RuntimeError:  # the home directory is unknown
        return directory / value


def _secret_path(value: object, directory: Path) -> Path:
    if not isinstance(value, str):
        raise ValueError(f"it must be the name of a file, not {type(value).__name__}")
    if "://" in value:  # it is the secret itself, which must not be shown
        raise ValueError("it must be the name of a file, not a URL")
    path: Path = _to_path(value, directory)
    return path


def read_secret(path: Path) -> str:
    """Return the secret in a file, without surrounding white space.

    Raises:
        ValueError: the file cannot be read, or does not contain a secret. The message names the
            file only if it exists: otherwise the name may be the secret itself, in the wrong place.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_SECRET + 1)
        text = raw.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise ValueError(f"{path}: it is not UTF-8 text") from None
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError("the file it names does not exist") from None
    except (OSError, ValueError) as error:  # ValueError: no file can have the name
        why = getattr(error, "strerror", None) or error
        if _exists(path):
            raise ValueError(f"{path}: it cannot be read: {why}") from None
        raise ValueError(f"the file it names cannot be read: {why}") from None
    if not text:
        raise ValueError(f"{path}: it is empty")
    if len(raw) > _MAX_SECRET:
        raise ValueError(f"{path}: it is larger than {_MAX_SECRET:,} bytes, so it is not a secret")
    return text


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


# Structuring


def _list(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _whole_number(text: str) -> int:
    if not text.strip().isdecimal():
        raise ValueError("it must be a whole number")
    return int(text)


def _flag(text: str) -> bool:
    if text.strip().lower() not in ("true", "false"):
        raise ValueError("it must be true or false")
    return text.strip().lower() == "true"


def _mapping(text: str) -> dict[str, str]:
    pairs = [item.partition("=") for item in _list(text)]
    if not all(equals for _, equals, _ in pairs):
        raise ValueError("it must look like email_address=hash,gender=remove")
    return {name.strip(): how.strip() for name, _, how in pairs}


#: The converters of the text of environment variables, by the type of the field.
_FROM_TEXT: dict[Any, Callable[[str], Any]] = {
    str: str,
    int: _whole_number,
    bool: _flag,
    Path: partial(_to_path, directory=Path()),
    Region: str,
    tuple[str, ...]: _list,
    Sequence[str]: to_command,
    Mapping[str, Transformation]: _mapping,
}


def _hook_for(convert: Callable[[str], Any]) -> Callable[[Any, Any], Any]:
    return lambda value, _: convert(str(value)) if isinstance(value, _Text) else value


_converter = cattrs.Converter(detailed_validation=True, forbid_extra_keys=True)
for _kind, _convert in _FROM_TEXT.items():
    if isinstance(_kind, type):
        _converter.register_structure_hook(_kind, _hook_for(_convert))
    else:  # a generic type
        _converter.register_structure_hook_func(partial(eq, _kind), _hook_for(_convert))


def from_text(form: type[Any], name: str, text: str) -> Any:
    """Parse the value of a form field, written as in an environment variable.

    Raises:
        ValueError: the text has another form.
    """
    return _converter.structure(_Text(text), field_types(form)[name])


def field_types(form: type[Any]) -> Mapping[str, Any]:
    """Return the types of the form's fields by name."""
    return get_type_hints(form)


def _structure(kind: type[C], values: Mapping[str, Any]) -> tuple[C | None, list[Problem]]:
    """Return the Current, or None and every problem with the values."""
    try:
        return _converter.structure({**dict.fromkeys(required_fields(kind)), **values}, kind), []
    except ClassValidationError as error:
        group = error
    problems = [*_problems_in(group, kind)]
    if any(isinstance(each, CurrentError) for each in group.exceptions):
        return None, problems
    # Some values could not be converted, so nothing has been checked yet; check the others.
    failing = {name for name, _ in problems}
    rest = {name: value for name, value in values.items() if name not in failing}
    _, more = _structure(kind, rest)
    return None, problems + [each for each in more if each[0] not in failing]


def _problems_in(group: ClassValidationError, kind: type[Any]) -> Iterator[Problem]:
    with_field, others = group.group_exceptions()
    for error in others:
        if isinstance(error, ForbiddenExtraKeysError):
            known = [field.name for field in attrs.fields(kind) if field.init]
            known += [f"{name}_file" for name in _secret_fields(kind)]
            for name in sorted(error.extra_fields):
                yield name, "there is no such field" + did_you_mean(name, known)
        elif isinstance(error, CurrentError):
            yield from error.problems
        else:
            raise error
    for problem, note in with_field:
        yield note.name, str(problem)
