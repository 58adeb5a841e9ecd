"""Typed uses of the public names; mypy checks this file, and pytest does not collect it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, assert_type

import httpx
import tenacity

from currents_export import (
    Action,
    AppTransport,
    Attempt,
    Backoff,
    Catalog,
    CoherenceRule,
    Counts,
    CredentialsCheck,
    Current,
    CurrentError,
    Drop,
    DropReason,
    Event,
    EventError,
    EventType,
    Field,
    FilterReason,
    Finding,
    FindingCount,
    Hooks,
    IncoherenceCode,
    IncoherenceFinding,
    InvalidEventsError,
    ManualClock,
    Notice,
    NoticeKind,
    NotTakenError,
    QueueFullError,
    ReadError,
    Receiver,
    Region,
    Response,
    Result,
    ScriptedResponse,
    Sender,
    SenderClosedError,
    State,
    StreamChecker,
    Totals,
    UnknownNameError,
    World,
    check_event,
    check_stream,
    listen,
    parse_script,
    read_events,
    read_path,
)

# A Current and its events

current = Current(
    integration_name="Orders",
    contact_email="data@example.com",
    endpoint="https://collector.example/events",
    bearer_token="token",
    event_types=["users.messages.email.*"],
    field_transformations={"email_address": "hash"},
)
assert_type(current.url, str)
assert_type(current.bearer_token, str | None)
assert_type(current.include_anonymous, bool | None)
assert_type(current.region, Region | None)
assert_type(current.schema_version, int)
Current(
    integration_name="Orders",
    contact_email="data@example.com",
    key="https://key@gateway.example",
    region="US",
    schema_version=None,
)
assert_type(current.selected, frozenset[str])
assert_type(Current.load("current.toml"), Current)
assert_type(Current.load(Path("current.toml"), environ={}), Current)

event = Event("users.messages.email.Open", 1_750_000_000, user={"user_id": "1"})
assert_type(event.id, str)
assert_type(event.time, int)
assert_type(event.user, dict[str, Any])
assert_type(event.to_dict(), dict[str, Any])
assert_type(Event.from_dict({}), Event)

world = World(1, users=10)
assert_type(world.events(start=1_750_000_000), Iterator[Event])
assert_type(world.sample("users.messages.email.Open", machine_open="true"), Event)
assert_type(event.replace(time=1_750_000_001), Event)
assert_type(current.selects(event.event_type), bool)
assert_type(world.event("users.messages.email.Open", user=1, machine_open="true"), Event)
assert_type(world.journey("newsletter", user=world.users[1], outcome="opened"), list[Event])

# The catalog

catalog = Catalog.load(5)
assert_type(catalog.schema_version, int)
assert_type(catalog["users.messages.email.Open"], EventType)
assert_type(catalog.event_types, tuple[EventType, ...])
assert_type(catalog["users.messages.email.Open"].fields["email_address"], Field)
assert_type(check_event(catalog, event), list[Finding])

# Reading

for item in read_events(read_path("events.jsonl")):
    assert_type(item, Event | ReadError)
    if isinstance(item, ReadError):
        assert_type(item.source, str)
        assert_type(item.line, int | None)

# Hooks


def on_attempt(attempt: Attempt) -> None:
    assert_type(attempt.response, Response)
    assert_type(attempt.response.status, int | None)
    assert_type(attempt.action, Action)
    assert_type(attempt.action.description, str)


def on_delivered(event_type: str, ids: tuple[str, ...]) -> None: ...


def on_dropped(drop: Drop) -> None:
    assert_type(drop.reason, DropReason)
    assert_type(drop.response, str)


def on_filtered(event: Event, reason: FilterReason) -> bool:
    return reason is FilterReason.NOT_SELECTED


def on_notice(notice: Notice) -> None:
    assert_type(notice.kind, NoticeKind)
    assert_type(notice.message, str)


hooks = Hooks(
    on_attempt=on_attempt,
    on_delivered=on_delivered,
    on_dropped=on_dropped,
    on_filtered=on_filtered,
    on_notice=on_notice,
)

# Sending


def send(transport: httpx.BaseTransport) -> Result:
    with Sender(
        current,
        batch_size=10,
        max_age=1,
        wait=Backoff(initial=0.1),
        stop=tenacity.stop_after_attempt(3),
        hooks=hooks,
        transport=transport,
        clock=ManualClock(),
    ) as sender:
        assert_type(sender, Sender)
        sender.send(event)
        sender.send([event, event], block=False)
        sender.send((each for each in [event]), timeout=1.5)
        assert_type(sender.flush(), Result)
        assert_type(sender.pending(), Iterator[Event])
        assert_type(sender.check_credentials(), CredentialsCheck)
        assert_type(sender.send_test_events(world.sample), Result)
        sender.resume(current)
    return sender.result


def read_result(result: Result) -> None:
    assert_type(result.delivered, int)
    assert_type(result.duration_s, float)
    assert_type(result.complete, bool)
    assert_type(result.state, State)
    assert_type(result.by_event_type, Mapping[str, Totals])
    assert_type(result.by_event_type["x"].pending, int)
    assert_type(result.drop_reasons, Mapping[DropReason, int])
    assert_type(result.filter_reasons, Mapping[FilterReason, int])
    assert_type(result.to_dict(), dict[str, Any])


# Receiving

receiver = Receiver(
    write_keys=["key"],
    script=[ScriptedResponse(503, times=2), parse_script("ok,delay=1.5")],
    capture=Path("capture.jsonl"),
    catalog=catalog,
)
assert_type(receiver.events, list[Any])
assert_type(receiver.counts, Counts)
assert_type(receiver.counts.findings, tuple[FindingCount, ...])
with listen(receiver) as url:
    assert_type(url, str)
with AppTransport(receiver.app) as app_transport:
    assert_type(send(app_transport), Result)

# Coherence

for finding in check_stream([event, {"event_type": "x"}], whole=True, window=60):
    assert_type(finding, IncoherenceFinding)
    assert_type(finding.code, IncoherenceCode)
    assert_type(finding.rule, CoherenceRule)
    assert_type(finding.other_id, str | None)
    assert_type(finding.to_dict(), dict[str, Any])
checker = StreamChecker()
assert_type([*checker.feed(event, where="x"), *checker.finish()], list[IncoherenceFinding])
assert_type(checker.late, int)

# Errors


def read_errors(
    not_taken: NotTakenError | QueueFullError | SenderClosedError,
    invalid: InvalidEventsError,
    unknown: UnknownNameError,
    bad_current: CurrentError,
) -> None:
    assert_type(not_taken.taken, int)
    assert_type(not_taken.event, Event | None)
    assert_type(invalid.problems, tuple[EventError, ...])
    assert_type(invalid.field, str | None)
    assert_type(unknown.nearest, tuple[str, ...])
    assert_type(bad_current.problems, tuple[tuple[str, str], ...])
    assert_type(bad_current.source, str | None)
