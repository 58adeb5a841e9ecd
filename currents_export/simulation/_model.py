"""What a world consists of: users and their devices, apps, messages, and the shop behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import attrs

__all__ = [
    "Agent",
    "App",
    "Browser",
    "Campaign",
    "Canvas",
    "CanvasStep",
    "CanvasVariation",
    "Device",
    "EmailSender",
    "ExperimentSplit",
    "Link",
    "Message",
    "MessageVariation",
    "Place",
    "Product",
    "SubscriptionGroup",
    "Tool",
    "User",
    "Workspace",
]


@attrs.frozen
class Place:
    """A city and what goes with living there.

    Attributes:
        city: its name.
        country: ISO 3166-1 alpha-2.
        region: the part of the world, as campaigns are named after it.
        timezone: IANA name.
        language: ISO 639-1.
        currency: ISO 4217.
        latitude: degrees north.
        longitude: degrees east.
        faker_locale: the Faker locale that names its people.
        phone: its phone numbers: how they begin, how many digits follow, and the numbers that
            those digits can be.
        carriers: mobile carriers.
    """

    city: str
    country: str
    region: str
    timezone: str
    language: str
    currency: str
    latitude: float
    longitude: float
    faker_locale: str
    phone: tuple[str, int, Sequence[int]]
    carriers: tuple[str, ...]

    @property
    def locale_key(self) -> str:
        """Such as `en-us`."""
        return f"{self.language}-{self.country}".lower()


@attrs.frozen
class App:
    """An app of the workspace: one for each platform."""

    id: str
    name: str
    platform: str
    sdk_version: str


@attrs.frozen
class Browser:
    """What a receiver can tell from the user agent of a click or an open."""

    user_agent: str
    name: str | None = None
    device_class: str | None = None
    device_os: str | None = None
    device_model: str | None = None


@attrs.frozen
class Device:
    """A device of a user; what the platform does not have is None.

    Attributes:
        id: a UUID.
        app: the app it runs; its platform is the device's.
        model: such as `iPhone 15 Pro`; on the web, the kind of computer.
        os_version: such as `17.5.1`.
        resolution: in pixels, such as `1179x2556`.
        carrier: the mobile carrier.
        browser: its web browser.
        ad_id: the advertising identifier, unless the user keeps it back.
        ad_id_type: the kind of the advertising identifier.
        ad_tracking_enabled: whether the user allows it to be used.
        push_token: what the push service knows it by; None without push.
        push_token_created_at: in seconds since the epoch.
        push_to_start_token: the token that starts a Live Activity.
        ios_push_token_apns_gateway: 1 development, 2 production.
        provisionally_opted_in: whether push was allowed provisionally (iOS).
        foreground_push_disabled: whether push in the foreground is off.
        web_push: the public key, the user auth and the VAPID public key of a web push token.
        session_key: 64 bits that set its session ids apart from other devices'.
    """

    id: str
    app: App
    model: str
    os_version: str
    resolution: str | None
    carrier: str | None
    browser: Browser | None
    ad_id: str | None
    ad_id_type: str | None
    ad_tracking_enabled: bool | None
    push_token: str | None
    push_token_created_at: int | None
    push_to_start_token: str | None
    ios_push_token_apns_gateway: int | None
    provisionally_opted_in: bool | None
    foreground_push_disabled: bool | None
    web_push: tuple[str, str, str] | None
    session_key: int

    @property
    def platform(self) -> str:
        """`ios`, `android`, `kindle`, `web`, `tvos` or `roku`."""
        return self.app.platform

    @property
    def browser_name(self) -> str | None:
        """The browser's name, on the web alone."""
        return self.browser.name if self.app.platform == "web" and self.browser else None

    @property
    def web_push_public_key(self) -> str | None:
        """The public key of a web push token."""
        return self.web_push and self.web_push[0]

    @property
    def web_push_user_auth(self) -> str | None:
        """The user auth of a web push token."""
        return self.web_push and self.web_push[1]

    @property
    def web_push_vapid_public_key(self) -> str | None:
        """The VAPID public key of a web push token."""
        return self.web_push and self.web_push[2]


