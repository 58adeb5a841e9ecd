"""The stream of summaries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx

from currents_export.receiver import Receiver, listen
from currents_export.receiver.page import Page
from tests.support.events import event
from tests.support.receivers import PATIENCE, body


def summaries(response: httpx.Response) -> Iterator[Any]:
    for line in response.iter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


def test_summaries_follow_requests() -> None:
    receiver = Receiver()
    with (
        listen(receiver, page=Page(receiver)) as url,
        httpx.stream("GET", f"{url}/_page/api/stream", timeout=PATIENCE) as response,
    ):
        assert response.headers["Content-Type"].startswith("text/event-stream")
        stream = summaries(response)
        assert next(stream)["events"] == 0
        httpx.post(url, content=body(event()))
        assert next(each for each in stream if each["events"])["events"] == 1
        httpx.post(f"{url}/_page/api/faults", json={"kind": "503"}, headers={"Origin": url})
        assert next(each for each in stream if each["fault"])["fault"]["kind"] == "503"


def test_server_stops_with_open_streams() -> None:
    receiver = Receiver()
    with listen(receiver, page=Page(receiver)) as url:
        client = httpx.Client(timeout=PATIENCE)
        request = client.build_request("GET", f"{url}/_page/api/stream")
        response = client.send(request, stream=True)
        assert next(summaries(response))["requests"] == 0
    response.close()
    client.close()


def test_streams_are_limited() -> None:
    receiver = Receiver()
    with listen(receiver, page=Page(receiver)) as url, httpx.Client(timeout=PATIENCE) as client:
        opened = [
            client.send(client.build_request("GET", f"{url}/_page/api/stream"), stream=True)
            for _ in range(33)
        ]
        assert [each.status_code for each in opened] == [200] * 32 + [503]
        for each in opened:
            each.close()
