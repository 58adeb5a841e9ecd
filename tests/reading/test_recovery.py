"""Recovery from broken input: one fault does not affect other lines or elements."""

from __future__ import annotations

from typing import Any

import attrs
import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from currents_export.errors import ReadError
from currents_export.events import Event
from currents_export.reading import Located
from tests.support.events import event
from tests.support.reading import ONE, THREE, TWO, dump, errors, read, values
from tests.support.strategies import texts

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


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("at", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "sound", [dump(TWO), dump([TWO]), dump({"events": [TWO]})], ids=["event", "array", "body"]
)
def test_broken_line(broken: str, at: int, sound: str) -> None:
    lines = [dump(ONE), sound, dump(THREE)]
    lines.insert(at, broken)
    text = "\n".join(lines) + "\n"
    assert values(text) == [ONE, TWO, THREE]
    assert [error.line for error in errors(text)] == [at + 1]


@pytest.mark.parametrize("broken", BROKEN)
def test_two_broken_lines_at_the_top(broken: str) -> None:
    text = "\n".join([broken, broken, dump([ONE]), dump({"events": [TWO]}), dump(THREE)])
    assert values(text) == [ONE, TWO, THREE]
    assert errors(text)


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize(("start", "end"), [("[\n", "\n]"), ('{"events": [\n', "\n]}\n")])
@pytest.mark.parametrize("indent", ["", "  "])
def test_broken_element_on_a_line(broken: str, at: int, start: str, end: str, indent: str) -> None:
    elements = [dump(ONE), dump(TWO)]
    elements.insert(at, broken)
    text = start + ",\n".join(f"{indent}{element}" for element in elements) + end
    assert values(text) == [ONE, TWO]
    # A string or a bracket that does not end is noticed later.
    assert at + 2 <= min(error.line or 0 for error in errors(text)) <= at + 3


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize(
    ("start", "end"), [("[", "]"), ('{"events":[', "]}"), ('[{"events":[', "]}]")]
)
@pytest.mark.parametrize("before", ["", '{"event_type": "before"}\n', '{"broken"\n{"broken\n'])
def test_broken_element_in_one_line(
    broken: str, at: int, start: str, end: str, before: str
) -> None:
    elements = [dump(ONE), dump(TWO)]
    elements.insert(at, broken)
    text = before + start + ",".join(elements) + end
    assert [value for value in values(text) if value != {"event_type": "before"}] == [ONE, TWO]
    assert before.count("\n") + 1 in [error.line for error in errors(text)]


@pytest.mark.parametrize("broken", ['{"id": "x" 1}', '{"id": [{"a": "]}"}, {"b": NaN}]}'])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_broken_element_whose_brackets_match(broken: str, at: int) -> None:
    others = [{"id": name, "event_type": name, "time": 1} for name in ("one", "two")]
    elements = [dump(other) for other in others]
    elements.insert(at, broken)
    assert values(f"[{','.join(elements)}]") == others
    assert len(errors(f"[{','.join(elements)}]")) == 1


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("start", ["[", '{"events": ['])
def test_broken_element_over_lines(at: int, start: str) -> None:
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
def test_wrong_brackets_and_commas(text: str, line: int) -> None:
    assert values(text) == [ONE, TWO]
    assert [error.line for error in errors(text)] == [line]


def test_invalid_utf_8_is_refused() -> None:
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


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, '[\n{"a":[' * 5_000])
def test_endless_nesting_is_refused(text: str) -> None:
    assert values(text) == []
    assert errors(text)


def test_plain_text_is_one_error() -> None:
    [error] = errors("hello there\nthis is a text, and no JSON\nat all\n")
    assert str(error).startswith("f:1: not JSON: ")


@given(st.binary(max_size=200))
@example(b"\xef\xbb\xbf\xef\xbb\xbf{}")
def test_any_bytes_can_be_read(raw: bytes) -> None:
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
def test_any_json_pieces_are_read(text: str) -> None:
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


