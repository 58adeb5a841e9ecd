"""Scenarios: traffic that is described in a TOML file."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NewType

import attrs
import cattrs

from .._forms import quoted
from .._json import field_path
from .._suggestions import did_you_mean
from ..catalog import Catalog
from ..errors import CurrentsExportError, OptionError, ScenarioError, UnknownNameError
from . import _toml_lines
from ._checks import MOST_USERS
from ._known import channels, one_of, regions
from ._settings import (
    Action,
    Actions,
    Behavior,
    Channel,
    Delay,
    Moment,
    Region,
    TimePoint,
    WallTime,
    to_action,
    to_actions,
    to_behavior,
    to_delay,
    to_moment,
    to_share,
    to_time_point,
    to_wall_time,
)
from ._structure import Checked, Problem, SettingsError, make_converter, structure
from .declared import DeclaredCampaign, DeclaredCanvas
from .disturbances import DISTURBANCES, Disturbance, Patterns, to_patterns
from .journeys import DELAYS, RATES, known_journeys

__all__ = ["Scenario", "load_scenario", "make_declared_converter"]

#: Shares by the name of a chance.
Rates = NewType("Rates", Mapping[str, float])
#: Delays by name.
Delays = NewType("Delays", Mapping[str, Delay])
#: Names of stories and processes.
Journeys = NewType("Journeys", tuple[str, ...])
#: The chances that say how often something happens in a month begin with this.
_MONTHLY = "monthly."
_MOST_IN_A_MONTH = 1_000
#: When a stream ends.
Until = TimePoint | Literal["quiet"] | None


def _to_until(value: Any) -> Any:
    try:
        return value if value is None or value == "quiet" else to_time_point(value)
    except OptionError as error:
        near = did_you_mean(value, ["quiet"]) if isinstance(value, str) else ""
        raise OptionError(f"{error}, nor 'quiet'{near}") from None


def _to_rate(name: str, value: float) -> float:
    """Convert a share, or how often something happens in a month."""
    if not name.startswith(_MONTHLY) or type(value) not in (int, float):
        return to_share(value)
    if not 0 <= value <= _MOST_IN_A_MONTH:
        raise OptionError(
            f"{quoted(value)} is not how often it happens in a month; it must be a number from 0 "
            f"to {_MOST_IN_A_MONTH}"
        )
    return float(value)


def _to_rates(value: Mapping[str, float]) -> Rates:
    return Rates({name: _to_rate(name, rate) for name, rate in value.items()})


def _to_delay(_: str, value: str | float | Delay) -> Delay:
    return to_delay(value)


def _to_delays(value: Mapping[str, str | float | Delay]) -> Delays:
    return Delays({name: to_delay(delay) for name, delay in value.items()})


def _to_journeys(value: Iterable[str] | None) -> Journeys | None:
    return None if value is None else Journeys(tuple(value))


def _to_campaigns(value: Iterable[DeclaredCampaign]) -> tuple[DeclaredCampaign, ...]:
    return tuple(value)


def _to_canvases(value: Iterable[DeclaredCanvas]) -> tuple[DeclaredCanvas, ...]:
    return tuple(value)


def _to_disturbances(value: Iterable[Disturbance]) -> tuple[Disturbance, ...]:
    return tuple(value)


def _nothing() -> Any:
    return {}


@attrs.frozen(kw_only=True)
class Scenario(Checked):
    """Traffic that is described in a file; what it does not say is the default.

    Attributes:
        users: how many users there are.
        seed: what the world and its traffic are made from.
        start: the time of the first event, in seconds since the epoch; None for the default.
        until: when the stream ends: a time, how long after the start, or `quiet`: each user's
            events end with the last journey through the campaigns and Canvases below, and those
            that `journeys` names. None for no end.
        history: `running` if the world is already alive at the start, `clean` if all users are new.
        mix: how chances are drawn for people. `stratified` makes shares exact: of 50 users, 2 % is
            exactly one. With `random`, there may be some more or less. Disturbances are always
            drawn at random, since their shares are of events, whose number nobody knows in advance.
        rate: about how many events there are per second; None for what the users do.
        event_types: the names, families or globs of the event types in the stream.
        journeys: the processes, campaigns and Canvases of the world that run; None for all.
            Sessions always run, and so do the campaigns and Canvases below.
        rates: shares that replace the defaults, by the name of the chance; of names that begin with
            `monthly.`, how often that happens to a user in a month.
        delays: delays that replace the defaults, by name.
        campaigns: campaigns in addition to those of the world.
        canvases: Canvases in addition to those of the world.
        disturbances: what happens to the events on their way.
    """

    users: int = 1_000
    seed: int = 0
    start: Moment | None = attrs.field(default=None, converter=attrs.converters.optional(to_moment))
    until: Until = attrs.field(default=None, converter=_to_until)
    history: Literal["running", "clean"] = "running"
    mix: Literal["stratified", "random"] = "random"
    rate: float | None = None
    event_types: Patterns = attrs.field(default=Patterns(("*",)), converter=to_patterns)
    journeys: Journeys | None = attrs.field(default=None, converter=_to_journeys)
    rates: Rates = attrs.field(factory=_nothing, converter=_to_rates, hash=False)
    delays: Delays = attrs.field(factory=_nothing, converter=_to_delays, hash=False)
    campaigns: tuple[DeclaredCampaign, ...] = attrs.field(default=(), converter=_to_campaigns)
    canvases: tuple[DeclaredCanvas, ...] = attrs.field(default=(), converter=_to_canvases)
    disturbances: tuple[Disturbance, ...] = attrs.field(default=(), converter=_to_disturbances)

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield the problems of settings that are valid by themselves."""
        if not 1 <= values.get("users", 1) <= MOST_USERS:
            yield ("users",), f"it must be from 1 to {MOST_USERS:,}"
        rate = values.get("rate")
        if rate is not None and not 0 < rate < math.inf:
            yield ("rate",), "it must be a number greater than 0"
        match values:
            case {"until": TimePoint(time=None, after=0)}:
                yield ("until",), "it must be after the start"
            case {"start": int(start), "until": TimePoint(time=int(end))} if end <= start:
                yield ("until",), "it must be after the start"
        if values.get("until") == "quiet":
            yield from _never_quiet(values)
        for name in ("campaigns", "canvases"):
            seen: set[str] = set()
            for number, each in enumerate(values.get(name, ())):
                if each.name in seen:
                    yield (name, number, "name"), f"{quoted(each.name)} occurs twice"
                seen.add(each.name)

    def end(self, start: int) -> int | Literal["quiet"] | None:
        """Return when the stream ends: a time, `quiet`, or None for no end.

        Args:
            start: the time of the first event.
        """
        return self.until.at(start) if isinstance(self.until, TimePoint) else self.until


