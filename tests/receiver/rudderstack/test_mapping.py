"""Files with the custom mapping of a source."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from currents_export.errors import OptionError
from currents_export.receiver.rudderstack import load_mapping
from tests.support.events import CLICK, OPEN

ROWS = [{"from": OPEN, "to": "Email Opened"}, {"from": CLICK, "to": "Email Clicked"}]
MAPPING = {OPEN: "Email Opened", CLICK: "Email Clicked"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.json", {OPEN: "Email Opened", CLICK: "Email Clicked"}),
        ("m", [{"from": CLICK, "to": "x"}, *ROWS]),
        ("m.json", {"customMapping": ROWS}),
    ],
)
def test_json(name: str, content: Any, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(json.dumps(content), "utf-8")
    assert load_mapping(path) == load_mapping(str(path)) == MAPPING


@pytest.mark.parametrize(
    "lines",
    [
        [f'"{OPEN}" = "Email Opened"', f'"{CLICK}" = "Email Clicked"'],
        [
            *("[[customMapping]]", f'from = "{OPEN}"', 'to = "Email Opened"'),
            *("[[customMapping]]", f'from = "{CLICK}"', 'to = "Email Clicked"'),
        ],
    ],
)
def test_toml(lines: list[str], tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text("\n".join(lines), "utf-8")
    assert load_mapping(path) == MAPPING


def test_empty_mapping(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text("{}", "utf-8")
    assert load_mapping(path) == {}


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("m.json", "{", "m.json: the mapping is not JSON: "),
        ("m.json", "[" * 100_000, "m.json: the mapping is not JSON: "),
        ("m.toml", "{", "m.toml: the mapping is not TOML: "),
        ("m.json", "7", 'it must be an object such as {"users'),
        ("m.json", '["x"]', "row 1 is not a mapping"),
        ("m.json", '[{"from": "x", "to": "y"}, {"from": "x"}]', "row 2 is not a mapping"),
        ("m.json", '[{"from": "x", "to": 1}]', "x is mapped to 1; it must be"),
        ("m.toml", "users.messages = 2026-07-01", "users is mapped to {'messages': "),
        ("m.json", b"\xff", "the mapping is not JSON: "),
    ],
)
def test_bad_mapping(name: str, text: str | bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(OptionError) as caught:
        load_mapping(path)
    assert says in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="none: No such file"):
        load_mapping(tmp_path / "none")
