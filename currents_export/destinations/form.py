"""The registration of destinations: their fields in the form, and the table of their classes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from .._forms import Problem, flag_problems
from ..errors import CurrentError
from ._base import Destination
from .custom_http import CustomHttp
from .rudderstack import Region, RudderStack, to_region

__all__ = ["DESTINATIONS", "DestinationFields", "choose_destination", "kind_of"]

#: Every destination; the first is the default if a form has the fields of none.
DESTINATIONS: Final[tuple[type[Destination], ...]] = (RudderStack, CustomHttp)


def _like(kind: type[Any], name: str) -> dict[str, Any]:
    """Return what a field of the form takes over from the attribute of a destination."""
    own = attrs.fields_dict(kind)[name]
    return {"repr": own.repr, "metadata": own.metadata}


@attrs.frozen(kw_only=True)
class DestinationFields:
    """The form fields of all destinations; None stands for a field that is not given.

    Their types are written here too, so that type checkers know the attributes of a `Current`.
    """

    key: str | None = attrs.field(default=None, **_like(RudderStack, "key"))
    region: Region | None = attrs.field(
        default=None, converter=to_region, **_like(RudderStack, "region")
    )
    endpoint: str | None = attrs.field(default=None, **_like(CustomHttp, "endpoint"))
    bearer_token: str | None = attrs.field(default=None, **_like(CustomHttp, "bearer_token"))
    include_anonymous: bool | None = attrs.field(
        default=None, **_like(CustomHttp, "include_anonymous")
    )
    allow_plain_http: bool = attrs.field(default=False, **_like(Destination, "allow_plain_http"))


def kind_of(
    names: Collection[str], kinds: Sequence[type[Destination]] = DESTINATIONS
) -> type[Destination] | None:
    """Return the destination that the given form fields belong to; None if none has any of them.

    The field with the URL decides; without it, the first destination that has one of the fields.
    """
    for kind in kinds:
        if kind.url_field in names:
            return kind
    return next((kind for kind in kinds if {*names} & {*kind.form_fields()}), None)


def choose_destination(
    values: Mapping[str, Any], kinds: Sequence[type[Destination]] = DESTINATIONS
) -> Destination:
    """Make the destination whose form fields are given.

    Args:
        values: the form fields by name; those that are None are not given.
        kinds: the destinations to choose from.

    Raises:
        CurrentError: the fields of no destination or of several destinations are given, or a field
            is wrong; all problems are listed together.
    """
    given = {name for name, value in values.items() if value is not None}
    chosen = [kind for kind in kinds if kind.url_field in given]
    problems = list(_problems_of_choice(chosen))
    if not chosen and (kind := kind_of(given, kinds)):
        chosen = [kind]
    if not chosen:
        problems += _nothing_given(values, kinds)
    problems += _misplaced(given, chosen, kinds)
    made: list[Destination] = []
    for kind in chosen:
        try:
            made.append(_make(kind, values, given))
        except CurrentError as error:
            problems += error.problems
    if problems:
        raise CurrentError(list(dict.fromkeys(problems)))
    return made[0]


def _make(kind: Any, values: Mapping[str, Any], given: set[str]) -> Destination:
    needed = {*kind.required_fields(), *(given & {*kind.form_fields()})}
    common = {field.name for field in attrs.fields(Destination)} & values.keys()
    destination: Destination = kind(**{name: values.get(name) for name in needed | common})
    return destination


def _problems_of_choice(chosen: Sequence[type[Destination]]) -> Iterator[Problem]:
    if len(chosen) > 1:
        fields = [f"{kind.url_field} ({kind.label})" for kind in chosen]
        text = f"a Current has {' or '.join(fields)}, not {'both' if len(fields) == 2 else 'all'}"
        yield chosen[1].url_field, text


def _nothing_given(
    values: Mapping[str, Any], kinds: Sequence[type[Destination]]
) -> Iterator[Problem]:
    choices = " or ".join(f"{kind.url_field} ({kind.label}: {kind.url_example})" for kind in kinds)
    yield kinds[0].url_field, f"it is missing; a Current has {choices}"
    yield from flag_problems("allow_plain_http", values.get("allow_plain_http", False))


def _misplaced(
    given: set[str], chosen: Sequence[type[Destination]], kinds: Sequence[type[Destination]]
) -> Iterator[Problem]:
    """Yield a problem for each field that the chosen destinations do not have."""
    known = {name for kind in chosen for name in kind.form_fields()}
    owners = {name: kind for kind in kinds for name in kind.form_fields()}
    for name, owner in owners.items():
        if not chosen or name not in given - known:
            continue
        general = (
            f"it goes with {owner.url_field} ({owner.label}), not with "
            f"{chosen[0].url_field} ({chosen[0].label})"
        )
        yield name, chosen[0].refusals.get(name, general)
