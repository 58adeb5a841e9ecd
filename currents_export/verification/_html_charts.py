"""Where the parts of a report's charts go, in percent of the width and the height."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from ._sentences import shown_name
from .charts import Delays, Rates, Stages

__all__ = [
    "Funnel",
    "Histogram",
    "RateChart",
    "duration",
    "funnels",
    "histogram",
    "rate_chart",
]

#: How many labels an axis has at most.
_MOST_LABELS = 5


class Tick(NamedTuple):
    """A label of an axis, at a place in percent."""

    at: float
    text: str
    anchor: str = "middle"


class Column(NamedTuple):
    """A bar of a chart, in percent, and what it says."""

    x: float
    width: float
    height: float
    text: str


class Histogram(NamedTuple):
    """A histogram of delays."""

    columns: tuple[Column, ...]
    ticks: tuple[Tick, ...]
    marks: tuple[Tick, ...]
    most: int
    description: str


class RateChart(NamedTuple):
    """Events over time: bars for what was sent, and a line for what arrived."""

    columns: tuple[Column, ...]
    #: The corners of the line, for a drawing that is 1000 wide and 1000 high.
    line: str
    ticks: tuple[Tick, ...]
    most: int
    step: str
    description: str


class Stage(NamedTuple):
    """A stage of a funnel, with its share of the first one in percent."""

    name: str
    number: int
    share: float


class Funnel(NamedTuple):
    """How far the events of a type came.

    Attributes:
        name: the event type.
        stages: the stages from `sent` to `arrived`; `accepted` only if it is known.
        lost: how many should have arrived and did not.
        arrived: the percentage of those that should have arrived that did; None if none should.
    """

    name: str
    stages: tuple[Stage, ...]
    lost: int
    arrived: float | None


def funnels(stages: Mapping[str, Stages]) -> tuple[Funnel | None, list[Funnel]]:
    """Return the funnel of all events, and those of each event type, with the largest loss first.

    The first is None if there are no stages.
    """
    if not stages:
        return None, []
    known = [each.accepted for each in stages.values() if each.accepted is not None]
    whole = Stages(
        sent=sum(each.sent for each in stages.values()),
        accepted=sum(known) if known else None,
        transformed=sum(each.transformed for each in stages.values()),
        arrived=sum(each.arrived for each in stages.values()),
    )
    of_types = [_funnel(name, each) for name, each in stages.items()]
    of_types.sort(key=lambda each: (-each.lost, -each.stages[0].number, each.name))
    return _funnel("all event types", whole), of_types


def _funnel(name: str, stages: Stages) -> Funnel:
    numbers = (
        ("sent", stages.sent),
        ("accepted", stages.accepted),
        ("should arrive", stages.transformed),
        ("arrived", stages.arrived),
    )
    most = max(*(count or 0 for _, count in numbers), 1)
    return Funnel(
        shown_name(name),
        tuple(
            Stage(what, count, _share(count, most)) for what, count in numbers if count is not None
        ),
        max(0, stages.transformed - stages.arrived),
        _floored(stages.arrived, stages.transformed),
    )


def _floored(count: int, whole: int) -> float | None:
    """Return a percentage with a digit, so that only all of them are 100."""
    return count * 1000 // whole / 10 if whole else None


def _share(count: int, whole: int) -> float:
    """Return a percentage; something is never too small to be seen."""
    return round(max(count / whole * 100, 0.6 if count else 0.0), 2)


def histogram(delays: Delays) -> Histogram | None:
    """Return a chart of delays; None if there are no bars."""
    bars = [*delays.histogram]
    first = next((at for at, bar in enumerate(bars) if bar.count), None)
    if first is None:
        return None
    last = max(at for at, bar in enumerate(bars) if bar.count)
    begins = [None, *(bar.up_to for bar in bars[:-1])][first : last + 1]
    bars = bars[first : last + 1]
    most, width = max(bar.count for bar in bars), 100 / len(bars)
    columns = tuple(
        Column(
            round(at * width, 3),
            round(width, 3),
            _share(bar.count, most),
            f"{_range(begin, bar.up_to)}: {bar.count:,}",
        )
        for at, (begin, bar) in enumerate(zip(begins, bars, strict=True))
    )
    every = -(-len(bars) // _MOST_LABELS)
    ticks = tuple(
        Tick(round((at + 1) * width, 3), duration(bar.up_to), _anchor((at + 1) * width))
        for at, bar in enumerate(bars)
        if bar.up_to is not None and (len(bars) - 1 - at) % every == 0
    )
    ends = [bar.up_to for bar in bars]
    marks = tuple(
        Tick(place, name, _anchor(place) if _is_near_edge(place) else anchor)
        for name, value, anchor in (("half", delays.p50, "end"), ("95 %", delays.p95, "start"))
        if (place := _place(value, begins, ends)) is not None
    )
    described = "; ".join(column.text for column in columns)
    return Histogram(columns, ticks, marks, most, described)


def _place(
    value: float, begins: Sequence[float | None], ends: Sequence[float | None]
) -> float | None:
    """Return where a delay is, in percent; bars are equally wide."""
    for at, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        if end is None or value <= end:
            low = 0.0 if begin is None else begin
            inside = 0.5 if end is None or end <= low else (value - low) / (end - low)
            return round((at + min(max(inside, 0.0), 1.0)) / len(ends) * 100, 3)
    return None


def _range(begin: float | None, end: float | None) -> str:
    if end is None:
        return f"more than {duration(begin or 0.0)}"
    return f"up to {duration(end)}" if begin is None else f"{duration(begin)} to {duration(end)}"


def rate_chart(rates: Rates) -> RateChart | None:
    """Return a chart of events over time; None if there are none."""
    steps = max(len(rates.sent), len(rates.arrived))
    most = max((*rates.sent, *rates.arrived), default=0)
    if not most:
        return None
    width = 100 / steps
    columns = tuple(
        Column(
            round(at * width, 3),
            round(width, 3),
            _share(sent, most),
            f"{_moment(rates, at)}: {sent:,} sent, {arrived:,} arrived",
        )
        for at, (sent, arrived) in enumerate(zip(rates.sent, rates.arrived, strict=True))
    )
    shows_line = any(rates.arrived)
    line = " ".join(_corners(rates.arrived, most)) if shows_line else ""
    every = -(-steps // 3)
    ticks = [Tick(round(at * width, 3), _moment(rates, at)) for at in range(0, steps, every)]
    ticks = [tick._replace(anchor=_anchor(tick.at)) for tick in ticks]
    end = f"{sum(rates.sent):,} sent, {sum(rates.arrived):,} arrived in {steps} steps of "
    step = duration(rates.step_s)
    return RateChart(columns, line, tuple(ticks), most, step, f"{end}{step}")


def _corners(counts: Iterable[int], most: int) -> Iterable[str]:
    numbers = [*counts]
    width = 1000 / len(numbers)
    for at, count in enumerate(numbers):
        y = 1000 - count / most * 1000
        yield f"{at * width:.1f},{y:.1f}"
        yield f"{(at + 1) * width:.1f},{y:.1f}"


def _moment(rates: Rates, at: int) -> str:
    try:
        moment = datetime.fromtimestamp(rates.start + at * rates.step_s, UTC)
    except (ValueError, OverflowError, OSError):  # far in the future
        return f"{rates.start + at * rates.step_s:.0f}"
    whole = len(rates.sent) * rates.step_s
    if whole >= 3 * 86_400:
        return moment.strftime("%d %b")
    if whole >= 86_400:
        return moment.strftime("%d %b %H:%M")
    return moment.strftime("%H:%M" if whole >= 1800 else "%H:%M:%S")


def _anchor(at: float) -> str:
    if not _is_near_edge(at):
        return "middle"
    return "start" if at < 50 else "end"


def _is_near_edge(at: float) -> bool:
    return not 12 <= at <= 88


#: Units of time: their names and seconds, and from how many seconds on they are used.
_UNITS = (
    ("d", 86_400.0, 172_800.0),
    ("h", 3600.0, 7200.0),
    ("min", 60.0, 600.0),
    ("s", 1.0, 0.9995),
    ("ms", 0.001, 0.0),
)


def duration(seconds: float) -> str:
    """Return a number of seconds as people write it, such as `250 ms` or `2.5 h`."""
    for name, unit, least in _UNITS:
        if seconds and abs(seconds) >= least:
            return f"{seconds / unit:.3g} {name}"
    return "0 s"