# Events without arrays: an event cut inside one would take the next event as an element of it.
_flat = st.dictionaries(texts, texts | st.integers(-5, 5) | st.dictionaries(texts, texts))
_flat_events = st.builds(
    lambda **parts: attrs.evolve(event(), **parts),
    user=_flat,
    properties=_flat,
    extra=st.just({}) | st.just({"more": {"a": "]}"}}),
)


@given(
    st.lists(_flat_events, min_size=1, max_size=5),
    st.data(),
    st.sampled_from(["lines", "array", "array of lines", "body"]),
)
def test_event_cut_at_any_place(some: list[Event], data: st.DataObject, layout: str) -> None:
    written = [dump(each.to_dict()) for each in some]
    at = data.draw(st.integers(0, len(some) - 1))
    cut = data.draw(st.integers(1, len(written[at]) - 1))
    written[at] = written[at][:cut]
    text = {
        "lines": "\n".join(written),
        "array": f"[{','.join(written)}]",
        "array of lines": "[\n" + ",\n".join(written) + "\n]",
        "body": f'{{"events":[{",".join(written)}]}}',
    }[layout]
    expected = [each.to_dict() for each in some]
    del expected[at]
    found = values(text)
    assert [value for value in found if value in expected] == expected
    assert errors(text)


# Layouts that mislead


NESTED = {"event_type": "n", "id": "n", "time": 1, "properties": {"a": [[1], {"b": 2}]}}
INNER = {"event_type": "i", "id": "i", "time": 1, "properties": {"a": [1, ONE]}}


@pytest.mark.parametrize("broken", ['{"id": 1', '{"id": tru}', '{"id": [1}'])
@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("indent", [0, 1, 2])
def test_arrays_at_the_left_margin(broken: str, at: int, indent: int) -> None:
    elements = [dump(NESTED, indent=indent), dump(NESTED | {"id": "2"}, indent=indent)]
    elements.insert(at, broken)
    text = "[\n" + ",\n".join(elements) + "\n]"
    assert values(text) == [NESTED, NESTED | {"id": "2"}]
    assert len(errors(text)) == 1


def test_nested_event_belongs_to_its_parent() -> None:
    text = f"[{dump(INNER)}, {{bad}}, {dump(INNER)}, {dump(TWO)}"
    assert values(text) == [INNER, INNER, TWO]
    assert len(errors(text)) == 1


def test_sound_body_among_broken_elements() -> None:
    body = {"version": 2, "events": [ONE]}
    text = f"[{{bad}}, {dump(body)}, {dump({'events': [TWO], 'version': 2})}, {{bad}}]"
    assert values(text) == [ONE, TWO]
    assert len(errors(text)) == 2


def test_body_like_object_among_broken_elements() -> None:
    value = {"events": [1], "event_type": "x"}
    assert values(f"[{{bad}}, {dump(value)}]") == [value]


@pytest.mark.parametrize("indent", [None, 1])
def test_broken_body_among_bodies(indent: int | None) -> None:
    bodies = [{"events": [ONE, "BAD", TWO]}, {"events": [THREE]}]
    text = dump(bodies, indent=indent).replace('"BAD"', "{bad}")
    assert values(text) == [ONE, TWO, THREE]
    assert len(errors(text)) == 1


def test_broken_body_with_a_later_key() -> None:
    text = f'{{"events": [\n{dump(ONE)},\n{{bad}},\n{dump(TWO)}\n], "version": 1}}'
    assert values(text) == [ONE, TWO]
    assert [error.line for error in errors(text)] == [3, 5]


def test_line_break_in_a_string() -> None:
    broken = '{"event_type": "x", "text": "two\nlines"}'
    text = f"[\n{dump(ONE)},\n{broken},\n{dump(TWO)}\n]"
    assert values(text) == [ONE, TWO]
    assert [error.line for error in errors(text)] == [3]


def test_scalars_among_broken_elements() -> None:
    assert values('[1, "a, [", null, {bad}, -2.5, true]') == [1, "a, [", None, -2.5, True]


def test_text_cut_after_sound_values() -> None:
    text = "\n".join([dump(ONE, indent=2), dump([TWO], indent=2), "[", dump(THREE, indent=2)])
    assert values(text) == [ONE, TWO, THREE]
    assert len(errors(text)) == 1
