"""Make the messages of campaigns and Canvases, with the fields that their events take."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import orjson

from .._data import read_data
from .._ids import uuid4
from .campaigns import path_of
from .channels import Channel
from .model import (
    App,
    Campaign,
    Canvas,
    CanvasStep,
    CanvasVariation,
    EmailSender,
    ExperimentSplit,
    Link,
    Message,
    SubscriptionGroup,
)

__all__ = ["GOALS", "MessageMaker"]

_DATA = read_data("workspace", "workspace.toml")

#: The types of conversion events, by what users do.
GOALS = {
    "purchase": "Makes Any Purchase",
    "session_start": "Starts Session",
    "app_upgrade": "Upgrades App",
    "email_open": "Opens Email",
    "email_click": "Clicks Email",
}
_CUSTOM, _CUSTOM_TYPE = "custom:", "Performs Custom Event"


class MessageMaker:
    """Make every message that an event can belong to.

    The first message of each kind and channel has everything that such a message can have.
    """

    def __init__(
        self,
        seed: int,
        domain: str,
        *,
        channels: Sequence[Channel],
        apps: Sequence[App],
        groups: Sequence[SubscriptionGroup],
        senders: Sequence[EmailSender],
    ) -> None:
        self._seed = seed
        self._rng = random.Random()
        self._domain = domain
        self._channels = {channel.id: channel for channel in channels}
        self._app_ids = [app.id for app in apps]
        self._groups = {group.channel: group for group in reversed(groups)}
        self._senders = senders
        self._seen: set[tuple[str, str]] = set()

    def make(
        self, campaigns: Sequence[Campaign], canvases: Sequence[Canvas]
    ) -> tuple[Message, ...]:
        """Return the messages, the most frequent first."""
        return (
            *self.of_campaigns(campaigns),
            *self.of_canvases(canvases),
            *(_of_group(each) for each in self._groups.values()),
        )

    def of_campaigns(self, campaigns: Iterable[Campaign]) -> Iterator[Message]:
        """Yield the messages of campaigns: one for each variation."""
        for each in campaigns:
            yield from self._of_campaign(each)

    def of_canvases(self, canvases: Iterable[Canvas]) -> Iterator[Message]:
        """Yield the messages of Canvases: one for each step and variation."""
        for each in canvases:
            yield from self._of_canvas(each)

    def _of_campaign(self, campaign: Campaign) -> Iterator[Message]:
        common = self._common("campaign", campaign.channel, campaign)
        for variation in campaign.variations:
            yield self._message(
                common,
                campaign.channel,
                {
                    "campaign_id": campaign.id,
                    "campaign_name": campaign.name,
                    "message_variation_id": variation.id,
                    "message_variation_name": variation.name,
                },
                control=variation.control,
            )

    def _of_canvas(self, canvas: Canvas) -> Iterator[Message]:
        treated = [variation for variation in canvas.variations if not variation.control]
        following = (*(step.id for step in canvas.steps[1:]), None)
        for step, next_step in zip(canvas.steps, following, strict=True):
            common = self._common("canvas", step.channel, canvas)
            common |= {"first": step is canvas.steps[0], "next_step_id": next_step}
            for variation in treated:
                fields = _canvas_fields(canvas, variation) | _step_fields(step)
                if step.splits:
                    for split in step.splits:
                        more = _split_fields(step, split)
                        yield self._message(
                            common, step.channel, fields | more, control=split.control
                        )
                else:
                    yield self._message(common, step.channel, fields)
        for variation in canvas.variations:
            if variation.control:
                fields = _canvas_fields(canvas, variation) | {"in_control_group": True}
                common = self._common("canvas", "entry", canvas)
                yield self._message(common, "entry", fields, control=True)

    def _common(
        self, kind: Literal["campaign", "canvas"], channel: str, whole: Campaign | Canvas
    ) -> dict[str, Any]:
        """Make the values that the variations of a campaign, or of a step, share."""
        # Seed by key, so that adding a channel or campaign does not change the others.
        rng = self._rng = random.Random(f"{self._seed}:message:{whole.id}:{channel}")
        complete = (kind, channel) not in self._seen
        self._seen.add((kind, channel))
        rules = whole.rules
        path = rules.path if rules else path_of(whole.name)
        common = {
            "kind": kind,
            "region": whole.region,
            "shared": self._shared(channel, path, complete=complete),
            "links": tuple(self._links(channel, path)),
            "dispatch_key": f"{rng.getrandbits(64):016x}",
            "rules": rules,
        }
        if rules is not None:
            return common | {"send_key": "", "goals": tuple(map(self._goal, rules.goals))}
        return common | {
            "send_key": f"{rng.getrandbits(64):016x}" if complete or rng.random() < 0.5 else "",
            "goals": tuple(self._goals(channel, 2 if complete else rng.randrange(1, 4))),
        }

    def _message(
        self,
        common: Mapping[str, Any],
        channel: str,
        fields: dict[str, Any],
        *,
        control: bool = False,
    ) -> Message:
        return Message(
            kind=common["kind"],
            channel=channel,
            region=common["region"],
            control=control,
            first=common.get("first", False),
            next_step_id=common.get("next_step_id"),
            fields=fields | common["shared"] | self._ids(channel),
            links=common["links"],
            dispatch_key=common["dispatch_key"],
            send_key=common["send_key"],
            goals=common["goals"],
            rules=common["rules"],
        )

    def _ids(self, channel: str) -> dict[str, Any]:
        """Make the ids that differ between variations."""
        return {
            name: uuid4(self._rng.getrandbits)
            for name in self._own_fields(channel)
            if name not in _OWN_FIELDS and name.endswith("_id")
        }

    def _shared(self, channel: str, path: str, *, complete: bool) -> dict[str, Any]:
        """Make the channel's own fields; if `complete`, also the optional ones."""
        rng = self._rng
        fields: dict[str, Any] = {}
        if group := self._groups.get(channel):
            fields |= {"subscription_group_id": group.id, **group.sender}
        if complete or rng.random() < 0.4:
            fields["message_extras"] = orjson.dumps(rng.choice(_DATA["message_extras"])).decode()
        sender = rng.choice(self._senders)
        for own in self._own_fields(channel):
            if own in _OWN_FIELDS and (complete or rng.random() >= _SELDOM.get(own, 0.0)):
                fields[own] = _OWN_FIELDS[own](rng, self._domain, path, sender)
        return fields

    def _own_fields(self, channel: str) -> tuple[str, ...]:
        return self._channels[channel].fields if channel in self._channels else ()

    def _goals(self, channel: str, count: int) -> Iterator[str]:
        goals = [*_DATA["goals"], *(_DATA["email_goals"] if channel == "email" else ())]
        # The primary goal is a purchase.
        for goal in [goals[0], *self._rng.sample(goals[1:], count - 1)]:
            yield self._to_json(goal)

    def _goal(self, wanted: tuple[str, int]) -> str:
        """Return a declared conversion event as JSON."""
        behavior, window = wanted
        if behavior.startswith(_CUSTOM):
            goal = {"type": _CUSTOM_TYPE, "custom_event_name": behavior.removeprefix(_CUSTOM)}
        else:
            known = (*_DATA["goals"], *_DATA["email_goals"])
            goal = next(dict(each) for each in known if each["type"] == GOALS[behavior])
        return self._to_json({**goal, "window": window})

    def _to_json(self, goal: Mapping[str, Any]) -> str:
        apps = {"app_ids": self._app_ids[:2]} if "app_ids" in goal else {}
        return orjson.dumps({**goal, **apps}).decode()

    def _links(self, channel: str, path: str) -> Iterator[Link]:
        for alias in _DATA["links"]:
            link_id = self._word(12).lower()
            query = f"utm_source=braze&utm_medium={channel}&utm_content={alias}"
            if channel == "email":
                query += f"&lid={link_id}"
            page = "help" if alias == "footer_help" else path
            yield Link(
                id=link_id,
                alias=alias,
                url=f"https://www.{self._domain}/{page}?{query}",
                short_url=f"https://go.{self._domain}/{self._word(6)}",
            )

    def _word(self, length: int) -> str:
        return "".join(self._rng.choices(_DATA["link_alphabet"], k=length))


