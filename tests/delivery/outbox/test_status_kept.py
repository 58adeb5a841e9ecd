"""The state of the Current survives the process."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
import tenacity

from currents_export.delivery import DropReason, ManualClock, NoticeKind, Sender, State
from currents_export.delivery.outbox import read_contents
from tests.support.currents import custom
from tests.support.events import event, make_events
from tests.support.senders import PATIENCE, HookLog, abandoned
from tests.support.servers import Responding

DAY = 24 * 3600.0


def failing(status: int) -> Responding:
    return Responding(lambda _: status)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_pause_is_kept_until_resumed(status: int, path: Path, ok: Responding) -> None:
    with Sender(custom(), transport=failing(status), outbox=path) as sender:
        sender.send(event(1))
        assert sender.flush(PATIENCE).state is State.PAUSED
    kept = read_contents(path, 0.0).status
    assert (kept.state, kept.gave_up) == (State.PAUSED, False)
    assert str(status) in kept.reason
    assert kept.since is not None
    with Sender(custom(), transport=ok, outbox=path) as sender:
        sender.send(event(2))
        result = sender.flush(PATIENCE)
        assert (result.state, result.pending, len(ok.requests)) == (State.PAUSED, 2, 0)
        assert str(status) in result.reason
        sender.resume()
        assert sender.flush(PATIENCE).delivered == 2
    assert read_contents(path, 0.0).status.state is State.ACTIVE


def test_pause_by_options_ends_with_sender(path: Path, ok: Responding) -> None:
    with Sender(
        custom(), transport=failing(503), outbox=path, stop=tenacity.stop_after_attempt(1)
    ) as sender:
        sender.send(event(1))
        assert sender.flush(PATIENCE).state is State.PAUSED
    assert read_contents(path, 0.0).status.gave_up
    with Sender(custom(), transport=ok, outbox=path) as sender:
        assert sender.flush(PATIENCE).delivered == 1
    assert read_contents(path, 0.0).status.began_failing is None


def test_streak_of_failures_continues(path: Path, log: HookLog) -> None:
    clock = ManualClock()
    began = clock.now()
    with abandoned(Sender(custom(), transport=failing(503), outbox=path, clock=clock)) as sender:
        sender.send(event(1))
        sender.flush(0)
        while not sender.result.reason:
            pass
    assert read_contents(path, 0.0).status.began_failing == began
    clock.advance(6 * DAY)
    with abandoned(
        Sender(custom(), transport=failing(503), outbox=path, clock=clock, hooks=log.hooks)
    ) as sender:
        sender.send(make_events(100))  # accepted: nothing has failed in this process
        assert sender.flush(PATIENCE).state is State.DISABLED
        sender.send(event(200))
        result = sender.result
    assert (result.drop_reasons, result.pending) == ({DropReason.DISABLED: 1}, 101)
    assert log.kinds == [NoticeKind.DISABLED]


def test_success_ends_streak(path: Path, ok: Responding, log: HookLog) -> None:
    clock = ManualClock()
    with abandoned(Sender(custom(), transport=failing(503), outbox=path, clock=clock)) as sender:
        sender.send(event(1))
        sender.flush(0)
        while not sender.result.reason:
            pass
    clock.advance(6 * DAY)
    with Sender(custom(), transport=ok, outbox=path, clock=clock, hooks=log.hooks) as sender:
        result = sender.flush(PATIENCE)
    assert (result.delivered, result.state, log.kinds) == (1, State.ACTIVE, [])


def disabled(path: Path, count: int) -> ManualClock:
    """Make an outbox of a disabled Current with pending events, and return the clock."""
    clock = ManualClock(skip=PATIENCE)
    with abandoned(
        Sender(
            custom(),
            transport=failing(503),
            outbox=path,
            clock=clock,
            wait=tenacity.wait_fixed(DAY),
        )
    ) as sender:
        sender.send(make_events(count))
        sender.flush(0)
        while sender.result.state is not State.DISABLED:
            clock.advance(DAY / 4)
    return clock


def test_disabled_is_kept(path: Path, ok: Responding) -> None:
    clock = disabled(path, 250)
    assert read_contents(path, 0.0).status.since is not None
    with Sender(custom(), transport=ok, outbox=path, clock=clock) as sender:
        sender.send(event(1_000))
        result = sender.flush(PATIENCE)
        assert (result.state, result.pending, result.dropped) == (State.DISABLED, 250, 1)
        sender.resume()
        assert sender.flush(PATIENCE).delivered == 250


def test_events_of_disabled_current_expire(path: Path, ok: Responding) -> None:
    clock = disabled(path, 3_000)
    clock.advance(8 * DAY)
    with Sender(custom(), transport=ok, outbox=path, clock=clock, max_pending_events=200) as sender:
        result = sender.flush(PATIENCE)
        while result.pending:
            result = sender.result
    assert result.drop_reasons == {DropReason.EXPIRED: 3_000}
    assert not ok.requests
    assert read_contents(path, 0.0).pending == 0


def test_corrected_credentials_are_used(path: Path) -> None:
    def respond(request: httpx.Request) -> int:
        return 200 if request.headers["authorization"] == "Bearer right" else 401

    transport = Responding(respond)
    with Sender(custom(bearer_token="wrong"), transport=transport, outbox=path) as sender:
        sender.send(event(1))
        sender.flush(PATIENCE)
    with Sender(custom(bearer_token="right"), transport=transport, outbox=path) as sender:
        sender.resume()
        assert sender.flush(PATIENCE).delivered == 1


def test_resume_with_other_current_moves_outbox(path: Path, ok: Responding) -> None:
    other = custom("http://127.0.0.1:9/other")
    with Sender(custom(), transport=ok, outbox=path) as sender:
        sender.resume(other)
    with Sender(other, transport=ok, outbox=path):
        pass
    assert read_contents(path, 0.0).url == other.shown_url
