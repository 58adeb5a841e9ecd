"""Currents for tests, with secrets that no output may contain."""

from __future__ import annotations

import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import strategies as st

from currents_export._config import ENVIRONMENT_PREFIX
from currents_export.current import Current
from currents_export.errors import CurrentError

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


KEY = "https://data.example.com/v1/webhook?writeKey=QZXQZXQZX"
ENDPOINT = "https://collector.example.com/currents"
NAMES: dict[str, Any] = {"integration_name": "Shop", "contact_email": "ops@example.com"}
RUDDERSTACK = NAMES | {"key": KEY, "region": "US"}
CUSTOM = NAMES | {"endpoint": ENDPOINT}

#: The names of all fields of the form.
FIELDS = tuple(field.name for field in attrs.fields(Current) if field.init)

#: Secrets that occur nowhere else, in upper or lower case.
secrets = st.text(string.ascii_uppercase + string.digits, min_size=8, max_size=12).map(
    lambda text: f"QZX{text}"
)


def form(base: Mapping[str, Any] = RUDDERSTACK, **values: Any) -> Current:
    """Make a Current from a form with some fields changed."""
    return Current(**{**base, **values})


def problems(base: Mapping[str, Any] = RUDDERSTACK, **values: Any) -> list[tuple[str, str]]:
    """Return the problems with such a form."""
    with pytest.raises(CurrentError) as caught:
        form(base, **values)
    return list(caught.value.problems)


def variables(**values: str) -> dict[str, str]:
    """Return the environment variables for fields."""
    return {f"{ENVIRONMENT_PREFIX}{name.upper()}": value for name, value in values.items()}


def load(tmp_path: Path, text: str | bytes, environ: Mapping[str, str] | None = None) -> Current:
    """Load a Current from the text of a TOML file."""
    path = tmp_path / "current.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return Current.load(path, environ=environ or {})


def load_error(
    tmp_path: Path, text: str | bytes, environ: Mapping[str, str] | None = None
) -> CurrentError:
    """Return the error of loading a Current from the text of a TOML file."""
    with pytest.raises(CurrentError) as caught:
        load(tmp_path, text, environ)
    return caught.value
