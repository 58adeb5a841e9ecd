"""Make events of one type of which some properties are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import orjson

from ._readers import Owners, Reader, json_fields
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
        plain: whether the event has only what is given, besides what is taken and read.
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
    plain: bool = attrs.field(init=False)
    rare: bool = attrs.field(init=False)
    head: str = attrs.field(init=False)
    taken: dict[int, _Taken] = attrs.field(factory=dict, init=False, repr=False)

    @plain.default
    def _is_plain(self) -> bool:
        return self.all_given and not self.made and not self.defaults

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
        properties = {**read, **taken, **self.make(draft, facts)}
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

    def make(self, draft: Draft, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the properties that are made, and those that are given."""
        if not self.all_given or None in facts.values():
            facts = {
                name: value
                for name in self.given
                if (value := facts[name]) is not None or name in self.nulls
            }
        if not self.made and not self.defaults:
            return facts
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
