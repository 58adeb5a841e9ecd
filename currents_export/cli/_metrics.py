"""Metrics of a running delivery for Prometheus.

The names and units follow OpenTelemetry: `http.client.request.duration` of its semantic conventions
for HTTP clients, and `currents.*` for events, as Prometheus writes them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import typer

from .._redaction import shown
from ..current import Current
from ..delivery import Attempt, Result, State
from ..errors import OptionError

__all__ = ["Metrics", "parse_address"]

#: The boundaries that OpenTelemetry recommends for the durations of requests, in seconds.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
_DEFAULT_HOST = "127.0.0.1"


def parse_address(text: str) -> tuple[str, int]:
    """Parse `127.0.0.1:9464`, `[::1]:9464` or a port on this machine."""
    host, _, port = text.rpartition(":")
    if port.isdecimal() and int(port) <= 65_535:
        return host.removeprefix("[").removesuffix("]") or _DEFAULT_HOST, int(port)
    raise typer.BadParameter(
        f"--metrics is {shown(text)}; it must be an address such as 127.0.0.1:9464"
    )


class Metrics:
    """The metrics of a delivery.

    Args:
        current: the Current.
        late: returns by how many seconds the traffic is late.

    Raises:
        OptionError: prometheus-client is not installed.
    """

    def __init__(self, current: Current, *, late: Callable[[], float]) -> None:
        try:
            import prometheus_client  # noqa: PLC0415 - it is optional
            import prometheus_client.core  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise OptionError(
                "--metrics needs prometheus-client: pip install 'currents-export[metrics]'"
            ) from error
        self._client: Any = prometheus_client
        self._core: Any = prometheus_client.core
        self._result: Callable[[], Result] | None = None
        self._late = late
        url = urlsplit(current.shown_url)
        self._server = {
            "http_request_method": "POST",
            "server_address": url.hostname or "",
            "server_port": str(url.port or (80 if url.scheme == "http" else 443)),
        }
        self._client.disable_created_metrics()
        self._registry = prometheus_client.CollectorRegistry()
        self._durations = prometheus_client.Histogram(
            "http_client_request_duration_seconds",
            "Duration of the requests of the Current.",
            [*self._server, "http_response_status_code", "error_type"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._registry.register(self)

    @contextlib.contextmanager
    def serving(self, host: str, port: int) -> Iterator[str]:
        """Serve the metrics until the context ends, and yield their URL.

        Raises:
            OptionError: the address cannot be used.
        """
        try:
            server, thread = self._client.start_http_server(port, host, registry=self._registry)
        except OSError as error:
            raise OptionError(
                f"--metrics: cannot listen on {host}:{port}: {error.strerror or error}"
            ) from error
        try:
            name = f"[{host}]" if ":" in host else host
            yield f"http://{name}:{server.server_port}/metrics"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def watch(self, result: Callable[[], Result]) -> None:
        """Say where the totals come from."""
        self._result = result

    def observe(self, attempt: Attempt) -> None:
        """Count a request."""
        status = attempt.response.status
        code = "" if status is None else str(status)
        failed = status is None or status >= 400
        labels = self._server | {
            "http_response_status_code": code,
            "error_type": (code or "network_error") if failed else "",
        }
        self._durations.labels(**labels).observe(attempt.duration_s)

    def collect(self) -> Iterator[Any]:
        """Yield the metrics of the totals; prometheus-client calls it for each scrape."""
        if self._result is None:
            return
        result = self._result()
        types = result.by_event_type
        yield self._counter(
            "currents_events_accepted",
            "Events that the sender accepted.",
            "currents_event_type",
            {name: totals.accepted for name, totals in types.items()},
        )
        yield self._counter(
            "currents_events_delivered",
            "Events whose request got a 2XX response.",
            "currents_event_type",
            {name: totals.delivered for name, totals in types.items()},
        )
        yield self._counter(
            "currents_events_dropped",
            "Accepted events that will not be delivered.",
            "currents_drop_reason",
            {reason.value: count for reason, count in result.drop_reasons.items()},
        )
        retries = self._core.CounterMetricFamily(
            "currents_request_retries", "Requests that sent the same batch again."
        )
        retries.add_metric((), result.retries)
        yield retries
        yield self._gauge("currents_events_pending", "Events to be delivered.", result.pending)
        yield self._gauge(
            "currents_run_lateness_seconds",
            "By how much events are sent later than they happen.",
            self._late(),
        )
        state = self._core.GaugeMetricFamily(
            "currents_current_state", "1 for the state of the Current.", labels=["currents_state"]
        )
        for each in State:
            state.add_metric((each.value,), float(result.state is each))
        yield state

    def _counter(self, name: str, what: str, label: str, values: Mapping[str, int]) -> Any:
        family = self._core.CounterMetricFamily(name, what, labels=[label])
        for value, count in values.items():
            family.add_metric((value,), count)
        return family

    def _gauge(self, name: str, what: str, value: float) -> Any:
        return self._core.GaugeMetricFamily(name, what, value=value)
