"""The checker: order, duplicates, gaps, hostile input, and memory."""

from __future__ import annotations

import gc
import random
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.catalog import Catalog, check_event, read_table
from currents_export.coherence import (
    DEFAULT_WINDOW,
    CoherenceRule,
    IncoherenceCode,
    StreamChecker,
    check_stream,
)
from currents_export.errors import CatalogError, OptionError
from currents_export.events import Event
from tests.support.stories import DAY, HOUR, MAIL, STORIES, codes, everyone, problems, step
from tests.support.strategies import any_events, garbage, json_values
from tests.support.tables import CopiedTables

CATALOG = Catalog.load()
WHOLE = everyone()

#: A stream in which many rules are broken.
BROKEN = sorted(
    [event for event in WHOLE if not event.event_type.endswith(("Send", "Entry", "SessionStart"))]
    + [step("email.Send", 3 * DAY, user="newsletter", **MAIL | {"dispatch_id": "d-x"})]
    + [step("behaviors.CustomEvent", 2 * DAY, user="goodbye")],
    key=lambda event: event.time,
)


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize("whole", [False, True])
def test_stories_are_coherent(name: str, whole: bool) -> None:
    assert [str(each) for each in check_stream(STORIES[name]("ada"), whole=whole)] == []


@pytest.mark.parametrize("whole", [False, True])
def test_all_stories_together(whole: bool) -> None:
    assert codes(WHOLE, whole=whole) == []
    assert len(codes(BROKEN, whole=True)) > 20


def test_stories_use_the_fields_of_the_catalog() -> None:
    """A rule that reads a field which the type does not have would never find anything."""
    unknown = {
        (each.event_type, each.field)
        for event in WHOLE
        for each in check_event(CATALOG, event)
        if each.code in ("unknown_event_type", "unknown_field", "wrong_part")
    }
    assert unknown == set()


@given(st.data())
def test_beginning_is_unknown(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(WHOLE)))
    assert codes(WHOLE[start:]) == []


@given(st.sets(st.sampled_from(sorted({event.event_type for event in WHOLE}))))
def test_some_types_are_missing(missing: set[str]) -> None:
    """A stream without some types has no missing causes; what it shows can still be too much."""
    kept = [event for event in WHOLE if event.event_type not in missing]
    demanded = {"no_cause", "no_entry", "no_receipt", "no_session_start", "no_outbound"}
    assert not demanded & {*codes(kept)}


def jittered(events: list[Event], seed: int, window: int) -> list[Event]:
    """Return events in another order, none later than the window allows."""
    draw = random.Random(seed)
    return sorted(events, key=lambda event: event.time + draw.randint(0, window))


@given(st.integers(), st.sampled_from([False, True]))
def test_order_within_the_window(seed: int, whole: bool) -> None:
    mixed = jittered(BROKEN, seed, DEFAULT_WINDOW)
    assert problems(mixed, whole=whole) == problems(BROKEN, whole=whole)
    assert codes(jittered(WHOLE, seed, DEFAULT_WINDOW), whole=whole) == []


@given(st.integers())
def test_events_that_are_too_late(seed: int) -> None:
    """Nothing is concluded about users whose events came too late."""
    checker = StreamChecker(whole=True)
    mixed = jittered(WHOLE, seed, 3 * DEFAULT_WINDOW)
    found = [each for event in mixed for each in checker.feed(event)] + [*checker.finish()]
    on_time: dict[str, int] = {}
    newest, late = 0, set()
    for event in mixed:
        newest = max(newest, event.time)
        if event.time < newest - DEFAULT_WINDOW:
            late.add(event.user["user_id"])
            on_time[event.user["user_id"]] = event.time
    assert (checker.late > 0) <= bool(late)
    assert {each.user_id for each in found} <= late


def test_late_event_is_counted() -> None:
    checker = StreamChecker(window=HOUR)
    events = [step("email.Open", 0, **MAIL), step("email.Open", 3 * HOUR, **MAIL)]
    events += [step("email.Open", 5 * HOUR, **MAIL), step("email.Open", 1, **MAIL)]
    assert [each for event in events for each in checker.feed(event)] == []
    assert (checker.late, checker.repeated) == (1, 0)


def test_past_is_unknown_after_a_late_event() -> None:
    late = [
        step("email.Bounce", 0, **MAIL),
        step("sms.Send", DAY, user="bob"),
        step("sms.Send", 2 * DAY, user="bob"),
        step("profile.Update", 9, email_address="ada@example.com"),
    ]
    sent = step("email.Send", 3 * DAY, **MAIL | {"dispatch_id": "d2"})
    assert codes([*late[:3], sent]) == ["sent_while_silent"]
    assert codes([*late, sent]) == []