def _never_quiet(values: Mapping[str, Any]) -> Iterator[Problem]:
    for number, each in enumerate(values.get("campaigns", ())):
        if each.schedule is not None and each.schedule.once is None:
            text = "it goes out every week, so a stream until 'quiet' would not end"
            yield ("campaigns", number, "schedule"), text
    # What is not valid is not among the values.
    if not any(values.get(name, True) for name in ("campaigns", "canvases", "journeys")):
        text = "'quiet' waits for campaigns, Canvases or journeys, but there are none"
        yield ("until",), text


def load_scenario(path: Path | str, *, catalog: Catalog | None = None) -> Scenario:
    """Return the scenario in a TOML file; its keys are the attributes of `Scenario`.

    Args:
        path: the file.
        catalog: the event types; those of the newest schema version by default.

    Raises:
        ScenarioError: the file cannot be read or parsed, or settings are not valid; all problems
            are listed together, with lines.
    """
    source = str(path)
    text = _read(Path(path), source)
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number too long, a value nested too deep
        raise ScenarioError([("", f"not TOML: {error}")], source=source) from error
    hooks: dict[Any, Callable[[Any], Any]] = {
        Moment: to_moment,
        Until: _to_until,
        Rates: partial(_named, what="rate", known=RATES, convert=_to_rate),
        Delays: partial(_named, what="delay", known=DELAYS, convert=_to_delay),
        Journeys: partial(_known_journeys, known=known_journeys()),
    }
    converter = make_declared_converter(catalog or Catalog.load(), hooks)
    try:
        return structure(converter, values, Scenario)
    except SettingsError as error:
        raise _located(error.problems, text, source) from None


