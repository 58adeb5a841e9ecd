"""The parts of a workspace."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

import attrs

from .._settings import TimePoint
from .assets import Agent, CanvasDestination, LandingPage, Product, Survey
from .rules import Rules

__all__ = [
    "App",
    "Campaign",
    "Canvas",
    "CanvasPath",
    "CanvasStep",
    "CanvasVariation",
    "EmailSender",
    "ExperimentSplit",
    "Link",
    "Message",
    "MessageVariation",
    "Schedule",
    "SubscriptionGroup",
    "Workspace",
]


@attrs.frozen
class App:
    """An app of the workspace, one for each platform.

    Attributes:
        id: a UUID.
        name: its name, which begins with the brand.
        platform: `ios`, `android`, `kindle`, `web`, `tvos` or `roku`.
        sdk_version: the version of Braze's SDK in it.
        former_sdk_version: the same for its last release but one.
        vapid_public_key: the key that all web push subscriptions of a web app are made with; None
            for other apps.
    """

    id: str
    name: str
    platform: str
    sdk_version: str
    vapid_public_key: str | None = None
    former_sdk_version: str = ""

    @property
    def former(self) -> App:
        """The app's last release but one."""
        return _former(self)


@cache
def _former(app: App) -> App:
    return attrs.evolve(app, sdk_version=app.former_sdk_version or app.sdk_version)


@attrs.frozen
class MessageVariation:
    """A variation of a campaign.

    Attributes:
        id: a UUID.
        name: its name.
        control: whether it is the control group.
    """

    id: str
    name: str
    control: bool = False


@attrs.frozen
class Schedule:
    """When a scheduled campaign goes out: every week, or once.

    Attributes:
        days: the days of the week; Monday is 0. Empty for a campaign that goes out once.
        second: the second of the day.
        local: whether that is in the time zone of each user; otherwise in UTC.
        once: the only time, as clocks show it; None for a campaign that goes out every week.
    """

    days: tuple[int, ...]
    second: int
    local: bool
    once: TimePoint | None = None


@attrs.frozen
class Campaign:
    """A campaign of one channel.

    Attributes:
        id: a UUID.
        name: its name.
        region: where its users live; `Global` for everywhere.
        channel: its channel, as in the names of event types.
        variations: its variations.
        schedule: when it goes out; None for an action-based campaign.
        event: for an action-based campaign, what a user does to get its message: `session_start`,
            `purchase`, or `custom:` and the name of a custom event.
        delay: for an action-based campaign, how many seconds after that it goes out.
        share: the share of users in its audience, between 0 and 1. With rules, these are always the
            same users.
        rules: its own rules; None if it has those of the workspace.
    """

    id: str
    name: str
    region: str
    channel: str
    variations: tuple[MessageVariation, ...]
    schedule: Schedule | None = None
    event: str = ""
    delay: int = 0
    share: float = 1.0
    rules: Rules | None = None


@attrs.frozen
class ExperimentSplit:
    """A path of an experiment step.

    Attributes:
        id: a UUID.
        name: its name.
        control: whether it is the control group.
    """

    id: str
    name: str
    control: bool = False


@attrs.frozen
class CanvasPath:
    """A path of a Canvas step that splits users.

    Attributes:
        name: its name.
        share: the share of users who take it, from 0 to 1.
        next: the index of the step that comes next; the number of steps for the end.
    """

    name: str
    share: float
    next: int


@attrs.frozen
class CanvasStep:
    """A step of a Canvas.

    Attributes:
        id: a UUID.
        name: its name.
        channel: the channel of a message step; for another step its kind: `experiment`,
            `decision` (a Decision Split), `audience` (Audience Paths), `destination` (passes users
            on to an external destination) or `update` (changes the user's profile).
        message_variation_id: the message variation inside a message step; otherwise empty.
        splits: the paths of an experiment step.
        optimizer_id: the content optimizer that writes the message; empty if there is none.
        delay: how many seconds after the step before it comes.
        paths: the paths of a step that splits users by shares, for an experiment step in the order
            of `splits`; empty if it splits them as it usually does.
    """

    id: str
    name: str
    channel: str
    message_variation_id: str = ""
    splits: tuple[ExperimentSplit, ...] = ()
    optimizer_id: str = ""
    delay: int = 0
    paths: tuple[CanvasPath, ...] = ()


