"""The credential check, and test events."""

from __future__ import annotations

import httpx
import pytest

from currents_export.current import Current
from currents_export.delivery import ManualClock, Sender
from currents_export.receiver import Receiver, listen
from tests.support.currents import TOKEN, custom, rudderstack
from tests.support.events import event
from tests.support.servers import Responding, closed_port

RUDDERSTACK = rudderstack("http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("current", "status", "text", "holds", "says"),
    [
        (custom(), 200, "ok", True, "credentials"),
        (custom(), 204, "", True, "credentials"),
        (custom(), 401, "who?", False, "401: who?"),
        (custom(), 403, "", False, "403"),
        (custom(), 404, "", False, "404"),
        (custom(), 500, "oops", None, "500: oops"),
        (custom(), 400, "All requests in the batch failed", None, "400: All requests"),
        (RUDDERSTACK, 400, "All requests in the batch failed", True, "write"),
        (RUDDERSTACK, 400, "invalid json", None, "400: invalid json"),
        (RUDDERSTACK, 401, "invalid write key", False, "invalid write key"),
        (RUDDERSTACK, 404, "source is disabled", False, "is disabled"),
    ],
)
def test_response_judges_credentials(
    current: Current, status: int, text: str, holds: bool | None, says: str
) -> None:
    transport = Responding(lambda _: httpx.Response(status, text=text))
    with Sender(current, transport=transport) as sender:
        check = sender.check_credentials()
    assert (check.holds, check.status) == (holds, status)
    assert says in check.message
    assert check.to_dict() == {"holds": holds, "status": status, "message": check.message}
    (request,) = transport.requests
    assert request.content == b'{"events":[]}'
    assert sender.result.requests == 0


def test_check_over_socket() -> None:
    with listen(Receiver(bearer_tokens=[TOKEN])) as url:
        for token, holds in ((TOKEN, True), ("wrong", False)):
            with Sender(custom(url, bearer_token=token)) as sender:
                assert sender.check_credentials().holds is holds


def test_check_of_closed_port() -> None:
    with Sender(custom(f"http://127.0.0.1:{closed_port()}")) as sender:
        check = sender.check_credentials()
    assert (check.holds, check.status) == (None, None)
    assert "refused" in check.message


def test_test_events_cover_selected_types(ok: Responding, clock: ManualClock) -> None:
    current = custom(event_types=["users.messages.email.*"], schema_version=1)
    with Sender(current, transport=ok, clock=clock) as sender:
        result = sender.send_test_events(lambda each: event(0, each.name))
    assert sorted(each["event_type"] for each in ok.events) == sorted(current.selected)
    assert result.delivered == len(current.selected) > 5
