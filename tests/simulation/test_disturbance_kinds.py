"""What each kind of disturbance does."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.catalog import Catalog, check_event
from currents_export.errors import OptionError
from currents_export.payload import encode_event
from currents_export.simulation import SAMPLE_TIME, World
from currents_export.simulation.answer_key import KeyRecord
from currents_export.simulation.disturbances import (
    Burst,
    Disturbance,
    Drift,
    Duplicate,
    Gap,
    Late,
    MissingExternalUserId,
    NullNames,
    OpenBeforeSend,
    OutOfOrder,
    disturb,
)
from tests.support.events import CLICK, OPEN, SEND
from tests.support.keyed import OF_KIND, START, Pair, arrival, disturbed, many, pair, streams
from tests.support.traffic import NEWEST


def marked(found: list[Pair], kind: str) -> list[Pair]:
    return [item for item in found if kind in item[1].disturbances]


@pytest.mark.parametrize(
    "kind",
    [
        Late(share=0.1),
        OutOfOrder(share=0.1),
        Duplicate(share=0.1),
        OpenBeforeSend(share=0.1),
        MissingExternalUserId(share=0.1),
        Drift(share=0.1),
    ],
    ids=lambda kind: kind.kind,
)
def test_share_of_events(kind: Disturbance) -> None:
    assert 330 < len(marked(disturbed(many(4000), kind), kind.kind)) < 470


# Arrivals


@given(streams(), st.sampled_from(["late", "out_of_order"]), st.data())
def test_delay_is_within_its_limits(stream: list[Pair], kind: str, data: st.DataObject) -> None:
    moving = data.draw(OF_KIND[kind])
    assert isinstance(moving, Late | OutOfOrder)
    before = {event.id: event for event, _ in stream}
    for event, record in disturbed(stream, moving):
        assert event is before[event.id]
        assert (record.arrival is None) == (record.disturbance is None)
        if record.arrival is not None:
            assert moving.at_least <= record.arrival - event.time <= moving.up_to


def test_whole_range_of_delays_occurs() -> None:
    found = disturbed(many(300), Late(share=1, at_least=2, up_to=4))
    assert {arrival(item) - item[0].time for item in found} == {2, 3, 4}


def test_delay_of_nothing_is_not_marked() -> None:
    found = disturbed(many(100), Late(share=1, at_least=0, up_to=1))
    assert {(record.disturbance, record.arrival is None) for _, record in found} == {
        (None, True),
        ("late", False),
    }


def test_out_of_order_events_change_places() -> None:
    stream = many(1000, every=5)
    found = disturbed(stream, OutOfOrder(share=0.2, up_to="1m"))
    order = [event.id for event, _ in found]
    assert order != [event.id for event, _ in stream]
    for place, (event, _) in enumerate(stream):
        assert abs(order.index(event.id) - place) <= 12


@given(streams(), OF_KIND["duplicate"])
def test_duplicates_have_the_same_bytes(stream: list[Pair], duplicate: Duplicate) -> None:
    found = disturbed(stream, duplicate, Drift(share=0.5), NullNames(share=0.5))
    first: dict[str, tuple[bytes, int]] = {}
    for item in found:
        event, record = item
        if "duplicate" not in record.disturbances:
            assert event.id not in first
            first[event.id] = encode_event(event), arrival(item)
        else:
            body, arrived = first[event.id]
            assert encode_event(event) == body
            assert duplicate.at_least <= arrival(item) - arrived <= duplicate.up_to


def test_duplicate_has_a_record_of_its_own() -> None:
    (_, record), (_, copy) = disturbed([pair()], Duplicate(share=1))
    assert record.disturbance is None
    assert copy.disturbance == "duplicate"
    assert copy.arrival is not None
    assert copy.id == record.id


def test_copies_are_not_copied() -> None:
    found = disturbed([pair()], Duplicate(share=1), Duplicate(share=1))
    assert [record.disturbance for _, record in found] == [None, "duplicate", "duplicate"]


@given(streams(), OF_KIND["gap"])
def test_nothing_arrives_in_a_gap(stream: list[Pair], gap: Gap) -> None:
    found = disturbed(stream, gap)
    for item in marked(found, "gap"):
        end = arrival(item)
        assert end - gap.lasting <= item[0].time < end
        inside = [each for each in found if end - gap.lasting <= each[0].time < end]
        if gap.event_types == ("*",):
            assert {arrival(each) for each in inside} == {end}


def test_gap_is_where_it_is_said() -> None:
    found = disturbed(many(10), Gap(at="3m", lasting="3m"))
    after = [arrival(item) - START for item in found]
    assert after == [0, 60, 120, 360, 360, 360, 360, 420, 480, 540]
    assert [record.disturbance for _, record in found][2:7] == [None, *["gap"] * 3, None]
    assert [event.id for event, _ in found] == [event.id for event, _ in many(10)]


@given(streams(), OF_KIND["burst"])
def test_burst_is_short(stream: list[Pair], burst: Burst) -> None:
    for item in marked(disturbed(stream, burst), "burst"):
        arrived = arrival(item)
        assert item[0].time < arrived <= item[0].time + burst.lasting
        if burst.at is None:
            end = item[0].time - item[0].time % burst.lasting + burst.lasting
            assert end - burst.within <= arrived <= end


def test_burst_keeps_the_order() -> None:
    found = disturbed(many(120), Burst(at=0, lasting="1h", within="1m"))
    after = [arrival(item) - START for item in found]
    assert after[:60] == list(range(3540, 3600))
    assert after[60:] == [number * 60 for number in range(60, 120)]
    assert [event.id for event, _ in found] == [event.id for event, _ in many(120)]


def test_burst_as_long_as_its_stretch_is_none() -> None:
    stream = many(120)
    assert disturbed(stream, Burst(lasting="1h", within="1h")) == stream


def test_stretches_are_drawn() -> None:
    found = disturbed(many(3000, every=1200), Gap(share=0.25))
    hours = {item[0].time // 3600: item[1].disturbance for item in found}
    assert 200 < Counter(hours.values())["gap"] < 300


# Contents


@given(streams(), OF_KIND["open_before_send"])
def test_open_precedes_its_send(stream: list[Pair], skew: OpenBeforeSend) -> None:
    before = {event.id: event for event, _ in stream}
    for event, record in marked(disturbed(stream, skew), skew.kind):
        assert record.event_type.endswith(".Open")
        assert record.sent_at is not None
        assert 1 <= record.sent_at - event.time <= skew.up_to
        assert record.arrival == before[event.id].time


def test_open_without_a_known_send_stays() -> None:
    stream = [pair(sent_at=None)]
    assert disturbed(stream, OpenBeforeSend(share=1)) == stream


def names_by_hour(found: list[Pair]) -> dict[tuple[str, int], set[str | None]]:
    by_hour: dict[tuple[str, int], set[str | None]] = {}
    for event, _ in found:
        properties = event.properties
        hour = (properties["campaign_id"], (event.time - START) // 3600)
        by_hour.setdefault(hour, set()).add(properties["campaign_name"])
    return by_hour


def test_names_are_null_for_an_hour() -> None:
    """A campaign that is renamed has another name afterwards, until the next rename."""
    found = disturbed(many(60 * 200, every=60), NullNames(share=0.25))
    by_hour = names_by_hour(found)
    assert all(len(names) == 1 for names in by_hour.values())
    names = [name for (name,) in by_hour.values()]
    renamed = [hour for hour, name in enumerate(names) if name is None]
    assert 4 < len(renamed) < 9
    for hour in renamed[1:]:
        assert names[hour - 1] != names[hour + 1]
    assert len(set(names)) > len(renamed)
    kinds = {event.properties["campaign_name"]: record.disturbance for event, record in found}
    assert kinds.pop(None) == "null_names"
    assert set(kinds.values()) == {None, "renamed"}


def test_names_are_null_for_less() -> None:
    names = NullNames(share=1, lasting="10m")
    by_hour = names_by_hour(disturbed(many(60 * 30, every=60), names))
    assert {None, "The campaign-1 v2"} == by_hour["campaign-1", 0]
    assert by_hour["campaign-1", 1] == {"The campaign-1 v2"}


def test_names_are_null_after_the_making() -> None:
    made = {"campaign-1": START + 7200 - 600}
    stream = [pair(number, time=START + 7200 + number * 60) for number in range(120)]
    found = [*disturb(stream, [NullNames(share=0)], seed=1, catalog=NEWEST, start=START, made=made)]
    nulls = [event.properties["campaign_name"] is None for event, _ in found]
    assert nulls == [True] * 50 + [False] * 70


def test_campaigns_are_renamed_apart() -> None:
    stream = [
        pair(number, time=START + number * 1800, campaign=f"campaign-{number % 2}")
        for number in range(200)
    ]
    by_hour = names_by_hour(disturbed(stream, NullNames(share=0.5)))
    renamed = {key for key, names in by_hour.items() if None in names}
    first, second = (
        {hour for name, hour in renamed if name == f"campaign-{number}"} for number in (0, 1)
    )
    assert first
    assert second
    assert first != second


def test_all_names_of_a_canvas_are_null() -> None:
    ((event, record),) = disturbed([pair(campaign=None, canvas="canvas-1")], NullNames(share=1))
    assert event.properties["canvas_name"] is event.properties["canvas_step_name"] is None
    assert event.properties["email_address"]
    assert record.disturbance == "null_names"


def test_null_names_conform() -> None:
    """The fields that become null may be null in every type that has them."""
    world = World(1)
    stream = []
    for name in world.catalog:
        event = world.sample(name, time=SAMPLE_TIME)
        stream.append((event, KeyRecord(event.id, name, campaign="campaign-1")))
    found = [*disturb(stream, [NullNames(share=1)], seed=1, catalog=world.catalog)]
    assert len(marked(found, "null_names")) > 20
    for event, _ in found:
        assert check_event(world.catalog, event.to_dict()) == []


def test_event_without_names_is_not_marked() -> None:
    stream = [pair(campaign=None)]
    assert disturbed(stream, NullNames(share=1)) == stream
    without = disturbed([pair()], NullNames(share=1))
    assert disturbed(without, NullNames(share=1)) == without


def test_external_user_id_is_missing() -> None:
    ((event, record),) = found = disturbed([pair()], MissingExternalUserId(share=1))
    assert event.user == {"user_id": pair()[0].user["user_id"]}
    assert (record.disturbance, record.arrival) == ("missing_external_user_id", None)
    assert disturbed(found, MissingExternalUserId(share=1)) == found


@pytest.mark.parametrize(("given", "name"), [(None, "new_field"), ("surprise", "surprise")])
def test_drift_of_a_field(given: str | None, name: str) -> None:
    ((event, record),) = disturbed([pair()], Drift(share=1, change="field", name=given))
    assert event.properties.keys() - pair()[0].properties.keys() == {name}
    assert record.disturbance == "drift"
    unknown = [
        finding.field
        for finding in check_event(Catalog.load(), event.to_dict())
        if finding.code == "unknown_field"
    ]
    assert unknown == [f"properties.{name}"]


def test_drift_keeps_a_field_that_exists() -> None:
    stream = [pair()]
    assert disturbed(stream, Drift(share=1, name="email_address")) == stream


@pytest.mark.parametrize(
    ("given", "name"), [(None, f"{OPEN}V2"), ("users.messages.x.Open", "users.messages.x.Open")]
)
def test_drift_of_an_event_type(given: str | None, name: str) -> None:
    ((event, record),) = disturbed([pair()], Drift(share=1, change="event_type", name=given))
    assert event.event_type == name
    assert record.event_type == OPEN
    assert (event.id, event.properties) == (pair()[0].id, pair()[0].properties)


def test_drift_to_newer_versions() -> None:
    """Every event has the fields of the newest version; nothing else is wrong with it."""
    newest, old = Catalog.load(), Catalog.load(1)
    world = World(1, catalog=old)
    stream = []
    for name in old:
        event = world.sample(name, time=SAMPLE_TIME)
        stream.append((event, KeyRecord(event.id, name)))
    found = disturbed(stream, Drift(share=1, change="version"), version=1)
    grown = 0
    for event, _ in found:
        codes = {finding.code for finding in check_event(old, event.to_dict())}
        if "new_field" not in event.properties:
            grown += 1
            assert codes == {"not_in_schema_version"}
            assert check_event(newest, event.to_dict()) == []
    assert grown > 10


def test_drift_beyond_the_newest_version() -> None:
    ((event, _),) = disturbed([pair()], Drift(share=1, change="version"))
    assert "new_field" in event.properties


def test_drift_begins_in_the_middle() -> None:
    found = disturbed(many(10), Drift(share=1, at="5m"))
    assert [record.disturbance for _, record in found] == [None] * 5 + ["drift"] * 5


@pytest.mark.parametrize("change", ["fields", None, 5])
def test_drift_is_checked(change: str) -> None:
    with pytest.raises(ValueError, match="change"):
        Drift(share=1, change=change)  # type: ignore[arg-type] # it is refused


@pytest.mark.parametrize(
    ("kind", "settings", "says"),
    [
        (Late, {"share": 1, "up_to": 0}, "up_to: it must be longer than 0 seconds"),
        (Late, {"share": 1, "at_least": "2h", "up_to": "1h"}, "at_least: 7200 s is longer than"),
        (Duplicate, {"share": 1, "up_to": "soon"}, "'soon' is not a duration"),
        (OpenBeforeSend, {"share": 1, "up_to": 0}, "up_to: it must be longer"),
        (NullNames, {"share": 1, "lasting": 0}, "lasting: it must be longer"),
        (Gap, {"lasting": 0}, "lasting: it must be longer"),
        (Gap, {"at": "1h", "share": 0.5}, "share: it must be 1"),
        (Burst, {"within": "2h", "lasting": "1h"}, "within: 7200 s is longer than lasting"),
        (Burst, {"at": "noon"}, "'noon' is neither a time"),
    ],
)
def test_settings_are_checked(
    kind: type[Disturbance], settings: dict[str, object], says: str
) -> None:
    with pytest.raises(OptionError, match=says):
        kind(**settings)  # type: ignore[arg-type] # some have wrong types


def test_send_is_not_an_open() -> None:
    stream = [pair(0, SEND), pair(1, CLICK)]
    assert disturbed(stream, OpenBeforeSend(share=1)) == stream
