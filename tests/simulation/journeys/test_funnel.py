"""What a consumer counts in the events, by SQL, is what the answer key says.

`CURRENTS_EXPORT_LONG=1` takes a month of 5,000 users; by default it is one of 500.
"""

from __future__ import annotations

import os
from typing import Any

import duckdb
import pytest

from currents_export.payload import encode_event
from currents_export.simulation import SAMPLE_TIME, KeyRecord, KeySummary, World
from tests.simulation.conftest import MONTH

USERS = 5_000 if os.environ.get("CURRENTS_EXPORT_LONG") else 500

#: The events of campaigns and Canvases, with what tells their messages apart.
EVENTS = """
create table facts as
select
    event_type,
    split_part(event_type, '.', 3) as channel,
    split_part(event_type, '.', -1) as what,
    time,
    "user"->>'user_id' as user_id,
    properties->>'campaign_id' as campaign,
    properties->>'canvas_id' as canvas,
    {
        'user': "user"->>'user_id',
        'dispatch': properties->>'dispatch_id',
        'campaign': properties->>'campaign_id',
        'step': properties->>'canvas_step_id'
    } as message,
    coalesce(properties->>'machine_open', '') = 'true' as by_machine,
    coalesce((properties->>'is_suspected_bot_click')::boolean, false) as by_bot,
    (properties->>'conversion_behavior_index')::integer as index,
    properties->>'conversion_behavior' as behavior,
    (properties->>'price')::decimal(18, 2) as price,
    properties->>'currency' as currency,
    event_type like 'users.messages.%' and channel not in ('landingpage', 'survey') as is_message
from read_json(
    ?,
    format = 'newline_delimited',
    columns = {event_type: 'varchar', time: 'bigint', "user": 'json', properties: 'json'}
)
"""

FUNNEL = """
select
    {part},
    count(*) filter (is_message and what = 'Send'),
    count(*) filter (is_message and what = 'Delivery'),
    count(distinct message) filter (
        is_message and what in ('Open', 'Read', 'Impression') and not by_machine
    ),
    count(distinct message) filter (
        is_message and what in ('Open', 'Read', 'Impression') and by_machine
    ),
    count(distinct message) filter (
        is_message and what in ('Click', 'ShortLinkClick') and not by_bot
    ),
    count(distinct message) filter (is_message and what in ('Click', 'ShortLinkClick') and by_bot),
    count(*) filter (event_type = 'users.{kind}.Conversion' and index = 0),
    count(*) filter (event_type = 'users.{kind}.Conversion' and index = 1),
    count(*) filter (event_type = 'users.{kind}.Conversion' and index > 1)
from facts
where {part} is not null
group by 1
"""

#: A purchase converts at the moment when it is made. Each receipt has one goal that is a purchase.
REVENUE = """
with orders as (
    select user_id, time, currency, sum(price) as paid
    from facts
    where event_type = 'users.behaviors.Purchase' and price > 0
    group by all
)
select {part}, orders.currency, sum(paid)
from facts join orders using (user_id, time)
where event_type = 'users.{kind}.Conversion' and behavior->>'type' = 'Makes Any Purchase'
group by all
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, KeySummary]:
    """Return a month of events in a database, and the summary of its answer key."""
    path = tmp_path_factory.mktemp("funnel") / "events.jsonl"
    key: list[KeyRecord] = []
    summary = KeySummary()
    world = World(21, users=USERS)
    with path.open("wb") as file:
        for event in world.events(start=SAMPLE_TIME, until=SAMPLE_TIME + MONTH, key=key.append):
            file.write(encode_event(event) + b"\n")
            summary.add(event, key.pop())
    database = duckdb.connect()
    database.execute(EVENTS, [str(path)])
    path.unlink()
    return database, summary


def test_event_types(told: tuple[Any, KeySummary]) -> None:
    database, summary = told
    rows = database.execute("select event_type, count(*) from facts group by 1").fetchall()
    assert dict(rows) == summary.events


@pytest.mark.parametrize(("kind", "part"), [("campaigns", "campaign"), ("canvas", "canvas")])
def test_funnels(told: tuple[Any, KeySummary], kind: str, part: str) -> None:
    database, summary = told
    funnels = summary.campaigns if kind == "campaigns" else summary.canvases
    rows = database.execute(FUNNEL.format(kind=kind, part=part)).fetchall()
    assert {key: counts for key, *counts in rows} == {
        key: [
            each.sent,
            each.delivered,
            each.opened,
            each.machine_opened,
            each.clicked,
            each.bot_clicked,
            each.conversions["A"],
            each.conversions["B"],
            each.conversions["C"] + each.conversions["D"],
        ]
        for key, each in funnels.items()
    }
    totals = [sum(column) for column in zip(*(counts for _, *counts in rows), strict=True)]
    assert all(totals[:2]), "nothing was sent"
    assert all(totals[6:8]), "nothing was converted"
    assert totals[0] > totals[1] > totals[2] > totals[4]


@pytest.mark.parametrize(("kind", "part"), [("campaigns", "campaign"), ("canvas", "canvas")])
def test_revenue(told: tuple[Any, KeySummary], kind: str, part: str) -> None:
    database, summary = told
    funnels = summary.campaigns if kind == "campaigns" else summary.canvases
    rows = database.execute(REVENUE.format(kind=kind, part=part)).fetchall()
    assert rows
    assert {(key, currency): paid for key, currency, paid in rows} == {
        (key, currency): paid
        for key, each in funnels.items()
        for currency, paid in each.revenue.items()
    }
