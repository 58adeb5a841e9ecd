"""The Custom Currents export.

Source: Braze, Custom Currents export.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

import attrs

from .._forms import Problem, flag_problems, url_problems
from .._redaction import mask, mask_url
from ._base import Destination, about

__all__ = ["CustomHttp"]

# RFC 6750.
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")


@attrs.frozen(kw_only=True)
class CustomHttp(Destination):
    """An HTTP endpoint of the user.

    Attributes:
        endpoint: the URL.
        bearer_token: sent as `Authorization: Bearer`; None by default.
        include_anonymous: whether events of users without an `external_user_id` are sent.
    """

    name: ClassVar[str] = "custom"
    label: ClassVar[str] = "custom HTTP"
    url_field: ClassVar[str] = "endpoint"
    url_example: ClassVar[str] = "https://host/path"

    endpoint: str = attrs.field(
        repr=lambda value: repr(mask_url(value)),
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
    include_anonymous: bool = attrs.field(
        default=False,
        metadata=about(
            "Include events from anonymous users",
            "Whether events of users without an external_user_id are sent.",
            "true",
        ),
    )

    def problems(self) -> Iterator[Problem]:
        """Yield the problems with the endpoint, the token and `include_anonymous`."""
        yield from url_problems("endpoint", self.endpoint, allow_plain_http=self.allow_plain_http)
        token: object = self.bearer_token
        if token is not None and not (isinstance(token, str) and _TOKEN.fullmatch(token)):
            problem = (
                "a bearer token is one or more letters, digits or -._~+/ with = at its end "
                "(RFC 6750)"
            )
            yield "bearer_token", problem
        yield from flag_problems("include_anonymous", self.include_anonymous)

    @property
    def needs_external_user_id(self) -> bool:
        """True unless anonymous users are included."""
        return not self.include_anonymous

    @property
    def authorization(self) -> str | None:
        """The bearer token, or the user name and password in the endpoint."""
        return f"Bearer {self.bearer_token}" if self.bearer_token else super().authorization
