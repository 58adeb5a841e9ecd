"""Events with their records in an answer key, and streams of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from hypothesis import strategies as st

from currents_export.catalog import Catalog
from currents_export.events import Event
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
from tests.support.events import CLICK, OPEN, SEND, event

Pair = tuple[Event, KeyRecord]

#: The time of the event with the number 0.
START = event(0).time
TYPES = (SEND, OPEN, CLICK, "users.messages.pushnotification.Open", "users.behaviors.Purchase")


def pair(
    number: int = 0,
    event_type: str = OPEN,
    *,
    time: int | None = None,
    campaign: str | None = "campaign-1",
    canvas: str | None = None,
    **facts: Any,
) -> Pair:
    """Make an event of a campaign or Canvas, with its record; `facts` belong to the record."""
    names: dict[str, Any] = {}
    if campaign:
        names = {"campaign_id": campaign, "campaign_name": f"The {campaign}"}
    elif canvas:
        names = {"canvas_id": canvas, "canvas_name": f"The {canvas}", "canvas_step_name": "Step 1"}
    made = event(number, event_type, **names)
    if time is not None:
        made = Event(made.event_type, time, made.user, made.properties, made.id)
    facts.setdefault("sent_at", made.time - 30)
    return made, KeyRecord(made.id, event_type, campaign=campaign, canvas=canvas, **facts)


def many(count: int, event_type: str = OPEN, *, every: int = 60) -> list[Pair]:
    """Make a stream with an event every so many seconds."""
    return [pair(number, event_type, time=START + number * every) for number in range(count)]


@st.composite
def streams(draw: st.DrawFn) -> list[Pair]:
    """Draw a stream of up to 30 events in three days, in order."""
    moments = draw(st.lists(st.integers(0, 3 * 86_400) | st.integers(0, 100), max_size=30))
    return [
        pair(
            number,
            draw(st.sampled_from(TYPES)),
            time=START + moment,
            campaign=draw(st.sampled_from(["campaign-1", "campaign-2", None])),
            canvas="canvas-1",
        )
        for number, moment in enumerate(sorted(moments))
    ]


_shares = st.sampled_from([0.0, 0.1, 0.5, 1.0])
_patterns = st.sampled_from([("*",), (OPEN,), ("customer_behavior",), ("users.messages.*",)])
_delays = st.tuples(st.integers(0, 5_000), st.integers(1, 5_000)).map(sorted)
_times = st.integers(1, 100_000)


def _moving(kind: Callable[..., Disturbance]) -> st.SearchStrategy[Disturbance]:
    return st.builds(
        lambda share, patterns, delays: kind(
            share=share, event_types=patterns, at_least=delays[0], up_to=max(1, delays[1])
        ),
        _shares,
        _patterns,
        _delays,
    )


#: Disturbances of all kinds, by kind.
OF_KIND: dict[str, st.SearchStrategy[Disturbance]] = {
    "late": _moving(Late),
    "out_of_order": _moving(OutOfOrder),
    "duplicate": _moving(Duplicate),
    "open_before_send": st.builds(OpenBeforeSend, share=_shares, up_to=_times),
    "null_names": st.builds(
        NullNames, share=_shares, event_types=_patterns, lasting=st.integers(1, 3600)
    ),
    "missing_external_user_id": st.builds(
        MissingExternalUserId, share=_shares, event_types=_patterns
    ),
    "drift": st.builds(
        Drift,
        share=_shares,
        event_types=_patterns,
        change=st.sampled_from(["field", "event_type", "version"]),
        at=_times,
    ),
    "burst": st.builds(
        lambda share, patterns, lasting, part: Burst(
            share=share, event_types=patterns, lasting=lasting, within=int(lasting * part)
        ),
        _shares,
        _patterns,
        _times,
        st.floats(0, 1),
    )
    | st.builds(Burst, at=_times, lasting=_times.map(lambda seconds: seconds + 60)),
    "gap": st.builds(Gap, share=_shares, event_types=_patterns, lasting=_times)
    | st.builds(Gap, at=_times, lasting=_times),
}
any_disturbances = st.lists(st.one_of(*OF_KIND.values()), min_size=1, max_size=5)


def disturbed(
    stream: Iterable[Pair],
    *disturbances: Disturbance,
    seed: int = 1,
    version: int | None = None,
) -> list[Pair]:
    """Disturb a stream that begins at `START`."""
    return list(lazily(stream, *disturbances, seed=seed, version=version))


def lazily(
    stream: Iterable[Pair],
    *disturbances: Disturbance,
    seed: int = 1,
    version: int | None = None,
) -> Iterator[Pair]:
    """Return an iterator over what `disturbed` returns."""
    return disturb(stream, disturbances, seed=seed, catalog=Catalog.load(version), start=START)


def arrival(item: Pair) -> int:
    """Return when an event arrives."""
    return item[0].time if item[1].arrival is None else item[1].arrival
