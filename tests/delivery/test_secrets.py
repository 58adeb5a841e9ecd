"""No log, error or repr shows a secret."""

from __future__ import annotations

import logging

import httpx
import pytest

from currents_export.delivery import ManualClock, Sender
from tests.support.currents import TOKEN, WRITE_KEY, custom, rudderstack
from tests.support.events import event
from tests.support.senders import HookLog
from tests.support.servers import Responding, raw_server, say


def test_secrets_are_redacted(
    caplog: pytest.LogCaptureFixture, log: HookLog, clock: ManualClock
) -> None:
    caplog.set_level(logging.DEBUG)

    def leak(request: httpx.Request) -> httpx.Response:
        text = f"unknown: {request.url} {request.headers.get('authorization')}"
        if len(log.attempts) < 2:
            raise RuntimeError(text)
        return httpx.Response(401, text=text)

    for current in (
        rudderstack("http://127.0.0.1:9"),
        custom("http://127.0.0.1:9/?token=hunter22", bearer_token=TOKEN),
    ):
        log.attempts.clear()
        with Sender(current, transport=Responding(leak), clock=clock, hooks=log.hooks) as sender:
            sender.send(event())
            result = sender.flush()
            shown = f"{sender!r} {result} {result.to_dict()} {log} {sender.check_credentials()}"
        assert "unknown" in shown
        for secret in (WRITE_KEY, TOKEN, "hunter22"):
            assert secret not in shown
            assert secret not in caplog.text


def test_redirect_is_redacted_in_logs_of_httpx_transport(
    caplog: pytest.LogCaptureFixture, log: HookLog, clock: ManualClock
) -> None:
    caplog.set_level(logging.DEBUG)
    location = f"location: https://elsewhere.example/v1/webhook?writeKey={WRITE_KEY}"
    with (
        raw_server(say("302 Found", "", location), say("200 OK")) as url,
        httpx.HTTPTransport() as transport,
        Sender(
            rudderstack(url.rstrip("/")), transport=transport, clock=clock, hooks=log.hooks
        ) as sender,
    ):
        sender.send(event())
        sender.flush()
    assert "elsewhere.example" in caplog.text
    assert WRITE_KEY not in caplog.text


@pytest.mark.parametrize("length", range(180, 201))
def test_cut_response_shows_no_secret(length: int) -> None:
    transport = Responding(lambda _: httpx.Response(401, text="x" * length + WRITE_KEY))
    with Sender(rudderstack("http://127.0.0.1:9"), transport=transport) as sender:
        assert WRITE_KEY[:3] not in sender.check_credentials().message


def test_short_query_value_is_shown() -> None:
    transport = Responding(lambda _: httpx.Response(500, text="error 1 of 1"))
    with Sender(custom("http://127.0.0.1:9/?v=1"), transport=transport) as sender:
        assert "error 1 of 1" in sender.check_credentials().message
