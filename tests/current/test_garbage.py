"""Any input results in a Current or a `CurrentError`."""

from __future__ import annotations

import string
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from currents_export._config import ENVIRONMENT_PREFIX
from currents_export.current import Current, Region
from currents_export.errors import CurrentError
from currents_export.payload import Transformation
from tests.current.test_file import TOML
from tests.support.currents import CUSTOM, FIELDS, NAMES, RUDDERSTACK, form, load, variables
from tests.support.strategies import Hostile, Unshowable, garbage

pytestmark = pytest.mark.filterwarnings("ignore::currents_export.current.CurrentsExportWarning")

_names = st.sampled_from([*FIELDS, "key_file", "bearer_token_file"])
_garbage = garbage | st.sampled_from([Hostile([1]), Unshowable(), Region.EU, Transformation.HASH])


@given(
    st.dictionaries(st.sampled_from(FIELDS), _garbage, max_size=4),
    st.sampled_from([RUDDERSTACK, CUSTOM, NAMES]),
)
@example({"event_types": [1, []], "schema_version": []}, RUDDERSTACK)
def test_values_of_any_kind(values: dict[str, Any], base: dict[str, Any]) -> None:
    try:
        made = form(base, **values)
    except CurrentError as error:
        assert error.problems  # noqa: PT017 - either outcome is right
    else:
        assert made.selected
        assert isinstance(hash(made), int)
        assert repr(made).startswith("Current(")


_toml_scalars = st.one_of(
    st.integers(-(2**70), 2**70).map(str),
    st.floats().map(str),
    st.booleans().map(lambda value: str(value).lower()),
    st.text(string.printable, max_size=10).map(lambda text: "'" + text.replace("'", "") + "'"),
    st.sampled_from(
        [
            *("1979-05-27", "07:32:00", "1979-05-27T07:32:00Z", "[]", "{}", "[1, 'a']", "{a = 1}"),
            *("0x" + "f" * 5000, "'*'", "['*']", "[[]]", "[{}]", "{gender = 'hash'}", "nan"),
        ]
    ),
)
_lines = st.builds(
    "{}{} = {}\n".format, _names, st.sampled_from(["", "", "", ".a", ".b.c"]), _toml_scalars
)
_tables = st.builds("[{}{}]\na = {}\n".format, _names, st.sampled_from(["", ".b"]), _toml_scalars)


@given(
    st.lists(_lines, max_size=5, unique_by=lambda line: line.split(".")[0].split(" ")[0]),
    st.lists(_tables, max_size=2),
    st.sampled_from(["", TOML.partition("\nregion")[0] + "\n"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_toml_of_any_kind(tmp_path: Path, lines: list[str], tables: list[str], head: str) -> None:
    try:
        made = load(tmp_path, head + "".join(lines) + "".join(tables))
    except CurrentError as error:
        assert str(tmp_path) in str(error)  # noqa: PT017 - either outcome is right
        assert "QZX" not in str(error)  # noqa: PT017
    else:
        assert made.selected


@given(st.binary(max_size=100) | st.text(max_size=100).map(lambda t: t.encode(errors="replace")))
def test_bytes_of_any_kind(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory, pytest.raises(CurrentError) as caught:
        load(Path(directory), raw)
    assert caught.value.problems


_texts = st.text(st.characters(exclude_characters="\0"), max_size=20)


@given(st.dictionaries(_names.map(str.upper) | st.text(max_size=5), _texts))
def test_environment_of_any_kind(values: dict[str, str]) -> None:
    environ = {f"{ENVIRONMENT_PREFIX}{name}": value for name, value in values.items()}
    try:
        made = Current.load(environ=variables(**RUDDERSTACK) | environ)
    except CurrentError as error:
        assert error.problems  # noqa: PT017 - either outcome is right
    else:
        assert made.selected
