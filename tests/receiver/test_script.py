from __future__ import annotations

from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.errors import ScriptError
from currents_export.receiver import ScriptedResponse, parse_script
from currents_export.receiver.script import play


@pytest.mark.parametrize(
    ("text", "response"),
    [
        ("503", ScriptedResponse(503)),
        ("200", ScriptedResponse(200)),
        ("599", ScriptedResponse(599)),
        ("503x3", ScriptedResponse(503, times=3)),
        ("503x*", ScriptedResponse(503, times=None)),
        ("ok", ScriptedResponse("ok")),
        ("okx2", ScriptedResponse("ok", times=2)),
        ("resetx*", ScriptedResponse("reset", times=None)),
        ("ok,delay=1.5", ScriptedResponse("ok", delay=1.5)),
        ("429x*,retry-after=2", ScriptedResponse(429, times=None, retry_after=2.0)),
        ("500,keep", ScriptedResponse(500, keep=True)),
        (
            " 500x2 , keep , delay=.5 , retry-after=0 ",
            ScriptedResponse(500, times=2, delay=0.5, retry_after=0.0, keep=True),
        ),
    ],
)
def test_parse(text: str, response: ScriptedResponse) -> None:
    assert parse_script(text) == response


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "'' is not a response; write it like 503, 503x3"),
        ("OK", "'OK' is not a response"),
        ("50", "'50' is not a response"),
        ("503 x3", "'503 x3' is not a response"),
        ("503x", "'503x' is not a response"),
        ("503x-1", "'503x-1' is not a response"),
        ("503x" + "9" * 5000, "is not a response"),
        ("199", "the response 199 must be a status from 200 to 599"),
        ("600", "the response 600 must be a status from 200 to 599"),
        ("503x0", "times is 0"),
        ("503,", "there is no option ''"),
        ("503,dely=1", "there is no option 'dely'; did you mean 'delay'?"),
        ("503,nonsense", "there is no option 'nonsense'; write it like"),
        ("503,delay", "'delay' is not valid; write it like"),
        ("503,delay=soon", "'delay=soon' is not valid; write it like"),
        ("503,delay=-1", "delay is -1.0; it must be seconds"),
        ("503,delay=nan", "delay is nan; it must be seconds"),
        ("503,retry-after=inf", "retry_after is inf; it must be seconds"),
        ("503,keep=yes", "'keep=yes' is not valid; write it like"),
        ("503,delay=1,delay=2", "delay occurs twice"),
        ("503,keep,keep", "keep occurs twice"),
    ],
)
def test_invalid_text(text: str, says: str) -> None:
    with pytest.raises(ScriptError) as caught:
        parse_script(text)
    assert says in str(caught.value)
    assert str(caught.value).startswith("scripted response ")
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("attributes", "says"),
    [
        ({"status": True}, "the response True"),
        ({"status": "503"}, "the response '503'"),
        ({"status": 503.0}, "the response 503.0"),
        ({"status": 10**5000}, "the response a value of type int"),
        ({"status": 503, "times": 0}, "times is 0"),
        ({"status": 503, "times": True}, "times is True"),
        ({"status": 503, "times": 1.5}, "times is 1.5"),
        ({"status": 503, "delay": None}, "delay is None"),
        ({"status": 503, "delay": True}, "delay is True"),
        ({"status": 503, "delay": "1"}, "delay is '1'"),
        ({"status": 503, "delay": 10**400}, "delay is 1000"),
        ({"status": 503, "retry_after": -0.1}, "retry_after is -0.1"),
    ],
)
def test_invalid_attributes(attributes: Any, says: str) -> None:
    with pytest.raises(ScriptError, match="must be") as caught:
        ScriptedResponse(**attributes)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("response", "takes"),
    [
        (ScriptedResponse("ok"), True),
        (ScriptedResponse(200), True),
        (ScriptedResponse(299), True),
        (ScriptedResponse(300), False),
        (ScriptedResponse(503), False),
        (ScriptedResponse(503, keep=True), True),
        (ScriptedResponse("reset"), False),
        (ScriptedResponse("reset", keep=True), True),
    ],
)
def test_takes_events(response: ScriptedResponse, takes: bool) -> None:
    assert response.takes_events is takes


PIECES = st.sampled_from(
    [*"x*3,=- 0_", "503", "200", "ok", "reset", "delay", "retry-after", "keep", "1.5", "nan"]
)


@given(st.text() | st.lists(PIECES).map("".join))
def test_any_text_is_handled(text: str) -> None:
    try:
        response = parse_script(text)
    except ScriptError as error:
        assert str(error).startswith("scripted response ")  # noqa: PT017 - both are allowed
    else:
        assert isinstance(response, ScriptedResponse)


SECONDS = st.floats(min_value=0, max_value=1e6)


@given(
    status=st.integers(min_value=200, max_value=599) | st.sampled_from(["ok", "reset"]),
    times=st.none() | st.integers(min_value=1, max_value=10**9),
    delay=st.none() | SECONDS,
    retry_after=st.none() | SECONDS,
    keep=st.booleans(),
    order=st.randoms(use_true_random=False),
)
def test_parse_any_order(
    *,
    status: Any,
    times: int | None,
    delay: float | None,
    retry_after: float | None,
    keep: bool,
    order: Any,
) -> None:
    head = f"{status}x{'*' if times is None else times}"
    options = [f"delay={delay!r}"] * (delay is not None)
    options += [f"retry-after={retry_after!r}"] * (retry_after is not None)
    options += ["keep"] * keep
    order.shuffle(options)
    assert parse_script(",".join([head, *options])) == ScriptedResponse(
        status, times=times, delay=delay or 0.0, retry_after=retry_after, keep=keep
    )


def test_play_in_order() -> None:
    one, two = ScriptedResponse(503, times=2), ScriptedResponse(429)
    assert list(play([one, two])) == [one, one, two]
    assert list(play([])) == []


def test_play_forever() -> None:
    forever = ScriptedResponse(503, times=None)
    assert list(islice(play([forever, ScriptedResponse(429)]), 50)) == [forever] * 50
