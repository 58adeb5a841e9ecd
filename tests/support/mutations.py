"""Ways in which a RudderStack source, or what follows it, can be wrong.

Each is a pure function from the messages that a destination would get to those that it gets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from currents_export.verification import FindingKind

__all__ = ["MUTATIONS", "Message", "Mutation"]

Message = dict[str, Any]


class Mutation(NamedTuple):
    """A way to be wrong, and what a comparison must say about it.

    Attributes:
        change: returns the messages that arrive; it may change its argument, which is a copy.
        kinds: the kinds of all findings that make the verdict wrong.
        fields: fields that must be named, and no others.
        event_type: the one event type that has findings; None if any may have some.
    """

    change: Callable[[list[Message]], list[Message]]
    kinds: frozenset[FindingKind]
    fields: frozenset[str] = frozenset()
    event_type: str | None = None


def _lost(change: Callable[[list[Message]], list[Message]], of: str | None = None) -> Mutation:
    return Mutation(change, frozenset({FindingKind.LOST}), event_type=of)


def _kinds(change: Callable[[list[Message]], list[Message]], *kinds: FindingKind) -> Mutation:
    return Mutation(change, frozenset(kinds))


def _each(
    change: Callable[[Message], object],
    *fields: str,
    kind: FindingKind = FindingKind.CHANGED,
    of: str | None = None,
) -> Mutation:
    """Change each message, or each of a type."""

    def changed(messages: list[Message]) -> list[Message]:
        for message in messages:
            if of in (None, message["event"]):
                change(message)
        return messages

    return Mutation(changed, frozenset({kind}), frozenset(fields), of)


def _property(name: str, change: Callable[[Any], Any]) -> Mutation:
    """Change a property of each message that has it."""

    def changed(message: Message) -> None:
        properties = message.get("properties", {})
        if name in properties:
            properties[name] = change(properties[name])

    return _each(changed, f"properties.{name}")


def _without(
    messages: Iterable[Message], unwanted: Callable[[int, Message], bool]
) -> list[Message]:
    return [each for number, each in enumerate(messages) if not unwanted(number, each)]


def _swapped(message: Message) -> None:
    properties = message["properties"]
    properties["first"], properties["second"] = properties["second"], properties["first"]


def _renamed(message: Message) -> None:
    message["properties"]["sessionNumber"] = message["properties"].pop("session_number")


def _flattened(message: Message) -> None:
    details = message["properties"].pop("details")
    message["properties"] |= {f"details_{name}": each for name, each in details.items()}


def _shifted(**by: float) -> Callable[[Message], None]:
    def shifted(message: Message) -> None:
        moment = datetime.fromisoformat(message["timestamp"]) + timedelta(**by)
        message["timestamp"] = _written(moment)

    return shifted


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _as_milliseconds(message: Message) -> None:
    """Read the seconds of a time as if they were milliseconds."""
    seconds = datetime.fromisoformat(message["timestamp"]).timestamp()
    message["timestamp"] = _written(datetime.fromtimestamp(seconds / 1000, UTC))


def _later(message: Message) -> None:
    moment = datetime.fromisoformat(message["receivedAt"]) + timedelta(hours=1)
    message["receivedAt"] = _written(moment)


def _swapped_ids(message: Message) -> None:
    message["userId"], message["anonymousId"] = message["anonymousId"], message["userId"]


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


_OPEN, _CLICK = "users.messages.email.Open", "users.messages.email.Click"
_LOST, _REPEATED, _UNEXPECTED = FindingKind.LOST, FindingKind.REPEATED, FindingKind.UNEXPECTED

#: The mutations by name. What they change is in every message of the traffic they are tried on:
#: the properties `first`, `second`, `session_number`, `price`, `nothing`, `flag`, `city`, `padded`,
#: `large`, `list` and `details`, the address and the device.
MUTATIONS: dict[str, Mutation] = {
    # Messages that are lost, repeated or made up.
    "drops 1 %": _lost(lambda all_: _without(all_, lambda n, _: n % 100 == 7)),
    "drops a type": _lost(lambda all_: _without(all_, lambda _, m: m["event"] == _OPEN), of=_OPEN),
    "drops a user": _lost(lambda all_: _without(all_, lambda _, m: m["userId"] == "user-3")),
    "stops halfway": _lost(lambda all_: all_[: len(all_) // 2]),
    "drops everything": _lost(lambda _: []),
    "drops the last of each batch": _lost(lambda all_: _without(all_, lambda n, _: n % 75 == 74)),
    "repeats every 50th": _kinds(lambda all_: [*all_, *all_[::50]], _REPEATED),
    "sends everything twice": _kinds(lambda all_: [*all_, *all_], _REPEATED),
    "repeats one for the last": _kinds(lambda all_: [all_[0], *all_[:-1]], _LOST, _REPEATED),
    "makes up messages": _kinds(
        lambda all_: [*all_, all_[0] | {"messageId": "made up"}], _UNEXPECTED
    ),
    "gives half of them new ids": _kinds(
        lambda all_: [m | {"messageId": f"new {n}"} if n % 2 else m for n, m in enumerate(all_)],
        *(_LOST, _UNEXPECTED),
    ),
    "gives all of them new ids": _kinds(
        lambda all_: [m | {"messageId": f"new {n}"} for n, m in enumerate(all_)],
        *(_LOST, _UNEXPECTED),
    ),
    "loses ids": _kinds(lambda all_: [m | {"messageId": ""} for m in all_], _LOST, _UNEXPECTED),
    "is slow": _each(_later, kind=FindingKind.LATE),
    # Properties that change.
    "swaps two fields": _each(_swapped, "properties.first", "properties.second"),
    "swaps two fields of a type": _each(
        _swapped, "properties.first", "properties.second", of=_CLICK
    ),
    "lower-cases": _property("city", str.lower),
    "truncates texts": _property("first", lambda text: text[:20]),
    "trims texts": _property("padded", str.strip),
    "loses characters beyond ASCII": _property(
        "city", lambda text: text.encode("ascii", "replace").decode()
    ),
    "rounds numbers": _property("price", round),
    "keeps numbers in 32 bits": _property("large", lambda number: number & 0xFFFF_FFFF),
    "writes numbers as texts": _property("session_number", str),
    "writes flags as numbers": _property("flag", int),
    "writes nulls as texts": _property("nothing", lambda _: ""),
    "loses nulls": _each(lambda m: m["properties"].pop("nothing"), "properties.nothing"),
    "loses zeros": _property("zero", lambda _: None),
    "writes lists as texts": _property("list", ",".join),
    "sorts lists": _each(
        lambda m: m["properties"].update(list=sorted(m["properties"]["list"])), "properties.list[]"
    ),
    "loses the end of lists": _property("list", lambda value: value[:-1]),
    "flattens objects": _each(
        _flattened, "properties.details", "properties.details_size", "properties.details_color"
    ),
    "renames a field": _each(_renamed, "properties.session_number", "properties.sessionNumber"),
    "loses all properties": _each(lambda m: m.pop("properties"), "properties"),
    # Names, times, users and the rest of a message.
    "maps a wrong name": _each(
        lambda m: m.update(event="Email Clicked"),
        "event",
        kind=FindingKind.UNMAPPED_NAMES,
        of=_CLICK,
    ),
    "lower-cases names": _each(
        lambda m: m.update(event=m["event"].lower()), "event", kind=FindingKind.UNMAPPED_NAMES
    ),
    "shifts times by a zone": _each(_shifted(hours=2), "timestamp", kind=FindingKind.WRONG_TIME),
    "shifts times by a second": _each(
        _shifted(seconds=1), "timestamp", kind=FindingKind.WRONG_TIME
    ),
    "reads seconds as milliseconds": _each(
        _as_milliseconds, "timestamp", kind=FindingKind.WRONG_TIME
    ),
    "loses times": _each(lambda m: m.pop("timestamp"), "timestamp", kind=FindingKind.WRONG_TIME),
    "loses the userId": _each(lambda m: m.pop("userId"), "userId"),
    "swaps the ids": _each(_swapped_ids, "anonymousId", "userId"),
    "sends identify": _each(lambda m: m.update(type="identify"), "type"),
    "loses traits": _each(lambda m: m.pop("traits"), "traits"),
    "hashes the wrong field": _each(
        lambda m: m["traits"].update(phone=_hashed(m["traits"]["phone"])), "traits.phone"
    ),
    "hashes no field": _each(
        lambda m: m["traits"].update(email="ada@example.com"),
        "traits.email",
        kind=FindingKind.CLEAR_PERSONAL_DATA,
    ),
    "loses the device": _each(lambda m: m["context"].pop("device"), "context.device"),
    "adds a field": _each(lambda m: m.update(version=1), "version"),
}
