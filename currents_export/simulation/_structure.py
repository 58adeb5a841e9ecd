"""Structure the tables of a settings file, and collect all their problems with their paths."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from operator import eq
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import attrs
import cattrs

from .._forms import quoted
from .._json import field_path
from .._suggestions import did_you_mean
from ..errors import OptionError
from ._settings import (
    Delay,
    Duration,
    Share,
    TimeOfDay,
    TimePoint,
    to_delay,
    to_duration,
    to_share,
    to_time_of_day,
    to_time_point,
)
from ._toml_lines import Path

__all__ = ["Checked", "Problem", "SettingsError", "make_converter", "structure"]

T = TypeVar("T")

#: The path of a setting, and a sentence that says what is wrong and what would be right.
Problem = tuple[Path, str]


class SettingsError(ValueError):
    """Settings are not valid.

    Attributes:
        problems: all problems.
    """

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(message for _, message in problems))
        self.problems = problems


class Checked:
    """The base class of settings that are checked together."""

    __slots__ = ()

    def __attrs_post_init__(self) -> None:
        problems = [*self.conflicts(attrs.asdict(self, recurse=False))]  # type: ignore[arg-type]
        if problems:
            raise OptionError(
                "; ".join(
                    f"{field_path(path)}: {text}" if path else text for path, text in problems
                )
            )

    @classmethod
    def conflicts(
        cls,
        values: Mapping[str, Any],  # noqa: ARG003 - for those who override it
    ) -> Iterator[Problem]:
        """Yield the problems of settings that are valid by themselves.

        Args:
            values: the settings by name, without those that are not valid.
        """
        yield from ()


def structure(converter: cattrs.Converter, values: Mapping[str, Any], kind: type[T]) -> T:
    """Return the object that a table describes.

    Raises:
        SettingsError: settings are not valid; it has all problems.
    """
    return converter.structure(values, kind)


def make_converter(hooks: Mapping[Any, Callable[[Any], Any]]) -> cattrs.Converter:
    """Return a converter that refuses unknown names and values of other types.

    Args:
        hooks: the converters of further types. They raise a ValueError, whose message is shown.
    """
    converter = cattrs.Converter(forbid_extra_keys=True)
    converter.register_structure_hook_func(attrs.has, partial(_structure_class, converter))
    converter.register_structure_hook_func(
        lambda kind: _origin(kind) is tuple, partial(_structure_list, converter)
    )
    converter.register_structure_hook_func(lambda kind: _origin(kind) is Literal, _structure_choice)
    for kind, convert in {**_HOOKS, **hooks}.items():
        converter.register_structure_hook_func(partial(eq, kind), partial(_call, convert))
    # The converter compares classes with their own hooks first.
    for builtin, convert in _BUILTINS.items():
        converter.register_structure_hook(builtin, partial(_call, convert))
    return converter


def _origin(kind: Any) -> Any:
    return get_origin(kind)


def _call(convert: Callable[[Any], Any], value: Any, _: Any) -> Any:
    return convert(value)


def _to_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"it must be text, not {quoted(value)}")
    if not value.strip():
        raise ValueError("it is empty")
    return value


def _to_int(value: Any) -> int:
    if type(value) is not int:
        raise ValueError(f"it must be a whole number, not {quoted(value)}")
    return value


def _to_float(value: Any) -> float:
    if type(value) not in (int, float):
        raise ValueError(f"it must be a number, not {quoted(value)}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError("it is too large") from None


def _to_flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"it must be true or false, not {quoted(value)}")
    return value


_BUILTINS: Mapping[type[Any], Callable[[Any], Any]] = {
    str: _to_text,
    int: _to_int,
    float: _to_float,
    bool: _to_flag,
}
_HOOKS: dict[Any, Callable[[Any], Any]] = {
    Duration: to_duration,
    Share: to_share,
    TimeOfDay: to_time_of_day,
    TimePoint: to_time_point,
    Delay: to_delay,
}


def _structure_choice(value: Any, kind: Any) -> Any:
    choices = get_args(kind)
    if value not in choices:
        near = did_you_mean(value, choices) if isinstance(value, str) else ""
        expected = f"{', '.join(choices[:-1])} or {choices[-1]}"
        raise ValueError(f"{quoted(value)} is unknown; it must be {expected}{near}")
    return value


def _structure_list(converter: cattrs.Converter, value: Any, kind: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise ValueError(f"it must be a list, not {quoted(value)}")
    item = get_args(kind)[0]
    made, problems = [], []
    for number, each in enumerate(value):
        try:
            made.append(converter.structure(each, item))
        except ValueError as error:
            problems += _below(number, error)
    if problems:
        raise SettingsError(problems)
    return tuple(made)


def _structure_class(converter: cattrs.Converter, value: Any, kind: Any) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError(f"it must be a table, not {quoted(value)}")
    fields = {field.name: field for field in attrs.fields(kind) if field.init}
    types = get_type_hints(kind)
    problems: list[Problem] = [
        ((name,), "there is no such setting" + did_you_mean(name, fields))
        for name in value
        if name not in fields
    ]
    given: dict[str, Any] = {}
    valid: dict[str, Any] = {}
    for name, field in fields.items():
        if name not in value:
            if field.default is attrs.NOTHING:
                problems.append(((name,), "it is missing"))
            elif not isinstance(field.default, attrs.Factory):  # type: ignore[arg-type] # a class
                valid[name] = field.default
            elif not field.default.takes_self:
                valid[name] = field.default.factory()
            continue
        try:
            given[name] = valid[name] = converter.structure(value[name], types[name])
        except ValueError as error:
            problems += _below(name, error)
    if issubclass(kind, Checked):
        problems += kind.conflicts(valid)
    if problems:
        raise SettingsError(problems)
    return kind(**given)


def _below(key: str | int, error: ValueError) -> list[Problem]:
    """Return the problems of a value, with paths that begin with its key or index."""
    found = error.problems if isinstance(error, SettingsError) else [((), str(error))]
    return [((key, *path), message) for path, message in found]
