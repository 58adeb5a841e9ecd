"""The request without events, and what its response says of the credentials.

Source: Braze, Custom Currents export; RudderStack's gateway and Braze source.
"""

from __future__ import annotations

from typing import Any

import attrs

from ._responses import Action, Response, decide

__all__ = ["CredentialsCheck", "judge"]

_NOTHING_SURVIVED = "All requests in the batch failed"


@attrs.frozen
class CredentialsCheck:
    """What the request without events showed.

    Attributes:
        holds: True for good credentials, False for bad ones, None when the response does not tell.
        status: the HTTP status; None when the network failed.
        message: what that means, in a sentence without secrets.
    """

    holds: bool | None
    status: int | None
    message: str

    def to_dict(self) -> dict[str, Any]:
        """The check as a JSON object."""
        return attrs.asdict(self)


def judge(response: Response, *, rudderstack: bool) -> CredentialsCheck:
    """What the response to a request without events says of the credentials.

    A receiver answers it 2XX, or 401, 403 or 404 when the credentials are bad. RudderStack answers
    400 `All requests in the batch failed` when they are good, since none of no events survives its
    transformation.
    """
    action = decide(response.status, size=0, alone=False)
    if action is Action.DELIVERED:
        return CredentialsCheck(True, response.status, "the credentials hold")
    if action is Action.PAUSE:
        message = f"the URL or the credentials are wrong ({response})"
        return CredentialsCheck(False, response.status, message)
    if rudderstack and response.status == 400 and _NOTHING_SURVIVED in response.text:
        message = (
            "the write key holds: RudderStack answers a request without events with 400 "
            f"{_NOTHING_SURVIVED!r} only after it has accepted the key"
        )
        return CredentialsCheck(True, response.status, message)
    return CredentialsCheck(None, response.status, f"the response does not tell ({response})")
