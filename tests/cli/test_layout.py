"""Tables in the width of a terminal."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.cli._app import COMMANDS
from currents_export.cli._layout import Column, fit, lay_out, wrap
from currents_export.cli._tables import print_table
from tests.cli.processes import Start, on_a_terminal

COLUMNS = [Column("name"), Column("count", right=True), Column("what it is")]
ROW = ("one", "1,000", "the first of several things")


def lines(width: int | None, *rows: Sequence[str]) -> list[str]:
    header, texts = lay_out(COLUMNS, rows, width)
    return [line for text in (header, *texts) for line in text.splitlines()]


def test_natural_widths() -> None:
    expected = [
        "name  count  what it is",
        "one   1,000  the first of several things",
        "two       2",
    ]
    assert lines(None, ROW, ("two", "2", "")) == expected
    assert lines(40, ROW, ("two", "2", "")) == expected


def test_wrapped_between_words() -> None:
    assert lines(27, ROW) == [
        "name  count  what it is",
        "one   1,000  the first of",
        "             several things",
    ]


def test_paragraphs_where_words_do_not_fit() -> None:
    assert lines(17, ROW) == [
        "one",
        "  count 1,000,",
        "  what it is the",
        "  first of",
        "  several things",
    ]


def test_wide_characters_count_twice() -> None:
    assert lines(None, ("中文", "1", ""))[1] == "中文      1"


WORDS = st.lists(st.text("abc.", min_size=1, max_size=12), max_size=6).map(" ".join)


@given(st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1, max_size=4), st.integers(20, 60))
def test_no_word_is_split(rows: list[tuple[str, str, str]], width: int) -> None:
    shown = lines(width, *rows)
    assert max(map(len, shown)) <= width
    words = " ".join(shown).replace(",", " ").split()
    assert {word for row in rows for cell in row for word in cell.split()} <= set(words)


def test_word_longer_than_the_width() -> None:
    assert wrap("a looooong b", 5) == ["a", "looooong", "b"]


@pytest.mark.parametrize("args", [("events",), ("journeys",), ("events", "--fields", "email.O*")])
def test_terminal_of_80_columns(args: tuple[str, ...], start: Start) -> None:
    """What does not fit is wrapped between words, so every name is in one piece."""
    assert args[0] in COMMANDS
    plain = {"COLUMNS": "80", "TERM": "dumb"}
    code, shown = on_a_terminal(start, *args, env=plain)
    process = start(*args)
    out, _ = process.communicate(timeout=30)
    assert code == 0
    assert max(map(len, shown.splitlines())) <= 80
    # Where the table does not fit, it has no header.
    wanted = out.partition("\n")[2].split()
    assert {each.strip(",") for each in wanted} <= {each.strip(",") for each in shown.split()}


def test_cells_cannot_control_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_table({"a": "", "b": "right"}, [("x\x1b[2J\x9b\r", "1\n2\t3")])
    assert capsys.readouterr().out == "a            b\nx?[2J??  1 2 3\n"


def test_long_lines_are_broken_between_words() -> None:
    assert fit("  one two three", 9) == "  one two\n    three"
    assert fit("\x1b[31mred\x1b[0m  blue", 9) == "\x1b[31mred\x1b[0m  blue"
    assert fit("short\n" + "x" * 20, 9) == "short\n" + "x" * 20
