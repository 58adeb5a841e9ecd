"""The registration of destinations: their fields in the form, and the table of their classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from .._forms import Problem, flag_problems
from .._redaction import mask, mask_url
from ..errors import CurrentError
from ._base import Destination
from .custom_http import CustomHttp
from .rudderstack import Region, RudderStack, to_region

__all__ = ["DESTINATIONS", "DestinationFields", "about", "choose_destination"]

#: Every destination; the first is the default if a form has the fields of none.
DESTINATIONS: Final[tuple[type[Destination], ...]] = (RudderStack, CustomHttp)


def about(label: str, comment: str, example: str, *, secret: bool = False) -> dict[str, Any]:
    """Return metadata of an attribute that describes a form field to the user.

    Args:
        label: its name in a question.
        comment: its meaning, in a sentence.
        example: a value, as TOML.
        secret: whether it must not be shown, and may be read from a file of its own.
    """
    return {"label": label, "comment": comment, "example": example, "secret": secret}


def _masked_url(value: str | None) -> str:
    return repr(mask_url(value))


@attrs.frozen(kw_only=True)
class DestinationFields:
    """The form fields of all destinations; None stands for a field that is not given."""

    key: str | None = attrs.field(
        default=None,
        repr=_masked_url,
        metadata=about(
            "Key",
            "The webhook URL that RudderStack shows for the Braze source, including the write key.",
            '"https://<data plane>/v1/webhook?writeKey=<write key>"',
            secret=True,
        ),
    )
    region: Region | None = attrs.field(
        default=None,
        converter=to_region,
        metadata=about("Region", "The RudderStack region: US or EU.", '"US"'),
    )
    endpoint: str | None = attrs.field(
        default=None,
        repr=_masked_url,
        metadata=about(
            "Endpoint", "The URL that receives the events.", '"https://receiver.example.com/events"'
        ),
    )
    bearer_token: str | None = attrs.field(
        default=None,
        repr=mask,
        metadata=about(
            "Bearer token", "Sent as Authorization: Bearer; optional.", '"<token>"', secret=True
        ),
    )
    include_anonymous: bool | None = attrs.field(
        default=None,
        metadata=about(
            "Include events from anonymous users",
            "Whether events of users without an external_user_id are sent.",
            "true",
        ),
    )
    allow_plain_http: bool = attrs.field(
        default=False,
        metadata=about(
            "Allow plain HTTP",
            "Whether plain HTTP is accepted for hosts other than this machine.",
            "true",
        ),
    )


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
    if not chosen:
        chosen = [kind for kind in kinds if given & {*kind.form_fields()}][:1]
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
