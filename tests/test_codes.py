from __future__ import annotations

import json
import pickle

import orjson
import pytest

from currents_export import Action, DropReason, FilterReason, NoticeKind, State
from currents_export._codes import Code

CODES: list[type[Code]] = [Action, DropReason, FilterReason, NoticeKind, State]
MEMBERS = [member for code in CODES for member in code]


@pytest.mark.parametrize("member", MEMBERS)
def test_code_is_its_lower_case_name(member: Code) -> None:
    assert member == member.value == str(member) == f"{member}" == member.name.lower()
    assert type(member)(member.value) is member


@pytest.mark.parametrize("member", MEMBERS)
def test_code_has_description(member: Code) -> None:
    assert member.description
    assert member.description.strip(" .") == member.description


@pytest.mark.parametrize("code", CODES)
def test_descriptions_are_unique(code: type[Code]) -> None:
    assert len({member.description for member in code}) == len(code)


@pytest.mark.parametrize("member", MEMBERS)
def test_code_is_json(member: Code) -> None:
    assert json.loads(json.dumps({member: member})) == {member.value: member.value}
    assert orjson.loads(orjson.dumps([member])) == [member.value]


@pytest.mark.parametrize("member", MEMBERS)
def test_code_survives_pickling(member: Code) -> None:
    assert pickle.loads(pickle.dumps(member)) is member


def test_unknown_code_is_value_error() -> None:
    with pytest.raises(ValueError, match="'gone' is not a valid DropReason"):
        DropReason("gone")
