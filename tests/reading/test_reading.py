"""Reading events back: a bad line, or a bad element, costs no other."""

from __future__ import annotations

import io
import json
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from currents_export.errors import ReadError
from currents_export.events import Event
from currents_export.reading import Located, read_events, read_path, read_values
from tests.support.events import EVENT_ID, bare_event
from tests.support.strategies import json_values, texts

ONE, TWO, THREE = ({"event_type": name, "id": name, "time": 1} for name in ("one", "two", "three"))

BROKEN = [
    "{",
    "{bad}",
    '{"event_type": "x"',
    '{"event_type": "x", "time": }',
    '{"event_type": "x", "time": NaN}',
    '{"event_type": "x", "time": 1e999}',
    '{"event_type": "x",}',
    '{"event_type": "x" "id": 1}',
    '{"event_type": "x',
    '{"event_type": "\\ud800"}',
    '{"event_type": "x", "user": {"user_id": "u", "properties": {}}',
    '{"event_type": "x", "user": [1, 2}, "time": 1}',
    '{"event_type": "x", "properties": {"a": [1, 2, {"b": "c"}], "d": tru}}',
    '{"event_type": "x", "properties": {"text": "}] \\" {[", "d": tru}}',
    "nul",
    "-",
]


def read(text: str | bytes) -> list[Located | ReadError]:
    raw = text.encode() if isinstance(text, str) else text
    return list(read_values(io.BytesIO(raw), source="f"))


def values(text: str | bytes) -> list[Any]:
    return [item.value for item in read(text) if isinstance(item, Located)]


def places(text: str | bytes) -> list[tuple[Any, int]]:
    return [(item.value, item.line) for item in read(text) if isinstance(item, Located)]


def errors(text: str | bytes) -> list[ReadError]:
    return [item for item in read(text) if isinstance(item, ReadError)]


def dump(value: Any, **options: Any) -> str:
    return json.dumps(value, **options)


# Sound input


@pytest.mark.parametrize("nothing", ["", "\n", " \n\n\t\n", "\ufeff", "\ufeff\n", "[]", "[\n]"])
def test_nothing_is_no_event(nothing: str) -> None:
    assert read(nothing) == []


@pytest.mark.parametrize(
    "body", [{"events": []}, {"events": [{"events": []}]}, [{"events": []}, []]]
)
@pytest.mark.parametrize("indent", [None, 2])
def test_a_body_without_events_is_no_event(body: Any, indent: int | None) -> None:
    assert read(dump(body, indent=indent)) == []


def test_json_lines_come_with_their_lines() -> None:
    text = f"\n{dump(ONE)}\n\n{dump(TWO)}\r\n   {dump(THREE)}"
    assert places(text) == [(ONE, 2), (TWO, 4), (THREE, 5)]
    assert errors(text) == []


def test_a_line_may_be_an_event_an_array_or_a_body() -> None:
    text = f"{dump([ONE, TWO])}\n{dump({'events': [THREE]})}\n{dump(ONE)}\n"
    assert places(text) == [(ONE, 1), (TWO, 1), (THREE, 2), (ONE, 3)]


@pytest.mark.parametrize("document", [[ONE, TWO, THREE], {"events": [ONE, TWO, THREE]}])
@pytest.mark.parametrize("indent", [None, 0, 2, 4])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_arrays_and_bodies_are_read_however_they_are_laid_out(
    document: Any, indent: int | None, mark: str
) -> None:
    text = mark + dump(document, indent=indent)
    assert values(text) == [ONE, TWO, THREE]
    assert errors(text) == []


def test_elements_of_a_document_come_with_the_line_they_begin_on() -> None:
    text = f"\n[\n  {dump(ONE)},\n\n  {dump(TWO, indent=2)},\n  {dump(THREE)}\n]\n"
    assert places(text) == [(ONE, 3), (TWO, 5), (THREE, 10)]


def test_commas_may_stand_at_the_start_of_lines() -> None:
    text = f"[ {dump(ONE)}\n, {dump(TWO)}\n, {dump(THREE)}\n]"
    assert places(text) == [(ONE, 1), (TWO, 2), (THREE, 3)]
    assert errors(text) == []


def test_an_event_of_its_own_may_span_lines() -> None:
    assert places(f"\n{dump(ONE, indent=2)}") == [(ONE, 2)]


