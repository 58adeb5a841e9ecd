"""The RudderStack export.

Source: Braze, RudderStack for Currents; RudderStack's gateway and Braze source.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

import attrs

from .._forms import Problem, quoted, url_problems
from .._redaction import mask_url
from ._base import Destination, about
from ._credentials import CredentialsCheck

__all__ = ["Region", "RudderStack", "to_region"]

_NOTHING_SURVIVED = "All requests in the batch failed"


class Region(enum.Enum):
    """The RudderStack region that Braze's form asks for."""

    US = "US"
    EU = "EU"


_HOSTED = {".dataplane.rudderstack.com": Region.US, ".dataplane.eu.rudderstack.com": Region.EU}


def to_region(value: Region | str | None) -> Any:
    """Convert a name to a region, ignoring case; return anything else unchanged, for validation."""
    if isinstance(value, str) and value.upper() in Region.__members__:
        return Region[value.upper()]
    return value


@attrs.frozen(kw_only=True)
class RudderStack(Destination):
    """A Braze source in RudderStack.

    Attributes:
        key: the webhook URL that RudderStack shows for the source, including the write key.
        region: the RudderStack region.
    """

    name: ClassVar[str] = "rudderstack"
    label: ClassVar[str] = "RudderStack"
    url_field: ClassVar[str] = "key"
    url_example: ClassVar[str] = "https://<data plane>/v1/webhook?writeKey=<write key>"
    refusals: ClassVar[dict[str, str]] = {
        "include_anonymous": "RudderStack has no such setting: events of users without an "
        "external_user_id are never sent there",
        "bearer_token": "it goes with an endpoint; a key contains the write key",
    }

    key: str = attrs.field(
        repr=lambda value: repr(mask_url(value)),
        metadata=about(
            "Key",
            "The webhook URL that RudderStack shows for the Braze source, including the write key.",
            '"https://<data plane>/v1/webhook?writeKey=<write key>"',
            secret=True,
        ),
    )
    region: Region = attrs.field(
        converter=to_region,
        metadata=about("Region", "The RudderStack region: US or EU.", '"US"'),
    )

    def problems(self) -> Iterator[Problem]:
        """Yield the problems with the key and the region."""
        yield from self._key_problems()
        if self.region is None:
            yield "region", "it is missing; it must be US or EU"
        elif not isinstance(self.region, Region):
            yield "region", f"{quoted(self.region)} is unknown; it must be US or EU"

    def _key_problems(self) -> Iterator[Problem]:
        key: object = self.key
        if key is None:
            yield (
                "key",
                f"it is missing; it is the webhook URL that RudderStack shows: {self.url_example}",
            )
            return
        if isinstance(key, str) and key.strip() and "://" not in key:
            problem = f"it must be the whole webhook URL that RudderStack shows: {self.url_example}"
            yield "key", problem
            return
        found = list(url_problems("key", key, allow_plain_http=self.allow_plain_http))
        yield from found
        if not found and isinstance(key, str):
            parts = urlsplit(key)
            in_query = any(parse_qs(parts.query).get("writeKey", ()))
            if not in_query and not unquote(parts.username or ""):
                yield "key", f"the URL has no write key in it; it looks like {self.url_example}"

    @property
    def needs_external_user_id(self) -> bool:
        """Always true: RudderStack cannot include anonymous users."""
        return True

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warn about a region that is not the one in the key's host."""
        host = urlsplit(self.key).hostname or ""
        for suffix, region in _HOSTED.items():
            if host.endswith(suffix) and region is not self.region:
                text = (
                    f"the region is {self.region.value}, but the key's host is a data plane in the "
                    f"{region.value} (*{suffix}); one of them is wrong"
                )
                return (text,)
        return ()

    def judge(self, status: int | None, text: str) -> CredentialsCheck:
        """Return what the response to a request without events says about the write key.

        RudderStack responds with 400 `All requests in the batch failed` when the key is valid,
        because a request without events leaves nothing after its transformation.
        """
        if status == 400 and _NOTHING_SURVIVED in text:
            message = (
                "the write key is valid: RudderStack responds to a request without events with 400 "
                f"{_NOTHING_SURVIVED!r} only after it has accepted the key"
            )
            return CredentialsCheck(True, status, message)
        return super().judge(status, text)
