"""The metrics of a running delivery."""

from __future__ import annotations

import sys

import pytest
import typer

from currents_export.cli._metrics import Metrics, parse_address
from currents_export.delivery import Action, Attempt, Response, Sender
from currents_export.errors import OptionError
from tests.support.currents import custom
from tests.support.events import make_events

prometheus_client = pytest.importorskip("prometheus_client")


def attempt(status: int | None, seconds: float) -> Attempt:
    return Attempt("users.x", 3, 1, Response(status), Action.DELIVERED, 0.0, seconds)


def scrape(metrics: Metrics) -> list[str]:
    text: str = prometheus_client.generate_latest(metrics._registry).decode()
    return text.splitlines()


def test_requests() -> None:
    metrics = Metrics(custom("https://example.com:8080/x"), late=lambda: 0.0)
    for status, seconds in ((200, 0.02), (200, 0.04), (503, 1.5), (None, 30.0)):
        metrics.observe(attempt(status, seconds))
    lines = scrape(metrics)
    where = 'http_request_method="POST",http_response_status_code='
    server = 'server_address="example.com",server_port="8080"'
    name = "http_client_request_duration_seconds"
    for each in (
        f'{name}_count{{error_type="",{where}"200",{server}}} 2.0',
        f'{name}_bucket{{error_type="",{where}"200",le="0.025",{server}}} 1.0',
        f'{name}_count{{error_type="503",{where}"503",{server}}} 1.0',
        f'{name}_sum{{error_type="network_error",{where}"",{server}}} 30.0',
    ):
        assert each in lines


def test_totals() -> None:
    metrics = Metrics(custom(), late=lambda: 2.5)
    assert not any(line.startswith("currents_") for line in scrape(metrics))
    with Sender(custom("http://127.0.0.1:9/")) as sender:
        sender.send(make_events(3))
        metrics.watch(lambda: sender.result)
        lines = scrape(metrics)
        sender.close(timeout=0)
    assert "currents_events_pending 3.0" in lines
    assert "currents_run_lateness_seconds 2.5" in lines
    assert 'currents_current_state{currents_state="active"} 1.0' in lines
    assert any(each.startswith("currents_events_accepted_total{") for each in lines)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9464", ("127.0.0.1", 9464)),
        ("9464", ("127.0.0.1", 9464)),
        (":9464", ("127.0.0.1", 9464)),
        ("[::1]:9464", ("::1", 9464)),
        ("0.0.0.0:1", ("0.0.0.0", 1)),
    ],
)
def test_address(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", "localhost", "a:b", "a:99999"])
def test_wrong_address(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"127\.0\.0\.1:9464"):
        parse_address(text)


def test_address_in_use() -> None:
    first, second = (Metrics(custom(), late=lambda: 0.0) for _ in range(2))
    with first.serving("127.0.0.1", 0) as url:
        port = int(url.rpartition(":")[2].partition("/")[0])
        with pytest.raises(OptionError, match="cannot listen"), second.serving("127.0.0.1", port):
            pass


def test_without_prometheus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(OptionError, match=r"pip install 'currents-export\[metrics\]'"):
        Metrics(custom(), late=lambda: 0.0)
