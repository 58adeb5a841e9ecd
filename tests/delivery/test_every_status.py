"""Every status, from a socket: each decides about its own request and no other."""

from __future__ import annotations

import socket

import pytest

from currents_export.delivery import ManualClock, Sender, State
from currents_export.delivery._responses import Action
from tests.support.currents import custom
from tests.support.events import event
from tests.support.hostile import Line, respond
from tests.support.senders import HookLog, adds_up
from tests.support.servers import keep_alive_server, read_request

STATUSES = range(200, 600)


@pytest.mark.parametrize("body", [b"", b"why"], ids=["empty", "body"])
def test_every_status_decides_once(body: bytes, log: HookLog, clock: ManualClock) -> None:
    """Each status is sent once and then 200, on connections that stay open where they can."""
    left = iter(STATUSES)

    def serve(connection: socket.socket) -> None:
        while read_request(connection):
            respond(Line(connection), next(left, 200), body=body)

    with (
        keep_alive_server(serve) as url,
        Sender(custom(url), clock=clock, batch_size=1, concurrency=1, hooks=log.hooks) as sender,
    ):
        for number in STATUSES:
            sender.send(event(number))
            while sender.flush().state is not State.ACTIVE:
                sender.resume()
            if len(log.attempts) >= len(STATUSES):
                break
        result = sender.result
    assert log.statuses[: len(STATUSES)] == [*STATUSES]
    assert adds_up(result)
    assert (result.pending, result.requests) == (0, len(log.attempts))
    done = [each for each in log.attempts if each.action in (Action.DELIVERED, Action.DROP)]
    assert len(done) == len(set(log.delivered)) + len(log.drops) == result.accepted