def _of_group(group: SubscriptionGroup) -> Message:
    return Message(
        kind="group",
        channel=group.channel,
        region="Global",
        control=False,
        first=False,
        next_step_id=None,
        fields={"subscription_group_id": group.id, **group.sender},
        links=(),
        dispatch_key="",
        send_key="",
        goals=(),
    )


#: The makers of a channel's own fields, from the random generator, the brand's domain, the path of
#: the links, and the email sender.
_OWN_FIELDS: Mapping[str, Callable[[random.Random, str, str, EmailSender], str]] = {
    "from_domain": lambda _rng, _domain, _path, sender: sender.from_domain,
    "ip_pool": lambda _rng, _domain, _path, sender: sender.ip_pool,
    "esp": lambda _rng, _domain, _path, sender: sender.esp,
    "sending_ip": lambda _rng, _domain, _path, sender: sender.sending_ip,
    "click_url": lambda _rng, domain, path, _sender: f"https://www.{domain}/{path}",
    "template_name": lambda rng, _domain, path, _sender: f"{_slug(path)}_v{rng.randrange(1, 5)}",
    "flow_id": lambda rng, _domain, _path, _sender: str(rng.randrange(10**14, 10**15)),
    "banner_placement_id": lambda rng, _domain, _path, _sender: str(
        rng.choice(_DATA["banner_placements"])
    ),
    "feature_flag_id_name": lambda rng, _domain, _path, _sender: str(
        rng.choice(_DATA["feature_flags"])
    ),
    "endpoint_url": lambda _rng, domain, path, _sender: (
        f"https://hooks.{domain}/braze/{_slug(path)}"
    ),
    "host": lambda _rng, domain, _path, _sender: f"hooks.{domain}",
    "url_path": lambda _rng, _domain, path, _sender: f"/braze/{_slug(path)}",
}

#: The probability that a message lacks an optional field.
_SELDOM = {"flow_id": 0.75}


def _slug(path: str) -> str:
    return path.replace("/", "_").replace("-", "_")


def _canvas_fields(canvas: Canvas, variation: CanvasVariation) -> dict[str, Any]:
    return {
        "canvas_id": canvas.id,
        "canvas_name": canvas.name,
        "canvas_variation_id": variation.id,
        "canvas_variation_name": variation.name,
    }


def _step_fields(step: CanvasStep) -> dict[str, Any]:
    kinds = _DATA["canvas"]["step_types"]
    fields: dict[str, Any] = {
        "canvas_step_id": step.id,
        "canvas_step_name": step.name,
        "canvas_step_type": kinds.get(step.channel, kinds["message"]),
    }
    if step.optimizer_id:
        fields["canvas_step_message_variation_api_id"] = step.message_variation_id
        fields["content_optimizer_step_id"] = step.optimizer_id
        fields["in_control_group"] = False
    return fields


def _split_fields(step: CanvasStep, split: ExperimentSplit) -> dict[str, Any]:
    return {
        "experiment_step_id": step.id,
        "experiment_split_id": split.id,
        "experiment_split_name": split.name,
        "in_control_group": split.control,
    }
