from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from currents_export.cli._streams import print_json, print_line, print_note
from currents_export.cli._tables import print_table, progress
from tests.cli.support import Terminal


@contextmanager
def streams(out: io.StringIO, err: io.StringIO) -> Iterator[tuple[io.StringIO, io.StringIO]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        yield out, err


@pytest.mark.parametrize("total", [None, 10])
def test_progress_on_a_terminal(total: int | None) -> None:
    with (
        streams(io.StringIO(), Terminal()) as (out, err),
        progress("counting", total) as advance,
    ):
        advance(3)
        print_line("a result")
        print_note("a remark")
    assert out.getvalue() == "a result\n"
    assert "counting" in err.getvalue()
    assert ("3/10" in err.getvalue()) is (total == 10)
    assert "/?" not in err.getvalue()
    assert "3" in re.sub(r"\x1b\[[?0-9;]*[a-z]", "", err.getvalue(), flags=re.IGNORECASE)
    assert "a remark" in err.getvalue()


@pytest.mark.parametrize("force", [None, "1"])
def test_no_progress_elsewhere(force: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if force:
        monkeypatch.setenv("FORCE_COLOR", force)
    with streams(Terminal(), io.StringIO()) as (_, err), progress("counting") as advance:
        advance(3)
    assert err.getvalue() == ""


def test_results_go_above_progress() -> None:
    with streams(Terminal(), Terminal()) as (out, err), progress("counting"):
        print_line("a result")
    assert out.getvalue() == ""
    assert "a result" in err.getvalue()


def test_piped_row_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_table({"name": "left", "count": "right"}, [("x" * 500, 1_234_567), ("[b]", True)])
    header, long, odd = capsys.readouterr().out.splitlines()
    assert header.split() == ["name", "count"]
    assert long.split() == ["x" * 500, "1,234,567"]
    assert odd.split() == ["[b]", "True"]


def test_unencodable_text_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    print_line("naïve \udcff")
    print_table({"name": "left"}, [["ü"]])
    print_json({"name": "ü"}, indent=False)
    print_json(["\udcff"], indent=False)
    lines = raw.getvalue().splitlines()
    assert lines[0] == rb"na\xefve \udcff"
    assert lines[2].strip() == rb"\xfc"
    assert json.loads(lines[3]) == {"name": "ü"}
    assert json.loads(lines[4]) == ["\udcff"]
