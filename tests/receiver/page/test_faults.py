from __future__ import annotations

from typing import Any

import pytest

from currents_export.errors import OptionError
from currents_export.receiver import ScriptedResponse
from currents_export.receiver.page._faults import FaultKind, Faults


@pytest.mark.parametrize(
    ("values", "response"),
    [
        ({"kind": "503"}, ScriptedResponse(503)),
        ({"kind": "429", "seconds": 2.5}, ScriptedResponse(429, retry_after=2.5)),
        ({"kind": "400"}, ScriptedResponse(400)),
        ({"kind": "413"}, ScriptedResponse(413)),
        ({"kind": "401"}, ScriptedResponse(401)),
        ({"kind": "reset"}, ScriptedResponse("reset")),
        ({"kind": "slow", "seconds": 3}, ScriptedResponse("ok", delay=3)),
        ({"kind": "lost"}, ScriptedResponse("reset", keep=True)),
    ],
)
def test_responses(values: dict[str, Any], response: ScriptedResponse) -> None:
    faults = Faults()
    faults.switch(values)
    assert [faults.take() for _ in range(3)] == [response] * 3
    faults.switch({"kind": ""})
    assert faults.take() is None


def test_every_kind_has_a_response() -> None:
    for kind in FaultKind:
        faults = Faults()
        faults.switch({"kind": kind.value})
        assert faults.take() is not None


def test_next_requests() -> None:
    faults = Faults()
    assert faults.to_dict() is None
    faults.switch({"kind": "503", "times": 2})
    assert (faults.to_dict() or {})["left"] == 2
    assert [faults.take() is None for _ in range(3)] == [False, False, True]
    assert faults.to_dict() is None


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ([], "a fault is a JSON object"),
        ({"kind": "418"}, "kind must be one of 503, 429"),
        ({"kind": ["503"]}, "kind must be one of"),
        ({"kind": "503", "times": 0}, "times must be a whole number from 1"),
        ({"kind": "503", "times": "3"}, "times must be"),
        ({"kind": "503", "times": True}, "times must be"),
        ({"kind": "slow", "seconds": -1}, "seconds must be a number from 0"),
        ({"kind": "slow", "seconds": 3601}, "seconds must be"),
        ({"kind": "slow", "seconds": "1"}, "seconds must be"),
        ({"kind": "slow", "seconds": True}, "seconds must be"),
    ],
)
def test_wrong_values(values: Any, problem: str) -> None:
    faults = Faults()
    faults.switch({"kind": "503"})
    with pytest.raises(OptionError, match=problem):
        faults.switch(values)
    assert faults.take() == ScriptedResponse(503)
