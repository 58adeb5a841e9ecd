"""The limits of the stand-in for RudderStack: sizes, rates, and its transformer."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from currents_export.receiver import RudderStack, ScriptedResponse, listen
from tests.support.events import event, make_events
from tests.support.gateways import WEBHOOK, gateway
from tests.support.receivers import HEADERS, PATIENCE, Client, body

TOO_LARGE = (413, "request size exceeds max limit\n")


def padded(size: int, char: str = "x") -> bytes:
    """Return a body with one event, filled up to a size."""
    empty = body(event(1, text=""))
    return body(event(1, text=char * ((size - len(empty)) // len(char.encode()))))


def test_size_counts_quotes_and_wrapper(client: Client) -> None:
    content = body(event().to_dict() | {"left out": "x" * 1000})
    wrapped = len(content) + content.count(b'"') + len('[{"request":{"body":""}}]')
    for limit, status in ((wrapped, 200), (wrapped - 1, 413)):
        standin = gateway(max_request_bytes=limit)
        assert client(standin).post(WEBHOOK, content=content).status_code == status


def test_default_size_limit(client: Client) -> None:
    for size, response in (
        (4_095_000, (200, "ok")),
        (4_096_000, TOO_LARGE),
        (5_000_000, TOO_LARGE),
    ):
        given = client(gateway()).post(WEBHOOK, content=padded(size))
        assert (given.status_code, given.text) == response


def test_quotes_count_twice(client: Client) -> None:
    # The JSON string contains a backslash before each quote of the text, and both are escaped.
    content = padded(3_000_000).replace(b"xxxx", b'\\"\\"')
    response = client(gateway()).post(WEBHOOK, content=content)
    assert (response.status_code, response.text) == TOO_LARGE


def test_size_of_output(client: Client) -> None:
    long_array = event().to_dict() | {"properties": {"20260701": 1}}
    response = client(gateway()).post(WEBHOOK, content=body(long_array))
    assert (response.status_code, response.text) == TOO_LARGE


def test_size_before_json(client: Client) -> None:
    response = client(gateway(max_request_bytes=100)).post(WEBHOOK, content=b"{" * 101)
    assert (response.status_code, response.text) == TOO_LARGE


def test_no_size_limit(client: Client) -> None:
    standin = gateway(max_request_bytes=None)
    assert client(standin).post(WEBHOOK, content=padded(5_000_000)).status_code == 200


class Clock:
    """A clock that stands still."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_rate_limit_in_events(client: Client) -> None:
    clock = Clock()
    standin = gateway(rate_limit=10, clock=clock)

    def post(count: int) -> int:
        return client(standin).post(WEBHOOK, content=body(*make_events(count))).status_code

    assert [post(6), post(5), post(4), post(1)] == [200, 429, 200, 429]
    clock.seconds = 59.9
    assert post(1) == 429
    clock.seconds = 60.0
    assert [post(11), post(10), post(1)] == [429, 200, 429]
    assert standin.counts.messages == 20


def test_rate_limit_after_transform(client: Client) -> None:
    standin = gateway(rate_limit=1, clock=Clock())
    vanishing = event(2).to_dict() | {"user": {}}
    assert client(standin).post(WEBHOOK, content=body(vanishing, event(1))).status_code == 200
    failed = client(standin).post(WEBHOOK, content=body(vanishing))
    assert failed.text == "All requests in the batch failed\n"
    refused = client(standin).post(WEBHOOK, content=body(event(3)))
    assert (refused.status_code, refused.text) == (429, "max requests limit reached\n")
    assert "retry-after" not in refused.headers


def statuses(standin: RudderStack, count: int) -> list[tuple[int, str]]:
    """Post requests at the same time, with an event each, and return the responses."""

    async def post() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=standin.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            requests = (client.post(WEBHOOK, content=body(event(n))) for n in range(count))
            return await asyncio.wait_for(asyncio.gather(*requests), PATIENCE)

    return [(each.status_code, each.text) for each in asyncio.run(post())]


def test_failure_of_transformer_hits_whole_group() -> None:
    script = [ScriptedResponse(502), ScriptedResponse("ok"), ScriptedResponse("reset")]
    standin = gateway(group_size=3, group_seconds=PATIENCE, transformer_script=script)
    responses = [status for status, _ in statuses(standin, 9)]
    assert responses == [500] * 3 + [200] * 3 + [503] * 3
    assert standin.counts.by_status == {"200": 3, "500": 3, "503": 3}
    assert standin.counts.messages == 3


def test_bodies_of_failures_of_transformer() -> None:
    script = [ScriptedResponse(502), ScriptedResponse("reset"), ScriptedResponse(200)]
    standin = gateway(transformer_script=script)
    (failed,), (unreachable,), (good,) = (statuses(standin, 1) for _ in range(3))
    assert failed[0] == 500
    assert failed[1].startswith("source Transformer returned non-success statusCode: 502")
    assert unreachable[0] == 503
    assert unreachable[1].startswith("JS HTTP connection to source transformer (URL:")
    assert good == (200, "ok")


def test_group_of_32_by_default() -> None:
    standin = gateway(group_seconds=PATIENCE * 2, transformer_script=[ScriptedResponse(500)])
    assert {status for status, _ in statuses(standin, 64)} == {200, 500}
    assert standin.counts.by_status == {"200": 32, "500": 32}


def test_group_that_is_not_full() -> None:
    standin = gateway(group_seconds=0.001, transformer_script=[ScriptedResponse(500)])
    assert [status for status, _ in statuses(standin, 5)] == [500] * 5


def test_refused_requests_join_no_group(client: Client) -> None:
    standin = gateway(transformer_script=[ScriptedResponse(500)])
    assert client(standin).post("/v1/webhook?writeKey=other").status_code == 401
    assert client(standin).post(WEBHOOK, content=b"{").status_code == 400
    assert client(standin).post(WEBHOOK).status_code == 500
    assert client(standin).post(WEBHOOK).status_code == 400


def test_delay_of_transformer() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    script = [ScriptedResponse("ok", delay=3), ScriptedResponse(503, delay=4)]
    standin = gateway(transformer_script=script, sleep=sleep)
    assert [statuses(standin, 2)[0][0], statuses(standin, 1)[0][0]] == [200, 500]
    assert slept == [3, 4]


@pytest.mark.parametrize(
    "options",
    [
        {"script": [ScriptedResponse("ok", delay=3600)]},
        {"transformer_script": [ScriptedResponse("ok", delay=3600)]},
    ],
)
def test_late_response_is_reset(options: dict[str, Any]) -> None:
    standin = gateway(response_timeout=0.01, **options)
    with listen(standin) as url, httpx.Client(headers=HEADERS) as client:
        with pytest.raises(httpx.ReadError):
            client.post(f"{url}{WEBHOOK}", content=body(event(1)))
        assert standin.counts.by_status == {"reset": 1}


def test_events_of_late_response_are_taken() -> None:
    async def sleep(_: float) -> None:
        raise TimeoutError

    standin = gateway(script=[ScriptedResponse("ok", delay=3600)], sleep=sleep)
    with pytest.raises(ConnectionResetError):
        statuses(standin, 1)
    assert standin.counts.messages == 1
