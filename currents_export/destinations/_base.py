"""`Destination`: the base class of the destinations of a Current."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import attrs

from .._forms import Problem, flag_problems
from .._redaction import mask_url
from ..errors import CurrentError
from ._credentials import CredentialsCheck, basic_authorization, secrets_in

__all__ = ["Destination", "about"]


def about(
    label: str, comment: str, example: str | Callable[[], str], *, secret: bool = False
) -> dict[str, Any]:
    """Return metadata of an attribute that describes a form field to the user.

    Args:
        label: its name in a question.
        comment: its meaning, in a sentence.
        example: a value, as TOML, or a function that returns one.
        secret: whether it must not be shown, and may be read from a file of its own.
    """
    return {"label": label, "comment": comment, "example": example, "secret": secret}


@attrs.frozen(kw_only=True)
class Destination(ABC):
    """Where a Current sends its events, and with which credentials.

    A subclass declares its form fields as attributes, with the same names as in `Current`, and
    describes each with `metadata=about(...)`. A field without a default is required.

    Attributes:
        name: a short name, such as `rudderstack`.
        label: the name that messages show.
        url_field: the form field with the URL; no other destination has it, so it also identifies
            the destination of a Current.
        url_example: an example of the URL.
        refusals: why this destination does not have a field of another one, by the field's name.
        allow_plain_http: whether plain HTTP is accepted for hosts other than this machine.

    Raises:
        CurrentError: one or more fields are wrong; all problems are listed together.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    url_field: ClassVar[str]
    url_example: ClassVar[str]
    refusals: ClassVar[Mapping[str, str]] = {}

    allow_plain_http: bool = attrs.field(
        default=False,
        metadata=about(
            "Allow plain HTTP",
            "Whether plain HTTP is accepted for hosts other than this machine.",
            "true",
        ),
    )

    def __attrs_post_init__(self) -> None:
        flags = flag_problems("allow_plain_http", self.allow_plain_http)
        if problems := [*self.problems(), *flags]:
            raise CurrentError(problems)

    @abstractmethod
    def problems(self) -> Iterator[Problem]:
        """Yield the problems with the fields of this destination."""

    @property
    @abstractmethod
    def needs_external_user_id(self) -> bool:
        """Whether events of users without an `external_user_id` are filtered."""

    @property
    def url(self) -> str:
        """The URL of requests, secrets included."""
        url: str = getattr(self, self.url_field)
        return url

    @property
    def shown_url(self) -> str:
        """`url` with its secrets redacted, safe for a log."""
        return mask_url(self.url) or ""

    @property
    def authorization(self) -> str | None:
        """The `Authorization` header of every request, or None."""
        return basic_authorization(self.url)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that must not be shown, the longest first."""
        _, _, credentials = (self.authorization or "").partition(" ")
        found = secrets_in(self.url) | {credentials} - {""}
        return tuple(sorted(found, key=len, reverse=True))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Probable mistakes in a Current that can be used."""
        return ()

    def judge(self, status: int | None, text: str) -> CredentialsCheck:
        """Return what the response to a request without events says about the credentials.

        A receiver responds with 2XX, or with 401, 403 or 404 when the credentials are bad.

        Args:
            status: the HTTP status; None when the network failed.
            text: the beginning of the body, or what went wrong with the network; no secrets.

        Source: Braze, Custom Currents export.
        """
        what = "network error" if status is None else str(status)
        response = f"{what}: {text}" if text else what
        if status is not None and 200 <= status < 300:
            return CredentialsCheck(True, status, "the credentials are valid")
        if status in (401, 403, 404):
            message = f"the URL or the credentials are wrong ({response})"
            return CredentialsCheck(False, status, message)
        message = f"the response does not show whether the credentials are valid ({response})"
        return CredentialsCheck(None, status, message)

    @classmethod
    def form_fields(cls) -> tuple[str, ...]:
        """Return the names of the form fields that belong to this destination."""
        return tuple(field.name for field in _own_fields(cls))

    @classmethod
    def required_fields(cls) -> tuple[str, ...]:
        """Return the names of the form fields that must be given."""
        return tuple(field.name for field in _own_fields(cls) if field.default is attrs.NOTHING)


def _own_fields(kind: type[Destination]) -> list[attrs.Attribute[Any]]:
    common = {field.name for field in attrs.fields(Destination)}
    return [field for field in attrs.fields(kind) if field.name not in common]
