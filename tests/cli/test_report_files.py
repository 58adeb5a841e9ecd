"""The files that `verify` writes of a report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.support import run, words
from tests.support.events import event, make_events
from tests.support.pages import Page

File = Callable[..., Path]


@pytest.fixture
def inputs(file: File) -> tuple[object, ...]:
    """The options of a comparison with an altered event."""
    events = make_events(5)
    altered = [event(0, email_address="x@example.com"), *events[1:]]
    return "--sent", file("sent.jsonl", events), "--received", file("received.jsonl", altered)


def test_page(inputs: tuple[object, ...], tmp_path: Path) -> None:
    html = tmp_path / "report.html"
    result = run("verify", *inputs, "--html", html)
    assert result.exit_code == 1
    assert f"the report is in {html}\n" in result.stderr
    page = Page(html.read_text("utf-8"))
    assert page.all("h1")[0].text == "The stream is not right"
    assert "received.jsonl" in page.text
    assert "1 changed (properties.email_address)" in page.text.lower()
    assert '"email_address": "(13 characters)"' in page.text
    run("verify", *inputs, "--html", html, "--show-personal-data")
    assert "x@example.com" in html.read_text("utf-8")


def test_junit(inputs: tuple[object, ...], tmp_path: Path) -> None:
    junit = tmp_path / "report.xml"
    junit.write_text("what was there before, which is longer than nothing " * 999)
    result = run("verify", *inputs, "--junit", junit, "--json")
    assert json.loads(result.stdout)["altered"]["count"] == 1
    root = ElementTree.parse(junit).getroot()
    assert root.attrib["failures"] == "2"
    assert b"x@example.com" not in junit.read_bytes()


@pytest.mark.parametrize(("option", "begins"), [("--html", "<!doctype"), ("--junit", "<?xml")])
def test_standard_output(option: str, begins: str, inputs: tuple[object, ...]) -> None:
    result = run("verify", *inputs, option, "-")
    assert result.exit_code == 1
    assert result.stdout.startswith(begins)
    assert result.stdout.rstrip().endswith(">")
    assert result.stderr.startswith("wrong: ")


def test_file_that_cannot_be_written(inputs: tuple[object, ...], tmp_path: Path) -> None:
    result = run("verify", *inputs, "--html", tmp_path)
    assert result.exit_code == 2
    assert result.stdout.startswith("wrong: ")
    assert f"--html: {tmp_path}: it cannot be written: Is a directory" in result.stderr


@pytest.mark.parametrize("option", ["--html", "--junit"])
def test_input_is_not_overwritten(option: str, inputs: tuple[object, ...]) -> None:
    before = Path(str(inputs[1])).read_bytes()
    result = run("verify", *inputs, option, inputs[1])
    assert result.exit_code == 2
    assert "is another file of this command, too" in words(result.stderr)
    assert Path(str(inputs[1])).read_bytes() == before


def test_two_files_are_not_the_same(inputs: tuple[object, ...], tmp_path: Path) -> None:
    result = run("verify", *inputs, "--html", tmp_path / "x", "--junit", tmp_path / "x")
    assert result.exit_code == 2
    assert not (tmp_path / "x").exists()