@attrs.frozen
class User:
    """A user; what is not known of an anonymous one is None.

    Attributes:
        id: Braze's id, a BSON ObjectId of 24 hexadecimal digits.
        external_id: the customer's id; None for an anonymous user.
        email: an address on a domain that RFC 2606 reserves.
        phone: E.164, from ranges kept for fiction, or that no operator gives out.
        dob: the date of birth, `YYYY-MM-DD`.
        mailbox_provider: who runs the mailbox.
        native_line_id: the id that LINE gives.
        bsuid: the business-scoped user id that WhatsApp gives.
        browsers: the browsers of the user's devices.
        user_agent: the user agent of the phone, whether it runs an app of the brand or not.
    """

    id: str
    external_id: str | None
    first_name: str | None
    last_name: str | None
    email: str | None
    phone: str | None
    gender: str | None
    dob: str | None
    place: Place
    mailbox_provider: str | None
    native_line_id: str | None
    bsuid: str | None
    devices: tuple[Device, ...]
    browsers: tuple[Browser, ...]
    user_agent: str

    @property
    def email_domain(self) -> str | None:
        """What follows the `@` of the address."""
        return self.email and self.email.partition("@")[2]


@attrs.frozen
class MessageVariation:
    """A variation of a campaign; `control` marks the control group."""

    id: str
    name: str
    control: bool = False


@attrs.frozen
class Campaign:
    """A campaign of one channel, for users in one region or in all of them (`Global`)."""

    id: str
    name: str
    region: str
    channel: str
    variations: tuple[MessageVariation, ...]


@attrs.frozen
class ExperimentSplit:
    """A path of an experiment step; `control` marks the control group."""

    id: str
    name: str
    control: bool = False


@attrs.frozen
class CanvasStep:
    """A step of a Canvas.

    Attributes:
        channel: the channel of a message step; `experiment` for an experiment step.
        message_variation_id: the message variation inside a message step.
        splits: the paths of an experiment step.
        optimizer_id: the content optimizer that writes the message.
    """

    id: str
    name: str
    channel: str
    message_variation_id: str = ""
    splits: tuple[ExperimentSplit, ...] = ()
    optimizer_id: str = ""


@attrs.frozen
class CanvasVariation:
    """A variation of a Canvas; `control` marks the control group, which takes no steps."""

    id: str
    name: str
    control: bool = False


@attrs.frozen
class Canvas:
    """A Canvas: its variations, and its steps in order; for a region, as a campaign is."""

    id: str
    name: str
    region: str
    variations: tuple[CanvasVariation, ...]
    steps: tuple[CanvasStep, ...]


@attrs.frozen
class SubscriptionGroup:
    """A subscription group and, of a phone or chat channel, who sends for it.

    Attributes:
        sender: the sender's fields: `from_phone_number`, `from_rcs_sender`, `line_channel_id` ...
    """

    id: str
    name: str
    channel: str
    sender: Mapping[str, str]


@attrs.frozen
class EmailSender:
    """Where email goes out."""

    from_domain: str
    ip_pool: str
    esp: str
    sending_ip: str


@attrs.frozen
class Product:
    """A product of the shop, with its price in each currency."""

    id: str
    name: str
    category: str
    prices: Mapping[str, float]


@attrs.frozen
class Tool:
    """A tool of an agent; `arguments` maps each argument to the values it takes."""

    name: str
    arguments: Mapping[str, tuple[Any, ...]]


@attrs.frozen
class Agent:
    """An agent of the agent console."""

    id: str
    name: str
    model_name: str
    model_provider: str
    llm_owned_by_customer: bool
    task: str
    answers: tuple[str, ...]
    tools: tuple[Tool, ...]


@attrs.frozen
class Link:
    """A link in a message."""

    id: str
    alias: str
    url: str
    short_url: str


@attrs.frozen
class Message:
    """A message variation of a campaign, or a step of a Canvas in one of its variations.

    Attributes:
        kind: `campaign`, `canvas`; or `group` for what belongs to neither, but to the channel's
            subscription group, such as a text that a user sends unasked.
        channel: the channel.
        region: where its users live; `Global` when they live anywhere.
        control: whether it stands for a control group.
        first: whether it is a Canvas's first step.
        next_step_id: the step that follows it in the Canvas.
        fields: what an event takes from it, by field name.
        links: the links in it.
        dispatch_key: 16 hexadecimal digits, the end of its dispatch ids.
        send_key: the same for send ids; empty when its sends are not tracked by one.
        goals: its conversion behaviors, each as JSON, the primary one first.
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


@attrs.frozen
class Workspace:
    """Everything of a world but its users."""

    app_group_id: str
    brand: str
    domain: str
    apps: tuple[App, ...]
    subscription_groups: tuple[SubscriptionGroup, ...]
    email_senders: tuple[EmailSender, ...]
    products: tuple[Product, ...]
    campaigns: tuple[Campaign, ...]
    canvases: tuple[Canvas, ...]
    messages: tuple[Message, ...]
    news_feed_cards: tuple[str, ...]
    agents: tuple[Agent, ...]
    catalog_id: str
