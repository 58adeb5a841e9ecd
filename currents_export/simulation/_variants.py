"""Make events of one type of which some properties are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import orjson

from ._readers import Owners, Reader, compiled, json_fields
from .fields import Draft, FieldMaker, UnhandledValues, pick
from .workspace.model import Message

__all__ = ["Makes", "Variant"]

#: The names of fields, each with its maker.
Makes = tuple[tuple[str, Callable[[Draft], Any]], ...]

#: What an event takes from a message: its JSON, with a comma after each field, the fields, and the
#: fallbacks for required properties that are not among them.
_Taken = tuple[bytes, Mapping[str, Any], Makes]


@attrs.frozen(eq=False)
class Variant:
    """How to make an event of which some properties are given.

    Attributes:
        event_type: the name of the type.
        given: the names of the given properties that the type has.
        all_given: whether the type has all given properties.
        nulls: the names of the properties that are null, not left out, if they are given as None.
        needs_device: whether a required field comes from a device.
        user_with_message: whether only an event that belongs to a message has a user.
        constants: properties that are the same in every event.
        of_message: the names of the properties that are taken from the message.
        who: reads the fields of `user`.
        more: reads properties.
        made: the field makers that are still needed, with the names of the properties that are
            taken from each.
        user_defaults: the default makers of the fields of `user` that no source fills.
        defaults: the default makers of the properties that no source fills.
        user_fallbacks: what makes the required fields of `user` whose source may have no value.
        fallbacks: the same for the required properties.
        unhandled: the listed values that no source chooses, by field.
        owners: the JSON of what is read.
        choose: returns the given properties that the type has; None if it has all of them.
        draws: whether properties are made.
        rare: whether there is more to do than most types need.
        head: the beginning of the JSON, up to the id.
        taken: what is taken from messages, by their identity.
    """

    event_type: str
    given: tuple[str, ...]
    all_given: bool
    nulls: frozenset[str]
    needs_device: bool
    user_with_message: bool
    constants: Mapping[str, Any]
    of_message: frozenset[str]
    who: Reader
    more: Reader
    made: tuple[tuple[FieldMaker, frozenset[str]], ...]
    user_defaults: Makes
    defaults: Makes
    user_fallbacks: Makes
    fallbacks: Makes
    unhandled: tuple[UnhandledValues, ...]
    owners: Owners
    choose: Callable[[Mapping[str, Any]], dict[str, Any]] | None = attrs.field(init=False)
    draws: bool = attrs.field(init=False)
    rare: bool = attrs.field(init=False)
    head: str = attrs.field(init=False)
    taken: dict[int, _Taken] = attrs.field(factory=dict, init=False, repr=False)

    @choose.default
    def _make_choose(self) -> Callable[[Mapping[str, Any]], dict[str, Any]] | None:
        if self.all_given:
            return None
        return compiled("facts", tuple((name, f"facts[{name!r}]") for name in self.given))

    @draws.default
    def _draws_some(self) -> bool:
        return bool(self.made or self.defaults)

    @rare.default
    def _is_rare(self) -> bool:
        return bool(self.user_defaults or self.user_fallbacks or self.unhandled)

    @head.default
    def _make_head(self) -> str:
        return f'{{"event_type":{orjson.dumps(self.event_type).decode()},"id":"'

    def fill(self, draft: Draft, facts: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the `user` and the `properties` of an event; see `Plan.fill`."""
        user, device, message = draft.user, draft.device, draft.message
        if device is None and self.needs_device:
            device = draft.device = user.devices[0]
        owner = None if message is None and self.user_with_message else user
        who, read = self.who.values(owner, device), self.more.values(owner, device)
        _, taken, fallbacks = self.taken.get(id(message)) or self.take(message)
        given = facts if self.choose is None else self.choose(facts)
        if None in given.values():
            given = self.without_unknown(given)
        properties = {**read, **taken, **self.make(draft, given)}
        for name, make in fallbacks:
            if properties.get(name) is None:
                properties[name] = make(draft)
        for name, make in self.user_defaults:
            who[name] = make(draft)
        for name, make in self.user_fallbacks:
            if who.get(name) is None:
                who[name] = make(draft)
        for each in self.unhandled:
            values = who if each.part == "user" else properties
            if values.get(each.name) is not None and draft.random() < each.share:
                values[each.name] = pick(draft, each.values)
        return who, properties

    def without_unknown(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return given properties without those that are None, unless that stands for null."""
        nulls = self.nulls
        return {name: value for name, value in given.items() if value is not None or name in nulls}

    def make(self, draft: Draft, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the properties that are made, and those that are given; the latter are known."""
        made: dict[str, Any] = {}
        for maker, wanted in self.made:
            values = maker(draft)
            if wanted.issuperset(values):
                made.update(values)
            else:
                made.update(each for each in values.items() if each[0] in wanted)
        for name, make in self.defaults:
            made[name] = make(draft)
        made.update(facts)
        return made

    def take(self, message: Message | None) -> _Taken:
        """Keep the constants, and the fields that an event takes from a message."""
        fields = message.fields.items() if message else ()
        whole = {**self.constants, **{name: _ for name, _ in fields if name in self.of_message}}
        taken = {name: value for name, value in whole.items() if name not in self.given}
        fallbacks = tuple(each for each in self.fallbacks if taken.get(each[0]) is None)
        found = self.taken[id(message)] = json_fields(taken), taken, fallbacks
        return found
