"""Write the TOML file of a Current, with a comment for every setting."""

from __future__ import annotations

import enum
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from ._forms import required_fields
from ._unicode import is_unicode
from .current import Current
from .destinations import DESTINATIONS, Destination, DestinationFields, kind_of
from .errors import CurrentError, OptionError

__all__ = ["to_toml", "write_private"]

_HEAD = """\
# A Current with the settings of Braze's form. Environment variables such as CURRENTS_EXPORT_KEY
# override them. The file may contain a secret; keep it out of version control.
"""
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def to_toml(values: Mapping[str, Any]) -> str:
    """Return the text of a TOML file from which `Current.load` reads these values.

    Settings that are not given are written as comments, except those of other destinations.

    Args:
        values: form fields by name, and `<field>_file` for a secret in a separate file; None
            stands for a setting that is not given.

    Raises:
        CurrentError: a text is not valid Unicode.
    """
    given = {name: value for name, value in values.items() if value is not None}
    texts = {}
    for name, value in given.items():
        texts[name] = _toml(value)
        if not texts[name].isascii() and not is_unicode(texts[name]):
            raise CurrentError([(name, "it is not valid Unicode text")])
    blocks = [_HEAD]
    names = {name.removesuffix("_file") for name in given}
    for field in _fields(kind_of(names) or DESTINATIONS[0]):
        lines = [f"# {field.metadata['comment']}"]
        if field.metadata["secret"]:
            lines.append(f"# Alternatively, {field.name}_file names a file that contains it.")
        lines += _lines(field.name, texts, field.metadata["example"])
        if field.metadata["secret"]:
            lines += _lines(f"{field.name}_file", texts, '"<file>"')
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def _lines(name: str, texts: Mapping[str, str], example: str | Callable[[], str]) -> Iterator[str]:
    if name in texts:
        yield f"{name} = {texts[name]}"
    else:
        yield f"# {name} = {example() if callable(example) else example}"


def _fields(kind: type[Destination]) -> list[attrs.Attribute[Any]]:
    """Return the fields of the form in the order of the questions: who, where to, what."""
    fields = [field for field in attrs.fields(Current) if field.init]
    of_destinations = {field.name for field in attrs.fields(DestinationFields)}
    of_kind = {field.name for field in attrs.fields(kind)}
    who = [field for field in fields if field.name in required_fields(Current)]
    where = [field for field in fields if field.name in of_destinations & of_kind]
    return who + where + [f for f in fields if f not in who and f.name not in of_destinations]


def _toml(value: object) -> str:
    match value:
        case enum.Enum():
            return _toml(value.value)
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str() | os.PathLike():
            # A JSON string is a TOML string, except that TOML requires DEL to be escaped.
            return json.dumps(os.fspath(value), ensure_ascii=False).replace("\x7f", "\\u007F")
        case Mapping():
            pairs = (f"{_toml_key(key)} = {_toml(inner)}" for key, inner in value.items())
            return f"{{ {', '.join(pairs)} }}" if value else "{}"
        case list() | tuple() | set() | frozenset():
            return f"[{', '.join(_toml(each) for each in value)}]"
    raise TypeError(f"a {type(value).__name__} is not a setting")


def _toml_key(key: object) -> str:
    return str(key) if _BARE_KEY.fullmatch(str(key)) else _toml(str(key))


def write_private(path: Path, text: str, *, replace: bool = False) -> None:
    """Write a file completely or not at all; on POSIX systems, only its owner can read it.

    Args:
        path: the file.
        text: what to write, as UTF-8.
        replace: whether to replace an existing regular file, in one step.

    Raises:
        OptionError: the file cannot be written, or it exists, and `replace` is false or it is not a
            regular file (a symbolic link, for example).
    """
    if os.path.lexists(path):
        if not replace:
            raise OptionError(f"{path} already exists")
        if path.is_symlink() or not path.is_file():
            raise OptionError(f"{path} is not a regular file, so it is not replaced")
    try:
        # Only the owner can read it, and it is in the same directory, so that it can be renamed.
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        beside = Path(name)
        try:
            # Path cannot open a descriptor.
            with open(descriptor, "w", encoding="utf-8", newline="\n") as file:  # noqa: PTH123
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if replace:
                beside.replace(path)
            else:
                _name_new(beside, path)
        finally:
            beside.unlink(missing_ok=True)
    except FileExistsError:
        raise OptionError(f"{path} already exists") from None
    except OSError as error:
        raise OptionError(f"{path} cannot be written: {error.strerror or error}") from error


def _name_new(beside: Path, path: Path) -> None:
    """Give the file a second name, unless another file has it.

    Raises:
        FileExistsError: another file has the name.
    """
    try:
        path.hardlink_to(beside)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        # Take the name first: renaming would replace a file that another process has just written.
        path.touch(0o600, exist_ok=False)
        beside.replace(path)