def test_events_that_span_lines_may_stand_one_behind_the_other() -> None:
    text = "\n".join(dump(each, indent=2) for each in (ONE, TWO, THREE))
    assert places(text) == [(ONE, 1), (TWO, 6), (THREE, 11)]
    assert errors(text) == []
    assert values(f"{text}\n]") == [ONE, TWO, THREE]
    assert len(errors(f"{text}\n]")) == 1
    assert places(f"{dump(ONE)}{dump(TWO)}") == [(ONE, 1), (TWO, 1)]


def test_arrays_may_hold_bodies_and_arrays_however_they_are_laid_out() -> None:
    nested = [ONE, {"events": [TWO]}, [[THREE], ONE]]
    for indent in (None, 2):
        assert values(dump(nested, indent=indent)) == [ONE, TWO, THREE, ONE]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    "value",
    [
        {"events": [1], "event_type": "x"},
        {"event_type": "x", "events": [1]},
        {"events": {"a": 1}},
        {"events": None},
    ],
)
def test_an_object_that_only_looks_like_a_body_is_one_value(value: Any, indent: int | None) -> None:
    assert values(dump(value, indent=indent)) == [value]
    assert errors(dump(value, indent=indent)) == []


def test_a_body_with_other_keys_first_is_read() -> None:
    body = {"version": 1, "events": [ONE, TWO]}
    assert values(dump(body)) == values(dump(body, indent=2)) == [ONE, TWO]


def test_json_lines_are_read_as_a_stream() -> None:
    def lines() -> Iterator[bytes]:
        yield dump(ONE).encode()
        yield dump(TWO).encode()
        pytest.fail("read too far ahead")

    items = read_values(lines())
    assert [next(items), next(items)] == [Located(ONE, "<input>", 1), Located(TWO, "<input>", 2)]


def test_json_lines_with_a_broken_first_line_are_read_as_a_stream() -> None:
    def lines() -> Iterator[bytes]:
        yield b"{broken}\n"
        yield dump(TWO).encode()
        pytest.fail("read too far ahead")

    items = read_values(lines())
    assert isinstance(next(items), ReadError)
    assert next(items) == Located(TWO, "<input>", 2)


# Broken input


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("at", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "sound", [dump(TWO), dump([TWO]), dump({"events": [TWO]})], ids=["event", "array", "body"]
)
def test_a_broken_line_costs_no_other(broken: str, at: int, sound: str) -> None:
    lines = [dump(ONE), sound, dump(THREE)]
    lines.insert(at, broken)
    text = "\n".join(lines) + "\n"
    assert values(text) == [ONE, TWO, THREE]
    assert [error.line for error in errors(text)] == [at + 1]


@pytest.mark.parametrize("broken", BROKEN)
def test_two_broken_lines_at_the_top_cost_no_other(broken: str) -> None:
    text = "\n".join([broken, broken, dump([ONE]), dump({"events": [TWO]}), dump(THREE)])
    assert values(text) == [ONE, TWO, THREE]
    assert errors(text)


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize(("start", "end"), [("[\n", "\n]"), ('{"events": [\n', "\n]}\n")])
@pytest.mark.parametrize("indent", ["", "  "])
def test_a_broken_element_costs_no_other_in_a_document_of_lines(
    broken: str, at: int, start: str, end: str, indent: str
) -> None:
    elements = [dump(ONE), dump(TWO)]
    elements.insert(at, broken)
    text = start + ",\n".join(f"{indent}{element}" for element in elements) + end
    assert values(text) == [ONE, TWO]
    # A string or a bracket that does not end is noticed further on.
    assert at + 2 <= min(error.line or 0 for error in errors(text)) <= at + 3


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize(
    ("start", "end"), [("[", "]"), ('{"events":[', "]}"), ('[{"events":[', "]}]")]
)
@pytest.mark.parametrize("before", ["", '{"event_type": "before"}\n', '{"broken"\n{"broken\n'])
def test_a_broken_element_costs_no_other_in_one_line(
    broken: str, at: int, start: str, end: str, before: str
) -> None:
    elements = [dump(ONE), dump(TWO)]
    elements.insert(at, broken)
    text = before + start + ",".join(elements) + end
    assert [value for value in values(text) if value != {"event_type": "before"}] == [ONE, TWO]
    assert before.count("\n") + 1 in [error.line for error in errors(text)]


