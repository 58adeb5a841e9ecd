"""Currents for tests, with secrets that no output may show."""

from __future__ import annotations

from typing import Any

from currents_export.current import Current

WRITE_KEY = "wr1te-k3y-s3cr3t"
TOKEN = "t0ken-s3cr3t"


def custom(url: str = "http://127.0.0.1:9/", **values: Any) -> Current:
    """Make a Custom Currents export to `url`."""
    return Current(integration_name="test", contact_email="qa@example.com", endpoint=url, **values)


def rudderstack(url: str, **values: Any) -> Current:
    """Make a RudderStack export to the gateway at `url`."""
    return Current(
        integration_name="test",
        contact_email="qa@example.com",
        key=f"{url}/v1/webhook?writeKey={WRITE_KEY}",
        region="US",
        **values,
    )
