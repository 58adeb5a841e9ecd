"""What an event takes from the campaign or Canvas it belongs to."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import orjson

from ._ids import uuid4
from ._messaging import path_of
from ._model import (
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

__all__ = ["MESSAGE_FIELDS", "make_messages"]

#: Every field that `Message.fields` may hold.
MESSAGE_FIELDS = frozenset(
    {
        *("campaign_id", "campaign_name", "message_variation_id", "message_variation_name"),
        *("canvas_id", "canvas_name", "canvas_variation_id", "canvas_variation_name"),
        *("canvas_step_id", "canvas_step_name", "canvas_step_message_variation_api_id"),
        *("experiment_step_id", "experiment_split_id", "experiment_split_name"),
        *("in_control_group", "content_optimizer_step_id", "message_extras"),
        *("from_domain", "ip_pool", "esp", "sending_ip"),
        *("subscription_group_id", "from_phone_number", "inbound_phone_number"),
        *("from_rcs_sender", "to_rcs_sender", "line_channel_id", "line_channel_name"),
        *("template_name", "flow_id", "card_id", "content_card_id", "banner_placement_id"),
        *("feature_flag_id_name", "endpoint_url", "host", "url_path"),
    }
)

_EXTRAS: tuple[Mapping[str, object], ...] = (
    {"offer_code": "SAVE20", "segment": "high_value"},
    {"journey": "retention", "priority": 1},
    {"utm_source": "braze", "utm_medium": "crm"},
)
_GOALS: tuple[Mapping[str, object], ...] = (
    {"type": "Made Purchase", "window": 259_200},
    {"type": "Performed Custom Event", "custom_event": "Checkout Completed", "window": 86_400},
    {"type": "Started Session", "window": 43_200},
)
_LINKS = ("hero_cta", "product_grid", "view_all", "footer_help")
_PLACEMENTS = ("home_hero", "cart_top", "category_header")
_FLAGS = ("new_checkout", "loyalty_hub", "recommendations_v2")
_ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def make_messages(
    rng: random.Random,
    domain: str,
    *,
    campaigns: tuple[Campaign, ...],
    canvases: tuple[Canvas, ...],
    groups: tuple[SubscriptionGroup, ...],
    senders: tuple[EmailSender, ...],
) -> tuple[Message, ...]:
    """Every message an event can belong to, those sent most first.

    The first of each kind and channel has all that such a message can have.
    """
    maker = _Maker(rng, domain, groups, senders)
    return (
        *(message for each in campaigns for message in maker.of_campaign(each)),
        *(message for each in canvases for message in maker.of_canvas(each)),
        *(_of_group(each) for each in groups),
    )


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


class _Maker:
    def __init__(
        self,
        rng: random.Random,
        domain: str,
        groups: tuple[SubscriptionGroup, ...],
        senders: tuple[EmailSender, ...],
    ) -> None:
        self._rng = rng
        self._domain = domain
        self._groups = {group.channel: group for group in reversed(groups)}
        self._senders = senders
        self._seen: set[tuple[str, str]] = set()

    def of_campaign(self, campaign: Campaign) -> Iterator[Message]:
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

    def of_canvas(self, canvas: Canvas) -> Iterator[Message]:
        treated = [variation for variation in canvas.variations if not variation.control]
        following = (*(step.id for step in canvas.steps[1:]), None)
        for step, next_step in zip(canvas.steps, following, strict=True):
            common = self._common("canvas", step.channel, canvas)
            common |= {"first": step is canvas.steps[0], "next_step_id": next_step}
            for variation in treated:
                fields = _canvas_fields(canvas, variation) | {
                    "canvas_step_id": step.id,
                    "canvas_step_name": step.name,
                }
                if step.splits:
                    for split in step.splits:
                        more = _split_fields(step, split)
                        yield self._message(
                            common, step.channel, fields | more, control=split.control
                        )
                else:
                    fields["canvas_step_message_variation_api_id"] = step.message_variation_id
                    fields["content_optimizer_step_id"] = step.optimizer_id
                    fields["in_control_group"] = False
                    yield self._message(common, step.channel, fields)
        for variation in canvas.variations:
            if variation.control:
                fields = _canvas_fields(canvas, variation) | {"in_control_group": True}
                common = self._common("canvas", "entry", canvas)
                yield self._message(common, "entry", fields, control=True)

    def _common(
        self, kind: Literal["campaign", "canvas"], channel: str, whole: Campaign | Canvas
    ) -> dict[str, Any]:
        """What the variations of a campaign, or of a step, have in common."""
        rng = self._rng
        complete = (kind, channel) not in self._seen
        self._seen.add((kind, channel))
        return {
            "kind": kind,
            "region": whole.region,
            "shared": self._shared(channel, whole.name, complete=complete),
            "links": tuple(self._links(channel, whole.name)),
            "dispatch_key": f"{rng.getrandbits(64):016x}",
            "send_key": f"{rng.getrandbits(64):016x}" if complete or rng.random() < 0.5 else "",
            "goals": tuple(
                orjson.dumps(goal).decode()
                for goal in _GOALS[: 2 if complete else rng.randrange(1, 4)]
            ),
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
            fields=fields | common["shared"] | self._own(channel),
            links=common["links"],
            dispatch_key=common["dispatch_key"],
            send_key=common["send_key"],
            goals=common["goals"],
        )

    def _own(self, channel: str) -> dict[str, Any]:
        """What each variation has for itself."""
        if channel == "inappmessage":
            return {"card_id": uuid4(self._rng.getrandbits)}
        if channel == "contentcard":
            return {"content_card_id": uuid4(self._rng.getrandbits)}
        return {}

    def _shared(self, channel: str, name: str, *, complete: bool) -> dict[str, Any]:
        rng = self._rng
        fields: dict[str, Any] = {}
        if group := self._groups.get(channel):
            fields |= {"subscription_group_id": group.id, **group.sender}
        if complete or rng.random() < 0.4:
            fields["message_extras"] = orjson.dumps(rng.choice(_EXTRAS)).decode()
        slug = path_of(name).replace("/", "_").replace("-", "_")
        match channel:
            case "email":
                sender = rng.choice(self._senders)
                fields |= {
                    "from_domain": sender.from_domain,
                    "ip_pool": sender.ip_pool,
                    "esp": sender.esp,
                    "sending_ip": sender.sending_ip,
                }
            case "whatsapp":
                fields["template_name"] = f"{slug}_v{rng.randrange(1, 5)}"
                if complete or rng.random() < 0.25:
                    fields["flow_id"] = str(rng.randrange(10**14, 10**15))
            case "banner":
                fields["banner_placement_id"] = rng.choice(_PLACEMENTS)
            case "featureflag":
                fields["feature_flag_id_name"] = rng.choice(_FLAGS)
            case "webhook":
                host, path = f"hooks.{self._domain}", f"/braze/{slug}"
                fields |= {"endpoint_url": f"https://{host}{path}", "host": host, "url_path": path}
        return fields

    def _links(self, channel: str, name: str) -> Iterator[Link]:
        path = path_of(name)
        for alias in _LINKS:
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
        return "".join(self._rng.choices(_ALPHABET, k=length))


def _canvas_fields(canvas: Canvas, variation: CanvasVariation) -> dict[str, Any]:
    return {
        "canvas_id": canvas.id,
        "canvas_name": canvas.name,
        "canvas_variation_id": variation.id,
        "canvas_variation_name": variation.name,
    }


def _split_fields(step: CanvasStep, split: ExperimentSplit) -> dict[str, Any]:
    return {
        "experiment_step_id": step.id,
        "experiment_split_id": split.id,
        "experiment_split_name": split.name,
        "in_control_group": split.control,
    }
