"""The plans of the event types of a world, made when they are needed."""

from __future__ import annotations

from collections.abc import Sequence

from ..catalog import Catalog, EventType
from ._audience import Audience, make_audience
from ._plan import Plan, make_plan
from ._readers import Readers
from ._traffic import AudienceRule, traffic_rule
from .fields import source_of
from .people.model import User
from .workspace.model import Workspace

__all__ = ["Plans", "required_fields"]

#: The users of samples come from this many of the first ones.
_CANDIDATES = 1_000


class Plans:
    """How the events of a world are made, by type.

    Args:
        catalog: the event types.
        workspace: the workspace.
        users: the users.
    """

    def __init__(self, catalog: Catalog, workspace: Workspace, users: Sequence[User]) -> None:
        self._catalog = catalog
        self._workspace = workspace
        self._users = users
        self._plans: dict[str, Plan] = {}
        self._readers = Readers()
        self._audiences: dict[tuple[AudienceRule, frozenset[str]], Audience] = {}

    def get(self, name: str) -> Plan:
        """Return the plan of a type."""
        if name not in self._plans:
            event_type = self._catalog[name]
            rule = traffic_rule(name, self._catalog.directory)
            required = required_fields(event_type)
            key = (rule.audience, required)
            if key not in self._audiences:
                self._audiences[key] = make_audience(
                    self._users[:_CANDIDATES], rule.audience, required
                )
            audience = self._audiences[key]
            self._plans[name] = make_plan(
                event_type, self._workspace, rule, audience, self._readers
            )
        return self._plans[name]


def required_fields(event_type: EventType) -> frozenset[str]:
    """Return the required fields that come from the user or the device."""
    return frozenset(
        field.name
        for field in event_type.fields.values()
        if field.required
        and (source := source_of(event_type.name, field.name))
        and source.kind in ("user", "device")
    )