@pytest.mark.parametrize("broken", ['{"id": "x" 1}', '{"id": [{"a": "]}"}, {"b": NaN}]}'])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_broken_element_whose_brackets_match_costs_no_other_whatever_its_first_key(
    broken: str, at: int
) -> None:
    others = [{"id": name, "event_type": name, "time": 1} for name in ("one", "two")]
    elements = [dump(other) for other in others]
    elements.insert(at, broken)
    assert values(f"[{','.join(elements)}]") == others
    assert len(errors(f"[{','.join(elements)}]")) == 1


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("start", ["[", '{"events": ['])
def test_a_broken_element_over_lines_costs_no_other(at: int, start: str) -> None:
    broken = {"event_type": "x", "properties": {"a": [{"b": 1}, {"c": "BROKEN"}]}}
    elements: list[Any] = [ONE, TWO]
    elements.insert(at, broken)
    text = start + dump(elements, indent=2)[1:].replace('"BROKEN"', "BROKEN")
    assert values(text) == [ONE, TWO]
    first_of_broken = 2 + 5 * at
    assert first_of_broken < (errors(text)[0].line or 0) <= first_of_broken + 9


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"[\n{dump(ONE)},\n{dump(TWO)}\n", 3),
        (f"[\n{dump(ONE)}\n{dump(TWO)}\n]", 3),
        (f"[\n{dump(ONE)},\n{dump(TWO)},\n]", 3),
        (f"[\n{dump(ONE)},\n{dump(TWO)}\n]]", 4),
        (f'{{"events": [\n{dump(ONE)},\n{dump(TWO)}\n]', 4),
        (f"{dump(ONE)},\n{dump(TWO)},\n", 1),
    ],
    ids=["cut", "no comma", "comma", "two ends", "half an end", "no brackets"],
)
def test_elements_survive_brackets_and_commas_that_are_amiss(text: str, line: int) -> None:
    assert values(text) == [ONE, TWO]
    assert [error.line for error in errors(text)] == [line]


def test_bytes_that_are_not_utf_8_are_refused_not_altered() -> None:
    bad = b'{"event_type": "\xff"}'
    one, two = dump(ONE).encode(), dump(TWO).encode()
    for text in (
        one + b"\n" + bad + b"\n" + two,
        bad + b"\n" + one + b"\n" + two,
        b"[\n" + one + b",\n" + bad + b",\n" + two + b"\n]",
        b"[" + one + b"," + bad + b"," + two + b"]",
    ):
        assert values(text) == [ONE, TWO]
        [error] = errors(text)
        assert error.line == text.count(b"\n", 0, text.index(bad)) + 1


def test_a_number_that_is_too_long_is_refused() -> None:
    text = f'[\n{dump(ONE)},\n{{"a": {"9" * 5000}}},\n{dump(TWO)}\n]'
    assert values(text) == [ONE, TWO]
    assert [error.line for error in errors(text)] == [3]


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, '[\n{"a":[' * 5_000])
def test_nesting_without_end_is_refused(text: str) -> None:
    assert values(text) == []
    assert errors(text)


def test_text_that_is_no_json_at_all_is_one_error() -> None:
    [error] = errors("hello there\nthis is a text, and no JSON\nat all\n")
    assert str(error).startswith("f:1: not JSON: ")


@given(st.binary(max_size=200))
@example(b"\xef\xbb\xbf\xef\xbb\xbf{}")
def test_bytes_of_any_kind_are_read_without_a_fuss(raw: bytes) -> None:
    for item in read(raw):
        assert isinstance(item, Located | ReadError)


_tokens = st.lists(
    st.sampled_from(
        [
            *'{}[],:\n "\\1',
            *("nul", "null", '"a"', "\ud800", '"event_type"', '"events"', '{"events":['),
            *(dump(ONE), f",{dump(TWO)}"),
        ]
    ),
    max_size=30,
).map("".join)


@given(_tokens)
def test_pieces_of_json_in_any_order_are_read_without_a_fuss(text: str) -> None:
    raw = text.encode(errors="surrogatepass")
    items = read(raw)
    for item in items:
        assert isinstance(item, Located | ReadError)
        assert 1 <= (item.line or 0) <= raw.count(b"\n") + 1
    if any(isinstance(item, ReadError) for item in items):
        assert not _is_json(raw)
        assert not all(_is_json(line) for line in raw.split(b"\n") if line.strip())


def _is_json(raw: bytes) -> bool:
    try:
        orjson.loads(raw)
    except orjson.JSONDecodeError:
        return False
    return True


