"""The request without events, and what its answer says of the credentials.

Source: Braze, Custom Currents export; RudderStack's gateway and Braze source.
"""

from __future__ import annotations

from typing import Any

import attrs

from ._answers import Action, Answer, decide

__all__ = ["CredentialsCheck", "judge"]

_NOTHING_SURVIVED = "All requests in the batch failed"


@attrs.frozen
class CredentialsCheck:
    """What the request without events showed.

    Attributes:
        holds: True for good credentials, False for bad ones, None when the answer does not tell.
        status: the HTTP status; None when the network failed.
        message: what that means, in a sentence without secrets.
    """

    holds: bool | None
    status: int | None
    message: str

    def to_dict(self) -> dict[str, Any]:
        """The check as a JSON object."""
        return attrs.asdict(self)


def judge(answer: Answer, *, rudderstack: bool) -> CredentialsCheck:
    """What the answer to a request without events says of the credentials.

    A receiver answers it 2XX, or 401, 403 or 404 when the credentials are bad. RudderStack answers
    400 `All requests in the batch failed` when they are good, since none of no events survives its
    transformation.
    """
    action = decide(answer.status, size=0, alone=False)
    if action is Action.DELIVERED:
        return CredentialsCheck(True, answer.status, "the credentials hold")
    if action is Action.PAUSE:
        message = f"the URL or the credentials are wrong ({answer})"
        return CredentialsCheck(False, answer.status, message)
    if rudderstack and answer.status == 400 and _NOTHING_SURVIVED in answer.text:
        message = (
            "the write key holds: RudderStack answers a request without events with 400 "
            f"{_NOTHING_SURVIVED!r} only after it has accepted the key"
        )
        return CredentialsCheck(True, answer.status, message)
    return CredentialsCheck(None, answer.status, f"the answer does not tell ({answer})")
