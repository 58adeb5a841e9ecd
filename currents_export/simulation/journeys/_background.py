"""What happens to a user now and then: on devices, on servers, and to the profile as a whole.

Source: Braze, Uninstall tracking; push tokens; user.delete and user.merge; agent console.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import attrs

from .._draws import Draws, key_of, stir, unit
from .._ids import uuid_from
from ..people.devices import make_push_token, update_system
from ._curve import DAY
from ._handover import register_token
from ._life import Journey, Life
from ._live_activities import begin_activity
from ._reactions import change_state
from ._state import OwnedDevice

__all__ = ["begin_background", "happen_now", "run_agent"]

#: What happens now and then, with how often in a month: the names in `rates.tsv`.
_Happen = Callable[[Journey], None]
_PREFIX = "monthly."
#: What would change a push token, or the user's phone or profile. None of it happens before the
#: user hands a phone over, because the next user's life does not know of it.
_UNSETTLING = frozenset(
    _PREFIX + name
    for name in (
        "account_deletion",
        "anonymous_to_known",
        "uninstall",
        "token_refresh",
        "push_permission",
        "system_update",
    )
)
#: A silent push looks for removed apps once a day, at this second of it.
_SILENT_PUSH = 4 * 3600


#: Where a user may have changed the subscription to a group or to all email.
_GROUP_SOURCES = {
    "email": ("Preference Center", "Preference Center", "REST API", "CSV Import", "Dashboard"),
    "sms": ("REST API", "Dashboard", "CSV Import", "Migration"),
    "whatsapp": ("REST API", "Dashboard", "CSV Import", "Migration"),
}
_GLOBAL_SOURCES = ("Preference Center", "Subscription Page", "REST API", "Dashboard", "Other")


def begin_background(life: Life) -> None:
    """Begin to let things happen now and then."""
    _plan(life)
    if life.number == 0:
        _plan_component(Journey(life, "component", 0))


def _plan(life: Life) -> None:
    total = life.run.chances.total(_NAMES)
    if total <= 0.0:
        return
    life.background += 1
    drawn = unit(stir(life.key ^ key_of("background"), life.background))
    gap = -math.log(1.0 - drawn) / (total / 30)
    life.at(life.now + 1 + int(gap * DAY), _something, life)


def _something(life: Life) -> None:
    """Let one of the things happen, with the probability of each."""
    chances = life.run.chances
    rest = unit(stir(life.key ^ key_of("what"), life.background)) * chances.total(_NAMES)
    for name, happen in _NOW_AND_THEN.items():
        rest -= chances.share(name)
        if rest < 0:
            if life.now >= life.handover or name not in _UNSETTLING:
                story = name.removeprefix(_PREFIX).replace("_", " ")
                happen(Journey(life, story, life.background))
            break
    if not life.gone:
        _plan(life)


def happen_now(life: Life, name: str) -> None:
    """Let one of the things that happen now and then happen now, such as `account_deletion`."""
    life.background += 1
    _NOW_AND_THEN[_PREFIX + name](Journey(life, name.replace("_", " "), life.background))


def _delete(journey: Journey) -> None:
    journey.emit("users.UserDeleteRequest")
    journey.life.gone = True


def _known(life: Life, number: int) -> int:
    """Return the number of the nearest user before a number who is not anonymous."""
    while number > 0 and life.run.people[number].external_id is None:
        number -= 1
    return number


def _merge(journey: Journey) -> None:
    """Merge an anonymous profile into that of a user who registered earlier."""
    life = journey.life
    # Who has never used the app or the site has no profile.
    used = any(each.used for each in life.devices)
    if used and life.user.external_id is None and life.number > 0:
        other = life.run.people[_known(life, int(journey.unit("other") * life.number))]
        journey.emit("users.UserOrphan", device=life.devices[0].device, orphaned_by_id=other.id)
        life.gone = True


def _uninstall(journey: Journey) -> None:
    """Remove the app from a device; a silent push finds out within a day."""
    owned = next((each for each in journey.life.devices if each.push), None)
    if owned is None or owned.device.platform not in ("ios", "android", "kindle"):
        return
    owned.installed = owned.push = False
    found = _Found(journey, owned)
    wait = (_SILENT_PUSH - journey.now) % DAY + int(journey.unit("found") * 7200)
    journey.life.at(journey.now + wait + 1, _find_uninstall, found)


class _Found:
    """A removed app that will be found."""

    __slots__ = ("journey", "owned")

    def __init__(self, journey: Journey, owned: OwnedDevice) -> None:
        self.journey = journey
        self.owned = owned

    @property
    def life(self) -> Life:
        """Whose it was."""
        return self.journey.life


def _find_uninstall(found: _Found) -> None:
    found.journey.emit("users.behaviors.Uninstall", device=found.owned.device)


def _refresh_token(journey: Journey) -> None:
    """Replace a push token: the old one is removed and the new one added at the same moment."""
    owned = next((each for each in journey.life.devices if each.push), None)
    if owned is None:
        return
    removed = register_token(journey, owned, "remove")
    token = make_push_token(Draws(journey.key).bits, owned.device.platform)
    owned.device = attrs.evolve(owned.device, push_token=token, push_token_created_at=journey.now)
    register_token(journey, owned, "add", removed)


def _allow_push(journey: Journey) -> None:
    """Allow push on a device after all, or forbid it."""
    life = journey.life
    owned = next((each for each in life.devices if each.installed), None)
    if owned is None or owned.device.push_token is None or not owned.used:
        return
    before = life.reach.states.get("push")
    if owned.push:
        change_state(journey, 0, "push", "Unsubscribed", "SDK", device=owned.device)
        owned.push = False
        register_token(journey, owned, "remove", journey.cause)
    else:
        owned.push = True
        added = register_token(journey, owned, "add")
        if before != "Opted In":
            change_state(journey, added, "push", "Opted In", "Push Token Registration")


def _update_system(journey: Journey) -> None:
    """Update the operating system of a device that is not in use; it never goes back."""
    for owned in journey.life.devices:
        updated = update_system(owned.device)
        if updated is not None and owned.session_ends < journey.now:
            owned.device = updated
            return


def _update_profile(journey: Journey) -> None:
    journey.emit("users.profile.Update", update_source="REST")


def _subscribe_again(journey: Journey) -> None:
    """Come back to a channel or a group, unless the address is invalid."""
    life, user = journey.life, journey.life.user
    if user.email is not None and not life.reach.undeliverable:
        change_state(journey, 0, "email", "Subscribed", _source(journey, _GLOBAL_SOURCES))
    for group in life.run.workspace.subscription_groups:
        known = user.email if group.channel == "email" else user.phone
        if known and life.reach.states.get(group.id) == "Unsubscribed":
            source = _source(journey, _GROUP_SOURCES.get(group.channel, ("REST API",)))
            change_state(journey, 0, group.channel, "Subscribed", source, group=group.id)
            return


def _source(journey: Journey, sources: Sequence[str]) -> str:
    return sources[int(journey.unit("source") * len(sources))]


def _leave_group(journey: Journey) -> None:
    """Leave one subscription group of email."""
    groups = journey.life.run.workspace.subscription_groups
    there = [each for each in groups if each.channel == "email"]
    group = there[int(journey.unit("group") * len(there))]
    if journey.life.user.email is not None:
        source = _source(journey, _GROUP_SOURCES["email"])
        change_state(journey, 0, "email", "Unsubscribed", source, group=group.id)


def run_agent(journey: Journey, source: str = "catalog") -> None:
    """Let an agent of the workspace do its work, with the tools it calls."""
    agents = journey.life.run.workspace.agents
    agent = agents[int(journey.unit("agent") * len(agents))]
    journey.facts = {
        "agent_id": agent.id,
        "agent_name": agent.name,
        "request_id": uuid_from(journey.key),
        "invocation_source": source,
    }
    for _ in range(int(journey.unit("tools") * 3)):
        journey.emit("agentconsole.ToolInvocation")
    journey.emit("agentconsole.AgentExecuted")


def _plan_component(journey: Journey) -> None:
    """Plan to store the content of a Content Optimizer.

    That happens to the workspace, not to a user; it is a part of the first user's life.
    """
    monthly = journey.life.run.chances.share("workspace.component")
    if monthly > 0.0:
        gap = -math.log(1.0 - journey.unit("gap", journey.count)) / (monthly / 30)
        journey.after(1 + int(gap * DAY), _store_component)


def _store_component(journey: Journey) -> None:
    journey.emit("contentoptimizer.ComponentStore")
    _plan_component(journey)


_NOW_AND_THEN: Mapping[str, _Happen] = {
    f"{_PREFIX}{name.replace(' ', '_')}": happen
    for name, happen in {
        "account deletion": _delete,
        "anonymous to known": _merge,
        "uninstall": _uninstall,
        "token refresh": _refresh_token,
        "push permission": _allow_push,
        "profile": _update_profile,
        "resubscription": _subscribe_again,
        "group": _leave_group,
        "agent": run_agent,
        "live activity": begin_activity,
        "system update": _update_system,
    }.items()
}
_NAMES = tuple(_NOW_AND_THEN)