@given(st.lists(st.integers(0, len(BROKEN) - 1), max_size=9))
def test_repeated_events_change_nothing(again: list[int]) -> None:
    repeated = BROKEN + [BROKEN[at] for at in again]
    checker = StreamChecker(whole=True)
    found = [each for event in repeated for each in checker.feed(event)] + [*checker.finish()]
    assert [each.code for each in found] == codes(BROKEN, whole=True)
    assert (checker.repeated, checker.late) == (len(again), 0)


def test_window_of_a_busy_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("currents_export.coherence._order.MAX_HELD", 3)
    checker = StreamChecker()
    for number in range(9):
        assert list(checker.feed(step("email.Open", number, **MAIL))) == []
    assert list(checker.feed(step("email.Open", 0, number=1, **MAIL))) == []
    assert checker.late == 1


def test_ids_are_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("currents_export.coherence._order.MAX_REMEMBERED", 2)
    checker = StreamChecker()
    events = [step("behaviors.Location", at) for at in range(6)]
    for event in [*events, events[5], events[2], events[0]]:
        assert list(checker.feed(event)) == []
    assert checker.repeated == 2


def test_negative_window() -> None:
    with pytest.raises(OptionError, match="window is -1; it must be 0 or more seconds"):
        StreamChecker(window=-1)


_TYPES = sorted(CATALOG)
_FIELDS = sorted({field.name for name in _TYPES for field in CATALOG[name].fields.values()})
_VALUES = st.sampled_from(["a", "b", 1, 0.5, None, True, "Unsubscribed", "add", "remove"])

