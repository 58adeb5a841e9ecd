"""The lines of keys and values in TOML documents."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from currents_export.simulation._toml_lines import lines_of


def paths_in(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the paths of everything in a parsed document."""
    pairs: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list):
        pairs = enumerate(value)
    for key, inner in pairs:
        yield (*path, key)
        yield from paths_in(inner, (*path, key))


DOCUMENT = '''\
# a = 1
title = "a # b = [[c]]"   # comment
"quoted key" = 1
'literal "key"' = 2
dotted . "inner one".x = 3
time = 1979-05-27 07:32:00Z
text = """
not.a.key = 1 ""quotes""
\\"""""
raw = \'\'\'
[no.table]
\'\'\'
list = [ 1, [ 2, 3 ], # comment ]
  { a = 4, b.c = [5] },
  "six",
]
empty = {}
none = []

[table] # comment
x = 1.5e3
[table.inner]
y = true

[[shops]]
name = "first"
  [[shops.doors]]
  wide = 1
  [[shops.doors]]
  wide = 2
  [shops.owner]
  name = "Ann"
[[shops]]
[[shops.doors]]
wide = 3
'''


def test_every_path_has_a_line() -> None:
    lines = lines_of(DOCUMENT)
    assert set(paths_in(tomllib.loads(DOCUMENT))) == lines.keys()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("title",), "title ="),
        (("quoted key",), '"quoted key"'),
        (('literal "key"',), "'literal"),
        (("dotted", "inner one", "x"), "dotted"),
        (("time",), "time ="),
        (("text",), "text ="),
        (("raw",), "raw ="),
        (("list",), "list ="),
        (("list", 1, 1), "list ="),
        (("list", 2, "b", "c", 0), "  { a"),
        (("list", 3), '  "six"'),
        (("none",), "none ="),
        (("table",), "[table] #"),
        (("table", "inner", "y"), "y ="),
        (("shops",), "[[shops]]"),
        (("shops", 0, "doors", 1), "  [[shops.doors]]"),
        (("shops", 0, "doors", 1, "wide"), "  wide = 2"),
        (("shops", 0, "owner", "name"), '  name = "Ann"'),
        (("shops", 1, "doors", 0, "wide"), "wide = 3"),
    ],
)
def test_line_begins_with_the_key(path: tuple[str | int, ...], text: str) -> None:
    assert DOCUMENT.splitlines()[lines_of(DOCUMENT)[path] - 1].startswith(text)


def test_line_of_the_second_table() -> None:
    assert lines_of("[[a]]\n[[a]]\r\n\n[[ a ]]\nb=1") == {
        ("a",): 1,
        ("a", 0): 1,
        ("a", 1): 2,
        ("a", 2): 4,
        ("a", 2, "b"): 5,
    }


_keys = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=4)
_scalars = st.one_of(st.integers(-(2**62), 2**62), st.booleans(), st.floats(allow_nan=False), _keys)
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3),
    max_leaves=6,
)
_tables = st.dictionaries(_keys, _values, max_size=3)


def inline(value: Any) -> str:
    """Write a value in one line."""
    if isinstance(value, dict):
        return (
            "{ "
            + ", ".join(f"{quoted(key)} = {inline(each)}" for key, each in value.items())
            + " }"
        )
    if isinstance(value, list):
        return f"[{', '.join(map(inline, value))}]"
    return quoted(value) if isinstance(value, str) else repr(value).lower()


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


@given(_tables, st.dictionaries(_keys, st.lists(_tables, min_size=1, max_size=3), max_size=2))
@example({"'\"[#": {"]": "}, ="}}, {})
def test_generated_documents(top: dict[str, Any], arrays: dict[str, list[Any]]) -> None:
    written: list[str] = []
    expected: dict[tuple[str | int, ...], int] = {}
    for key, value in top.items():
        written.append(f"{quoted(key)} = {inline(value)}")
        expected |= dict.fromkeys([(key,), *paths_in(value, (key,))], len(written))
    for key, tables in arrays.items():
        name = f"array {key}"
        for number, table in enumerate(tables):
            written += ["# comment", f"[[{quoted(name)}]]"]
            expected.setdefault((name,), len(written))
            expected[name, number] = len(written)
            for inner, value in table.items():
                written.append(f"{quoted(inner)} = {inline(value)}")
                path: tuple[str | int, ...] = (name, number, inner)
                expected |= dict.fromkeys([path, *paths_in(value, path)], len(written))
    text = "\n".join(written)
    tomllib.loads(text)
    assert lines_of(text) == expected


@given(st.text("ab[]{}=.,\"'#\n 1\\", max_size=30))
def test_any_text_comes_to_an_end(text: str) -> None:
    """What is not TOML gives some lines, or none."""
    assert all(1 <= line <= text.count("\n") + 1 for line in lines_of(text).values())
