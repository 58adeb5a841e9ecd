"""Typed uses of the public names; mypy checks this file, and pytest does not collect it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any, assert_type

import httpx
import tenacity

from currents_export import (
    Action,
    AppTransport,
    AsRecorded,
    AsyncSender,
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
    Durability,
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
    NotStoredError,
    NotTakenError,
    OutboxError,
    QueueFullError,
    ReadError,
    Receiver,
    Region,
    Response,
    Result,
    ScriptedResponse,
    Sender,
    SenderClosedError,
    SendRecord,
    State,
    StreamChecker,
    Totals,
    UnknownNameError,
    World,
    WsgiTransport,
    check_event,
    check_stream,
    listen,
    parse_script,
    read_events,
    read_path,
)
from currents_export.verification import (
    Delays,
    FindingKind,
    Findings,
    Pair,
    Report,
    Row,
    reconcile,
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
assert_type(
    world.encoded_events(start=1_750_000_000), Iterator[tuple[str, bytes, tuple[int, int, int]]]
)
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


def on_batch(attempt: Attempt, events: tuple[bytes, ...]) -> None:
    assert_type(attempt.size, int)


hooks = Hooks(
    on_attempt=on_attempt,
    on_delivered=on_delivered,
    on_dropped=on_dropped,
    on_filtered=on_filtered,
    on_notice=on_notice,
)
assert_type(hooks.also(Hooks(on_batch=on_batch)), Hooks)
with SendRecord("sent.jsonl") as record:
    assert_type(record.hooks, Hooks)
    assert_type(record.problem, str | None)

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


def send_from_outbox(path: Path) -> None:
    with Sender(current, outbox=path, durability=Durability.POWER, rate=50) as sender:
        sender.send(AsRecorded([event], speed=60), source="events.jsonl")
        sender.pause()
        sender.edit(current)
        sender.resume()
        assert_type(sender.result.carried_over, int)
        assert_type(sender.result.skipped, int)
    Sender(current, outbox=str(path), durability="process")


async def send_in_event_loop(events: AsyncIterator[Event]) -> Result:
    async def on_async_notice(notice: Notice) -> None:
        assert_type(notice.kind, NoticeKind)

    async with AsyncSender(
        current, hooks=Hooks(on_notice=on_async_notice), outbox="events.db"
    ) as sender:
        assert_type(sender, AsyncSender)
        await sender.send(event)
        await sender.send([event, event], block=False)
        await sender.send(events, timeout=1.5, source="stream")
        await sender.send(AsRecorded([event]))
        assert_type(await sender.flush(timeout=1), Result)
        assert_type(await sender.result(), Result)
        assert_type(await sender.pending(), Iterator[Event])
        assert_type(await sender.check_credentials(), CredentialsCheck)
        assert_type(await sender.send_test_events(world.sample), Result)
        await sender.pause()
        await sender.edit(current)
        await sender.resume(current)
        return await sender.close(timeout=None)


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
with AppTransport(receiver.app, raise_app_exceptions=True, lifespan=False) as app_transport:
    assert_type(app_transport, AppTransport)
with WsgiTransport(lambda environ, start: [b""], raise_app_exceptions=True) as wsgi_transport:
    assert_type(send(wsgi_transport), Result)

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
    not_taken: NotTakenError | NotStoredError | QueueFullError | SenderClosedError,
    invalid: InvalidEventsError,
    unknown: UnknownNameError,
    bad_current: CurrentError,
    unusable: OutboxError,
) -> None:
    assert_type(not_taken.taken, int)
    assert_type(not_taken.event, Event | None)
    assert_type(not_taken.read_ahead, tuple[Event, ...])
    assert_type(invalid.problems, tuple[EventError, ...])
    assert_type(invalid.field, str | None)
    assert_type(unknown.nearest, tuple[str, ...])
    assert_type(bad_current.problems, tuple[tuple[str, str], ...])
    assert_type(bad_current.source, str | None)
    assert_type(unusable.path, Path)


# Verification

report = reconcile(["event"], Path("received.jsonl"), through="rudderstack", answer_key="key")
assert_type(report, Report)
assert_type(report.rows, tuple[Row, ...])
assert_type(report.rows[0].kind, FindingKind)
assert_type(report.missing.by_cause, Mapping[str, Findings])
assert_type(report.altered.pairs, tuple[Pair, ...])
assert_type(report.latency, Delays | None)
assert_type(report.stages["x"].accepted, int | None)
assert_type(report.to_dict(personal_data=True), dict[str, Any])