@attrs.frozen
class CanvasVariation:
    """A variation of a Canvas.

    Attributes:
        id: a UUID.
        name: its name.
        control: whether it is the control group, which takes no steps.
    """

    id: str
    name: str
    control: bool = False


@attrs.frozen
class Canvas:
    """A Canvas: a journey of several steps.

    Attributes:
        id: a UUID.
        name: its name.
        region: where its users live; `Global` for everywhere.
        variations: its variations.
        steps: its steps, in their order.
        entry: what a user does to enter it: `first_session`, `purchase`, `custom:` and the name of
            a custom event, or `lapsed` for users without a session for two weeks.
        entry_delay: how many seconds after that the user enters.
        exit: what makes a user leave it before its end.
        share: the share of users in its audience, from 0 to 1: always the same users.
        rules: its own rules; None if it has those of the workspace.
    """

    id: str
    name: str
    region: str
    variations: tuple[CanvasVariation, ...]
    steps: tuple[CanvasStep, ...]
    entry: str
    entry_delay: int
    exit: tuple[str, ...]
    share: float = 1.0
    rules: Rules | None = None


@attrs.frozen
class SubscriptionGroup:
    """A subscription group and, for a phone or chat channel, its sender.

    Attributes:
        id: a UUID.
        name: its name, which begins with the brand.
        channel: its channel.
        sender: the sender's fields: `from_phone_number`, `from_rcs_sender`, `line_channel_id` ...
    """

    id: str
    name: str
    channel: str
    sender: Mapping[str, str]


@attrs.frozen
class EmailSender:
    """A sender of email.

    Attributes:
        from_domain: the domain of its addresses.
        ip_pool: the name of its IP pool.
        esp: the email service provider.
        sending_ip: the IP address it sends from.
    """

    from_domain: str
    ip_pool: str
    esp: str
    sending_ip: str


@attrs.frozen
class Link:
    """A link in a message.

    Attributes:
        id: the id by which Braze counts its clicks.
        alias: its name in reports.
        url: the page it leads to.
        short_url: the shortened form of `url`.
    """

    id: str
    alias: str
    url: str
    short_url: str


@attrs.frozen
class Message:
    """A message variation of a campaign, or a step of a Canvas in one of its variations.

    Attributes:
        kind: `campaign` or `canvas`; or `group` for a message that belongs only to the channel's
            subscription group, such as an unprompted text from a user.
        channel: the channel.
        region: where its users live; `Global` for everywhere.
        control: whether it stands for a control group.
        first: whether it is a Canvas's first step.
        next_step_id: the step that follows it in the Canvas.
        fields: the values that an event takes from it, by field name.
        links: the links in it.
        dispatch_key: 16 hexadecimal digits, the end of its dispatch ids.
        send_key: the same for send ids; empty if its sends have no id.
        goals: its conversion behaviors, each as JSON, the primary one first.
        rules: the rules of its campaign or Canvas; None if it has those of the workspace.
    """

    kind: Literal["campaign", "canvas", "group"]
    channel: str
    region: str
    control: bool
    first: bool
    next_step_id: str | None
    fields: Mapping[str, Any]
    links: tuple[Link, ...]
    dispatch_key: str
    send_key: str
    goals: tuple[str, ...]
    rules: Rules | None = None


@attrs.frozen
class Workspace:
    """Everything in a world except its users.

    Attributes:
        channel_names: the channels' names in the field `channel`, by their names in event types.
    """

    app_group_id: str
    brand: str
    domain: str
    channel_names: Mapping[str, str]
    apps: tuple[App, ...]
    subscription_groups: tuple[SubscriptionGroup, ...]
    email_senders: tuple[EmailSender, ...]
    products: tuple[Product, ...]
    campaigns: tuple[Campaign, ...]
    canvases: tuple[Canvas, ...]
    messages: tuple[Message, ...]
    landing_pages: tuple[LandingPage, ...]
    surveys: tuple[Survey, ...]
    destinations: tuple[CanvasDestination, ...]
    news_feed_cards: tuple[str, ...]
    agents: tuple[Agent, ...]
    catalog_id: str