#: Events of real types that share users, ids and times.
tangled = st.builds(
    Event,
    event_type=st.sampled_from(_TYPES),
    time=st.integers(0, 40 * DAY).map(lambda time: 1_780_000_000 + time // 9 * 9),
    user=st.dictionaries(st.sampled_from(["user_id", "device_id"]), st.sampled_from(["a", "b"])),
    properties=st.dictionaries(st.sampled_from(_FIELDS), _VALUES | json_values),
)


@given(st.lists(tangled | any_events, max_size=30), st.booleans(), st.randoms())
def test_any_events(events: list[Event], whole: bool, draw: random.Random) -> None:
    found = problems(events, whole=whole, window=50 * DAY)
    assert {each[1] for each in found} <= {event.id for event in events}
    mixed = [*events]
    draw.shuffle(mixed)
    in_range = all(0 < event.time < 4_102_444_800 for event in events)
    ids = {event.id for event in events}
    if in_range and len(ids) == len(events):
        assert problems(mixed, whole=whole, window=50 * DAY) == found


@given(
    st.lists(
        garbage
        | st.fixed_dictionaries(
            {"event_type": st.sampled_from(_TYPES) | garbage},
            optional={
                "id": garbage,
                "time": st.integers(0, 2**33) | garbage,
                "user": garbage | st.dictionaries(st.sampled_from(["user_id"]), garbage),
                "properties": garbage | st.dictionaries(st.sampled_from(_FIELDS), garbage),
            },
        ),
        max_size=9,
    ),
    st.booleans(),
)
def test_garbage(values: list[Any], whole: bool) -> None:
    for finding in check_stream(values, whole=whole):
        assert str(finding)


def test_json_events() -> None:
    """Events can be JSON objects; an id is not needed, and nor is `user_id`."""
    bounced = {"email_address": "ada@example.com"}
    events: list[Mapping[str, Any]] = [
        {
            "event_type": f"users.messages.email.{last}",
            "time": time,
            "user": {"external_user_id": "ada"},
            "properties": bounced,
        }
        for last, time in (("Bounce", 1e9), ("Send", 1e9 + 9))
    ]
    (finding,) = check_stream(events)
    assert (finding.code, finding.event_id, finding.user_id) == ("sent_while_silent", None, "ada")


def test_finding() -> None:
    bounce = step("email.Bounce", 0, **MAIL)
    sent = step("email.Send", DAY, **MAIL | {"dispatch_id": "d2"})
    checker = StreamChecker()
    assert list(checker.feed(bounce, where="a.jsonl:1")) == []
    found = [*checker.feed(sent, where="a.jsonl:2"), *checker.finish()]
    assert len(found) == 1
    assert str(found[0]) == (
        f"incoherent: {sent.event_type} {sent.id}: it was sent after a hard bounce of the same "
        f"address ({bounce.id}); no marketing message goes out until the state changes back"
    )
    assert found[0].rule is CoherenceRule.SILENCE
    assert found[0].where == "a.jsonl:2"
    assert found[0].to_dict() == {
        "code": "sent_while_silent",
        "rule": "silence",
        "event_type": sent.event_type,
        "event_id": sent.id,
        "time": sent.time,
        "user_id": "ada",
        "problem": "it was sent after a hard bounce of the same address",
        "expected": "no marketing message goes out until the state changes back",
        "other_id": bounce.id,
    }


def test_codes() -> None:
    assert {code.rule for code in IncoherenceCode} == {*CoherenceRule}
    for code in IncoherenceCode:
        assert code.description
        assert IncoherenceCode(code.value) is code


def test_findings_contain_no_other_personal_data() -> None:
    told = [str(each) for each in check_stream(BROKEN, whole=True)]
    assert not [each for each in told if "@" in each]


@pytest.mark.parametrize(
    ("table", "cells", "problem"),
    [
        ("causes.tsv", {"within": "soon"}, "within is 'soon'; it must be a time such as 30m"),
        ("causes.tsv", {"demanded": "no"}, "demanded is 'no'; it must be yes or whole"),
        ("causes.tsv", {"code": "no_luck"}, "code is 'no_luck'; it must be one of no_cause"),
        ("causes.tsv", {"causes": ""}, "causes is empty"),
        ("causes.tsv", {"causes": "Send|users.canvas.Entry"}, "use a row for each"),
        ("fates.tsv", {"when": "later"}, "when is 'later'; it must be ever or after"),
    ],
)
def test_invalid_table(
    tables: CopiedTables, table: str, cells: dict[str, str], problem: str
) -> None:
    good = {
        "causes.tsv": {
            "effect": "users.fax.Read",
            "causes": "Send",
            "links": "message",
            "within": "3d",
            "demanded": "yes",
            "code": "no_cause",
        },
        "fates.tsv": {"fate": "users.fax.Read", "excludes": "Torn", "when": "ever"},
    }
    tables.add(table, **good[table] | cells)
    with pytest.raises(CatalogError, match=problem):
        check_stream([], catalog_dir=tables.directory).__next__()


def test_rows_of_a_new_channel(tables: CopiedTables) -> None:
    tables.add(
        "causes.tsv",
        effect="users.messages.fax.Read",
        causes="Send",
        links="message|dispatch_id",
        within="30m",
        demanded="yes",
        code="no_cause",
    )
    tables.add("fates.tsv", fate="users.messages.fax.Read", excludes="Torn", when="ever")
    sent, read = (step(f"users.messages.fax.{last}", 9, **MAIL) for last in ("Send", "Read"))
    torn = step("users.messages.fax.Torn", 9, **MAIL)
    own: dict[str, Any] = {"catalog_dir": tables.directory, "whole": True}
    assert codes([sent, read], **own) == []
    assert codes([read], **own) == ["no_cause"]
    assert codes([sent, read, torn], **own) == ["two_fates"]


def test_types_of_the_tables_exist() -> None:
    for table, column in (("causes.tsv", "effect"), ("fates.tsv", "fate")):
        for row in read_table(table):
            assert any(fnmatchcase(name, row[column]) for name in CATALOG), row.place


@pytest.mark.parametrize("whole", [False, True])
def test_forgetting_changes_nothing(monkeypatch: pytest.MonkeyPatch, whole: bool) -> None:
    expected = problems(BROKEN, whole=whole)
    monkeypatch.setattr("currents_export.coherence.checker._SWEEP", 1)
    assert problems(BROKEN, whole=whole) == expected
    assert codes(WHOLE, whole=whole) == []


def test_endless_types(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("currents_export.coherence.checker._MAX_KINDS", 3)
    made_up = [step(f"users.x{number}", number) for number in range(9)]
    bounce = [step("email.Bounce", -9, **MAIL), step("email.Send", -8, **MAIL)]
    assert codes([*bounce, *made_up]) == ["before_cause", "sent_while_silent"]
    assert (
        codes([*made_up, *(step(f"email.{last}", 20, **MAIL) for last in ("Bounce", "Send"))]) == []
    )


def endless(users: int, count: int) -> Iterator[Event]:
    """Yield the sends, deliveries and opens of many days."""
    for number in range(count):
        user, day = f"u{number % users}", number // users
        fields = {"campaign_id": "c", "dispatch_id": f"d{day}"}
        for at, last in enumerate(("Send", "Delivery", "Retry" if day % 2 else "Deferral")):
            yield Event(
                f"users.messages.sms.{last}",
                1_700_000_000 + day * DAY + at,
                {"user_id": user},
                fields,
                f"{number}-{at}",
            )


def test_memory_does_not_grow_with_the_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("currents_export.coherence.checker._SWEEP", 1000)
    monkeypatch.setattr("currents_export.coherence._order.MAX_REMEMBERED", 1000)
    checker, kept = StreamChecker(), []
    for number, event in enumerate(endless(10, 6000)):
        list(checker.feed(event))
        if number in (6000, 17_000):
            gc.collect()
            kept.append(len(gc.get_objects()))
    assert kept[1] < kept[0] * 1.2