def make_declared_converter(
    catalog: Catalog, hooks: Mapping[Any, Callable[[Any], Any]] = MappingProxyType({})
) -> cattrs.Converter:
    """Return the converter of declared campaigns, Canvases and disturbances.

    Args:
        catalog: the event types and, from their names, the channels.
        hooks: the converters of further types.
    """
    converter = make_converter(
        {
            Action: to_action,
            Actions: to_actions,
            Behavior: to_behavior,
            Channel: partial(one_of, what="channel", known=channels(catalog)),
            Region: partial(one_of, what="region", known=regions()),
            WallTime: to_wall_time,
            Patterns: partial(_check_patterns, catalog=catalog),
            **hooks,
        }
    )
    converter.register_structure_hook_func(
        lambda kind: kind is Disturbance, lambda value, _: _to_disturbance(value, converter)
    )
    return converter


def _check_patterns(value: Any, *, catalog: Catalog) -> Patterns:
    if not isinstance(value, list | tuple) or not value:
        raise OptionError("it must be a list of names, families or globs")
    problems: list[Problem] = []
    for number, pattern in enumerate(value):
        if not isinstance(pattern, str) or "://" in pattern:
            problems.append(((number,), f"{quoted(pattern)} is not an event type"))
            continue
        try:
            catalog.select(pattern)
        except UnknownNameError as error:
            problems.append(((number,), str(error)))
    if problems:
        raise SettingsError(problems)
    return to_patterns(value)


def _known_journeys(value: Any, *, known: Collection[str]) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise OptionError(f"it must be a list of names, not {quoted(value)}")
    problems: list[Problem] = []
    for number, name in enumerate(value):
        try:
            one_of(name, what="journey", known=known)
        except OptionError as error:
            problems.append(((number,), str(error)))
    if problems:
        raise SettingsError(problems)
    return tuple(value)


def _named(
    value: Any, *, what: str, known: Collection[str], convert: Callable[[str, Any], Any]
) -> Mapping[str, Any]:
    """Convert the values of a table by name; a dotted name may be a key, or tables in tables."""
    if not isinstance(value, Mapping):
        raise OptionError(f"it must be a table of {what}s by name, not {quoted(value)}")
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    left: list[tuple[tuple[str, ...], Any]] = [((), value)]
    while left:
        path, inner = left.pop()
        if isinstance(inner, Mapping):
            left += reversed([((*path, key), each) for key, each in inner.items()])
            continue
        name = ".".join(path)
        try:
            one_of(name, what=what, known=known)
            found[name] = convert(name, inner)
        except OptionError as error:
            problems.append((path, str(error)))
    if problems:
        raise SettingsError(problems)
    return found


def _to_disturbance(value: Any, converter: cattrs.Converter) -> Disturbance:
    if not isinstance(value, Mapping):
        raise OptionError(f"it must be a table, not {quoted(value)}")
    if "kind" not in value:
        raise SettingsError([(("kind",), f"it is missing; it is one of {', '.join(DISTURBANCES)}")])
    try:
        kind = one_of(value["kind"], what="disturbance", known=DISTURBANCES)
    except OptionError as error:
        raise SettingsError([(("kind",), str(error))]) from None
    rest = {name: each for name, each in value.items() if name != "kind"}
    return structure(converter, rest, DISTURBANCES[kind])


def _read(path: Path, source: str) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ScenarioError([("", "not UTF-8 text")], source=source) from error
    except (OSError, ValueError) as error:  # ValueError: no file can have the name
        why = f"cannot be read: {getattr(error, 'strerror', None) or error}"
        raise ScenarioError([("", why)], source=source) from error


def _located(problems: list[Problem], text: str, source: str) -> CurrentsExportError:
    """Return the error for problems, in the order of their lines."""
    try:
        lines = _toml_lines.lines_of(text)
    except RecursionError:
        lines = {}
    found = sorted(
        ((_line_of(path, lines), path, message) for path, message in problems),
        key=lambda each: each[0] or 0,
    )
    return ScenarioError(
        [(field_path(path), message) for _, path, message in found],
        source=source,
        lines=[line for line, _, _ in found],
    )


def _line_of(path: _toml_lines.Path, lines: Mapping[_toml_lines.Path, int]) -> int | None:
    """Return the line of a setting; if it is missing, of the table that should contain it."""
    for end in range(len(path), 0, -1):
        if path[:end] in lines:
            return lines[path[:end]]
    return None
