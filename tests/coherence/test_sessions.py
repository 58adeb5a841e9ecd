"""Rules 5 and 12: sessions and devices."""

from __future__ import annotations

from typing import Any

import pytest

from currents_export.events import Event
from tests.support.stories import DAY, TOKEN, codes, problems, step


def session(
    start: float, end: float | None, key: str = "s1", device: str = "phone", **fields: Any
) -> list[Event]:
    """Make the start and the end of a session."""
    about = {"session_id": key, "app_id": "ios"} | fields
    made = [step("app.SessionStart", start, device=device, **about)]
    if end is not None:
        about.setdefault("duration", end - start)
        made.append(step("app.SessionEnd", end, device=device, **about))
    return made


def seen(at: float, name: str = "inappmessage.Impression", **fields: Any) -> Event:
    """Make something that is seen on the phone."""
    return step(name, at, device="phone", app_id="ios", **fields)


def first(at: float, key: str = "s1", device: str = "phone", app: str = "ios") -> Event:
    """Make a first session."""
    return step("app.FirstSession", at, device=device, app_id=app, session_id=key)


@pytest.mark.parametrize(
    "story",
    [
        session(0, 60),
        session(0, 60, duration=60.9),
        session(0, 60, duration=None),
        session(0, 60) + session(60, 90, "s2"),
        session(0, 60) + session(30, 90, "s2", "pad"),
        session(0, None) + session(30, 90, "s2"),
        session(0, 0) + session(0, 60, "s2"),
        [first(0), *session(0, 60), seen(0), seen(30), seen(60)],
        [*session(0, None), seen(DAY)],
        [first(0), *session(0, 60), *session(90, 99, "s2", "pad"), first(90, "s2", "pad", "tv")],
    ],
)
def test_good_sessions(story: list[Event]) -> None:
    assert codes(story) == codes(story, whole=True) == []


@pytest.mark.parametrize("duration", [58, 62, 0, -60, 60_000])
def test_wrong_duration(duration: float) -> None:
    start, end = session(0, 60, duration=duration)
    assert problems([start, end]) == [("wrong_duration", end.id, start.id)]


@pytest.mark.parametrize("second", [session(30, 90, "s2"), session(30, 50, "s2")])
def test_overlap(second: list[Event]) -> None:
    start, end = session(0, 60)
    assert problems([start, end, *second]) == [("sessions_overlap", end.id, second[0].id)]


def test_repeated_start_and_end() -> None:
    start, end = session(0, 60)
    (again,) = session(30, None)
    assert problems([start, again, end]) == [("second_session_start", again.id, start.id)]
    later = step("app.SessionEnd", 70, session_id="s1")
    assert problems([start, end, later]) == [("second_session_end", later.id, end.id)]


def test_end_without_a_start() -> None:
    end = session(0, 60)[1]
    assert problems([end], whole=True) == [("no_session_start", end.id, None)]
    assert codes([end]) == []
    known = [step("behaviors.CustomEvent", -3 * DAY), *session(-3 * DAY, -2 * DAY, "s0"), end]
    assert codes(known) == ["no_session_start"]
    start = session(70, None)[0]
    assert problems([end, start]) == [("before_cause", end.id, start.id)]


def test_second_first_session() -> None:
    one, two = first(0), first(DAY, "s2", "pad")
    assert problems([one, two]) == [("second_first_session", two.id, one.id)]
    assert codes([one, first(DAY, "s2", app="tv")]) == []


def test_first_session_that_is_not_the_first() -> None:
    before, late = session(0, 60), first(DAY, "s2")
    assert problems([*before, late]) == [("before_first_session", late.id, before[0].id)]


def test_first_session_without_a_start() -> None:
    only = [first(0), step("behaviors.CustomEvent", 99, user="bob")]
    assert problems(only, whole=True) == [("no_session_start", only[0].id, None)]
    assert codes(only) == []


@pytest.mark.parametrize(
    "name",
    [
        "inappmessage.Impression",
        "contentcard.Dismiss",
        "banner.Impression",
        "featureflag.Impression",
    ],
)
def test_outside_a_session(name: str) -> None:
    start, end = session(0, 60)
    outside = seen(70, name)
    assert problems([start, end, outside]) == [("outside_session", outside.id, start.id)]
    assert codes([start, end, outside, *session(70, 80, "s2")]) == []
    assert codes([outside]) == []
    assert codes([outside], whole=True) == ["outside_session"]


def test_flag_twice_in_a_session() -> None:
    flag = {"feature_flag_id_name": "dark"}
    one, two = (seen(at, "featureflag.Impression", **flag) for at in (1, 9))
    story = [*session(0, 60), one, two]
    assert problems(story) == [("flag_seen_twice", two.id, one.id)]
    later = seen(75, "featureflag.Impression", **flag)
    assert codes([*session(0, 60), one, *session(70, 80, "s2"), later]) == []


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("17.4", "17.3.9", ["os_went_back"]),
        ("Android 14", "Android 13", ["os_went_back"]),
        ("10", "9", ["os_went_back"]),
        ("17.4", "17.10", []),
        ("17.0", "17", []),
        ("Android 14", "iOS 13", []),
        ("14 beta", "13", []),
    ],
)
def test_version_of_the_system(old: str, new: str, found: list[str]) -> None:
    about = {"device": "phone", "name": "Viewed", "platform": "android"}
    story = [
        step("behaviors.CustomEvent", 0, os_version=old, **about),
        step("behaviors.CustomEvent", 9, os_version=new, **about),
    ]
    assert codes(story) == found
    web = [
        step("behaviors.CustomEvent", at, os_version=v, device="b", platform="web")
        for at, v in ((0, old), (9, new))
    ]
    assert codes(web) == []


@pytest.mark.parametrize("field", ["platform", "device_model", "ad_id"])
def test_device_that_changes(field: str) -> None:
    about = {"platform": "ios", "device_model": "iPhone", "ad_id": "a", "os_version": "17"}
    one = step("behaviors.Location", 0, device="phone", **about)
    two = step("behaviors.Location", 9, device="phone", **about | {field: "other"})
    assert problems([one, two], whole=True) == [("device_changed", two.id, one.id)]
    assert codes([one, two]) == ([] if field == "ad_id" else ["device_changed"])
    assert codes([one, step("behaviors.Location", 9, device="pad", **about)]) == []


def token(user: str, at: float, change: str, ms: int | None = None) -> Event:
    """Make a change of the one push token."""
    return step(
        TOKEN, at, user=user, push_token="t", push_token_state_change_type=change, time_ms=ms
    )


def test_token_of_two_users() -> None:
    added, moved = token("ada", 0, "add", 0), token("bob", 60, "add", 60_000)
    later = step("behaviors.CustomEvent", 90)
    assert problems([added, moved, later]) == [("token_of_two", moved.id, added.id)]
    for ms, found in ((60_100, []), (59_950, []), (60_200, ["token_of_two"]), (None, [])):
        story = [added, moved, token("ada", 60, "remove", ms), later]
        assert codes(story) == found


def test_token_that_comes_and_goes() -> None:
    story = [token("ada", 0, "add"), token("ada", 5, "update"), token("ada", 9, "remove")]
    assert codes([*story, token("bob", 60, "add"), step("behaviors.CustomEvent", 99)]) == []