@given(st.lists(json_values.filter(lambda value: isinstance(value, dict)), max_size=4))
@example([{"events": [1]}])
def test_lines_arrays_and_bodies_hold_the_same_values(some: list[Any]) -> None:
    lines = [dump(value) for value in some]
    expected = values("\n".join(lines))
    assert len(expected) >= len([value for value in some if "events" not in value])
    for text in (
        dump(some),
        dump(some, indent=2),
        dump({"events": some}),
        dump({"events": some}, indent=1),
        "[\n" + ",\n".join(lines) + "\n]",
    ):
        assert values(text) == expected
        assert errors(text) == []


# Events without arrays: cut inside of one, an event would take in the next as its element.
_flat = st.dictionaries(texts, texts | st.integers(-5, 5) | st.dictionaries(texts, texts))
_flat_events = st.builds(
    bare_event, user=_flat, properties=_flat, extra=st.just({}) | st.just({"more": {"a": "]}"}})
)


@given(
    st.lists(_flat_events, min_size=1, max_size=5),
    st.data(),
    st.sampled_from(["lines", "array", "array of lines", "body"]),
)
def test_an_event_cut_in_any_place_costs_no_other(
    some: list[Event], data: st.DataObject, layout: str
) -> None:
    written = [dump(event.to_dict()) for event in some]
    at = data.draw(st.integers(0, len(some) - 1))
    cut = data.draw(st.integers(1, len(written[at]) - 1))
    written[at] = written[at][:cut]
    text = {
        "lines": "\n".join(written),
        "array": f"[{','.join(written)}]",
        "array of lines": "[\n" + ",\n".join(written) + "\n]",
        "body": f'{{"events":[{",".join(written)}]}}',
    }[layout]
    expected = [event.to_dict() for event in some]
    del expected[at]
    found = values(text)
    assert [value for value in found if value in expected] == expected
    assert errors(text)


# Events of the values


def test_what_is_no_event_is_an_error_with_its_place() -> None:
    text = f'{dump(ONE)}\n{{"id": "x"}}\n5\n{{broken\n{dump(TWO)}\n'
    items = list(read_events(read_values(io.BytesIO(text.encode()), source="f")))
    assert [item for item in items if isinstance(item, Event)] == [
        Event.from_dict(ONE),
        Event.from_dict(TWO),
    ]
    told = [str(item) for item in items if isinstance(item, ReadError)]
    assert told[0] == "f:2: the event lacks event_type, time"
    assert told[1].startswith("f:3: an event is a JSON object")
    assert told[2].startswith("f:4: not JSON: ")
    assert len(items) == 5


# Files


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(dump(ONE), "utf-8")
    assert list(read_path(path)) == list(read_path(str(path))) == [Located(ONE, str(path), 1)]


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = types.SimpleNamespace(buffer=io.BytesIO(dump(ONE).encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert list(read_path("-")) == [Located(ONE, "<stdin>", 1)]


@pytest.mark.parametrize("name", ["missing.json", ".", "a\0b"])
def test_a_file_that_cannot_be_opened_is_told_at_once(tmp_path: Path, name: str) -> None:
    with pytest.raises(ReadError, match="cannot be read: ") as caught:
        read_path(tmp_path / name)
    assert caught.value.source == str(tmp_path / name)
    assert caught.value.line is None


@pytest.mark.parametrize("first", [dump(ONE), "[", "{broken"])
def test_a_failure_while_reading_is_told_behind_what_was_read(first: str) -> None:
    def lines() -> Iterator[bytes]:
        yield first.encode() + b"\n"
        raise OSError(5, "Input/output error")

    items = list(read_values(lines(), source="f"))
    assert str(items[-1]) == "f: cannot be read: Input/output error"
    assert items[:-1] == ([Located(ONE, "f", 1)] if first == dump(ONE) else [])


def test_an_error_without_a_reason_of_the_system_is_told_in_its_words() -> None:
    def lines() -> Iterator[bytes]:
        yield from ()
        raise OSError("gone")

    assert [str(item) for item in read_values(lines(), source="f")] == ["f: cannot be read: gone"]


def test_an_event_has_an_id_that_reads_back() -> None:
    event = bare_event(id=EVENT_ID)
    assert list(read_events(read_values([dump(event.to_dict()).encode()]))) == [event]


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"\x1f\x8b\x08\x00", "compressed by gzip"),
        (b"PK\x03\x04", "zip archive"),
        ("{}".encode("utf-16"), "UTF-16"),
    ],
)
def test_what_is_no_text_at_all_is_named(raw: bytes, says: str) -> None:
    (error,) = read(raw)
    assert isinstance(error, ReadError)
    assert says in str(error)
