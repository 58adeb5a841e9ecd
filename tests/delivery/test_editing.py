"""A Current that is paused by its user, or edited while it runs."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import httpx
import pytest

from currents_export.delivery import (
    AsyncSender,
    DropReason,
    ManualClock,
    NoticeKind,
    Sender,
    State,
)
from currents_export.errors import QueueFullError, SenderClosedError
from tests.support.currents import custom
from tests.support.events import CLICK, OPEN, event, make_events
from tests.support.senders import PATIENCE, HookLog, abandoned, adds_up
from tests.support.servers import Responding

DAY = 24 * 3600.0


class TestPause:
    def test_nothing_is_sent_until_resume(self, ok: Responding, log: HookLog) -> None:
        with Sender(custom(), transport=ok, hooks=log.hooks) as sender:
            sender.pause()
            sender.send(make_events(250))
            result = sender.flush()
            assert (result.state, result.reason) == (State.PAUSED, "by request")
            assert (result.pending, ok.requests) == (250, [])
            sender.pause()
            sender.resume()
            result = sender.flush()
            assert (result.state, result.delivered) == (State.ACTIVE, 250)
        assert log.kinds == [NoticeKind.PAUSED, NoticeKind.RESUMED]

    def test_no_room_while_paused(self, ok: Responding) -> None:
        with Sender(custom(), transport=ok, max_pending_events=10) as sender:
            sender.pause()
            with pytest.raises(QueueFullError, match="paused"):
                sender.send(make_events(100))
            sender.resume()

    def test_request_in_flight_ends(self) -> None:
        arrived, gate = threading.Event(), threading.Event()

        def respond(_: object) -> int:
            arrived.set()
            assert gate.wait(PATIENCE)
            return 200

        with Sender(custom(), transport=Responding(respond), batch_size=2) as sender:
            sender.send(make_events(2))
            assert arrived.wait(PATIENCE)
            sender.pause()
            sender.send(make_events(2))
            gate.set()
            result = sender.flush()
            assert (result.delivered, result.pending, result.state) == (2, 2, State.PAUSED)
            sender.resume()

    def test_does_not_disable(self) -> None:
        """A pause by request ends the streak of failures, so the five days do not pass."""
        clock = ManualClock()
        transport = Responding(lambda _: 503)
        with abandoned(Sender(custom(), transport=transport, clock=clock)) as sender:
            sender.send(make_events(100))
            while not sender.result.requests or sender.result.reason == "":
                time.sleep(0.001)
            sender.pause()
            clock.advance(6 * DAY)
            assert sender.result.state is State.PAUSED

    def test_bad_credentials_keep_their_reason(self) -> None:
        with abandoned(Sender(custom(), transport=Responding(lambda _: 401))) as sender:
            sender.send(event(1))
            reason = sender.flush().reason
            sender.pause()
            assert sender.result.reason == reason != "by request"

    def test_closed(self, ok: Responding) -> None:
        sender = Sender(custom(), transport=ok)
        sender.close()
        for call in (sender.pause, sender.resume, lambda: sender.edit(custom())):
            with pytest.raises(SenderClosedError):
                call()

    def test_in_event_loop(self, ok: Responding) -> None:
        async def main() -> None:
            async with AsyncSender(custom(), transport=ok) as sender:
                await sender.pause()
                await sender.send([*make_events(5), event(9, CLICK)])
                assert (await sender.flush()).pending == 6
                await sender.edit(custom(event_types=[CLICK]))
                await sender.resume()
                assert (await sender.flush()).delivered == 1

        asyncio.run(main())


class TestEdit:
    def test_url_and_credentials(self, ok: Responding) -> None:
        with Sender(custom(), transport=ok) as sender:
            sender.send(event(1))
            sender.edit(custom("http://127.0.0.1:10/new", bearer_token="token"))
            assert sender.flush().delivered == 1
        (request,) = ok.requests
        assert request.url.path == "/new"
        assert request.headers["authorization"] == "Bearer token"

    def test_what_was_queued_is_revised(self, ok: Responding, log: HookLog) -> None:
        before = custom(field_transformations={"email_address": "hash"})
        after = custom(event_types=[OPEN], field_transformations={"email_address": "remove"})
        with Sender(before, transport=ok, hooks=log.hooks) as sender:
            sender.send([*make_events(3), *make_events(4, CLICK)])
            sender.edit(after)
            sender.send([event(5), event(6, CLICK)])
            result = sender.flush()
        assert (result.accepted, result.delivered, result.dropped) == (8, 4, 4)
        assert result.filtered == 1
        assert result.drop_reasons == {DropReason.DESELECTED: 4}
        assert {each.reason for each in log.drops} == {DropReason.DESELECTED}
        assert {each["properties"]["email_address"] for each in ok.events} == {"[REDACTED]"}

    def test_last_of_several_edits_counts(self, ok: Responding) -> None:
        with Sender(custom(), transport=ok) as sender:
            sender.send(make_events(3))
            sender.edit(custom(event_types=[CLICK]))
            sender.send(make_events(2, CLICK))
            sender.edit(custom(field_transformations={"email_address": "remove"}))
            sender.send(make_events(3, CLICK))
            assert sender.flush().delivered == 8
        assert {each["properties"]["email_address"] for each in ok.events} == {"[REDACTED]"}

    def test_anonymous_users(self, ok: Responding) -> None:
        anonymous = event(1)
        del anonymous.user["external_user_id"]
        with Sender(custom(include_anonymous=True), transport=ok) as sender:
            sender.send([anonymous, event(2)])
            sender.edit(custom())
            result = sender.flush()
        assert (result.delivered, result.drop_reasons) == (1, {DropReason.DESELECTED: 1})

    def test_batch_is_not_revised(self, clock: ManualClock) -> None:
        """A batch that was sent before the edit is sent again as it was, with the new URL."""
        arrived, gate = threading.Event(), threading.Event()
        statuses = iter([503])

        def respond(_: httpx.Request) -> int:
            arrived.set()
            assert gate.wait(PATIENCE)
            return next(statuses, 200)

        transport = Responding(respond)
        with Sender(
            custom(), transport=transport, clock=clock, batch_size=2, concurrency=1
        ) as sender:
            sender.send(make_events(3))
            assert arrived.wait(PATIENCE)
            sender.edit(
                custom("http://127.0.0.1:10/", field_transformations={"email_address": "remove"})
            )
            gate.set()
            assert sender.flush().delivered == 3
        first, again, last = transport.batches
        assert first == again
        assert [each["properties"]["email_address"] for each in last] == ["[REDACTED]"]
        assert [each.url.port for each in transport.requests] == [9, 10, 10]

    def test_events_that_wait_for_room(self) -> None:
        """They were prepared before the edit, and are accepted after it."""
        gate = threading.Event()
        transport = Responding(lambda _: 200 if gate.wait(PATIENCE) else 500)
        sender = Sender(
            custom(event_types=[OPEN]), transport=transport, max_pending_events=4, batch_size=2
        )
        with sender:
            thread = threading.Thread(target=sender.send, args=(make_events(50),))
            thread.start()
            while sender.result.pending < 4:
                time.sleep(0.001)
            sent_before = len(transport.events)
            sender.edit(
                custom(event_types=[OPEN], field_transformations={"email_address": "remove"})
            )
            gate.set()
            thread.join(PATIENCE)
            assert sender.flush().delivered == 50
        values = [each["properties"]["email_address"] for each in transport.events]
        assert values.count("[REDACTED]") >= 50 - sent_before - 4
        assert len([each for each in values if each != "[REDACTED]"]) <= 4

    def test_flush_ends_when_everything_is_dropped(self, ok: Responding) -> None:
        with Sender(custom(), transport=ok) as sender:
            sender.send(make_events(5))
            sender.edit(custom(event_types=[CLICK]))
            result = sender.flush(timeout=PATIENCE)
        assert (result.dropped, result.pending, len(ok.requests)) == (5, 0, 0)
        assert adds_up(result)

    def test_resume_with_an_edited_current(self) -> None:
        def respond(request: httpx.Request) -> int:
            return 200 if "authorization" in request.headers else 401

        transport = Responding(respond)
        with Sender(custom(), transport=transport) as sender:
            sender.send(make_events(3))
            assert sender.flush().state is State.PAUSED
            sender.send(make_events(2, CLICK))
            sender.resume(custom(bearer_token="token", event_types=[OPEN]))
            result = sender.flush()
        assert (result.delivered, result.dropped) == (3, 2)

    def test_pause_survives(self, ok: Responding) -> None:
        with Sender(custom(), transport=ok) as sender:
            sender.pause()
            sender.edit(custom(bearer_token="token"))
            sender.send(event(1))
            assert sender.flush().state is State.PAUSED
            sender.resume()

    @pytest.mark.parametrize("size", [1, 7, 100])
    def test_room_is_given_back(self, size: int, ok: Responding) -> None:
        events: list[Any] = [*make_events(60), *make_events(40, CLICK)]
        with Sender(custom(), transport=ok, batch_size=size, max_pending_events=200) as sender:
            for _ in range(5):
                sender.pause()
                sender.edit(custom())
                sender.send(events)
                sender.edit(
                    custom(
                        event_types=[OPEN],
                        field_transformations={"email_address": "hash"},
                    )
                )
                sender.resume()
                result = sender.flush(timeout=PATIENCE)
                assert adds_up(result)
                assert result.pending == 0
        assert (result.delivered, result.dropped) == (300, 200)
