from __future__ import annotations

import pytest

from currents_export import (
    CatalogError,
    CurrentError,
    EventError,
    InvalidEventsError,
    QueueFullError,
    ReadError,
    SenderClosedError,
    UnknownNameError,
)


def test_unknown_name_has_a_plain_message() -> None:
    error = UnknownNameError("there is no x; did you mean y?", name="x", nearest=["y"])
    assert isinstance(error, KeyError)
    assert str(error) == "there is no x; did you mean y?"
    assert (error.name, error.nearest) == ("x", ("y",))


@pytest.mark.parametrize(
    ("count", "message"),
    [
        (1, "1 event was refused; the others were accepted: p0"),
        (3, "3 events were refused; the others were accepted: p0; p1; p2"),
        (5, "5 events were refused; the others were accepted: p0; p1; p2; and 2 more"),
    ],
)
def test_invalid_events_shows_first_problems(count: int, message: str) -> None:
    problems = [EventError(f"p{number}") for number in range(count)]
    error = InvalidEventsError(problems)
    assert str(error) == message
    assert error.problems == tuple(problems)
    assert error.field is None


@pytest.mark.parametrize(("line", "where"), [(None, "a.jsonl"), (7, "a.jsonl:7")])
def test_read_error_shows_place(line: int | None, where: str) -> None:
    error = ReadError("not JSON", source="a.jsonl", line=line)
    assert str(error) == f"{where}: not JSON"
    assert (error.source, error.line) == ("a.jsonl", line)


def test_current_error_lists_problems() -> None:
    problems = [("key", "is missing"), ("region", "is unknown")]
    error = CurrentError(problems, source="c.toml", places={"region": "line 3, "})
    assert str(error) == (
        "c.toml: the Current has 2 problems:\n  - key: is missing\n  - line 3, region: is unknown"
    )
    assert error.problems == tuple(problems)
    assert str(CurrentError(problems[:1])) == "the Current has 1 problem:\n  - key: is missing"


def test_catalog_error_lists_problems() -> None:
    error = CatalogError([("fields.tsv:3", "unknown type"), ("", "no tables")], directory="d")
    assert str(error) == (
        "the catalog in d has 2 problems:\n  - fields.tsv:3: unknown type\n  - no tables"
    )
    many = CatalogError([("", f"problem {number}") for number in range(50)])
    assert str(many).startswith("the packaged catalog has 50 problems:\n  - problem 0\n")
    assert str(many).endswith(" more")
    assert len(many.problems) == 50


@pytest.mark.parametrize("error", [QueueFullError("full"), SenderClosedError("closed")])
def test_not_taken_starts_at_zero(error: QueueFullError | SenderClosedError) -> None:
    assert (error.taken, error.event) == (0, None)
