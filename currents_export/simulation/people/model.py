"""Users, their places and their devices."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ..workspace.model import App

__all__ = ["Browser", "Device", "Place", "User"]


@attrs.frozen
class Place:
    """A city, and what the people who live there have in common.

    Attributes:
        city: its name.
        country: ISO 3166-1 alpha-2.
        region: the part of the world, as in the names of campaigns.
        timezone: IANA name.
        language: ISO 639-1.
        currency: ISO 4217.
        latitude: degrees north.
        longitude: degrees east.
        faker_locale: the Faker locale that names its people.
        phone: the form of its phone numbers: their prefix, how many digits follow, and the numbers
            that those digits can be.
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
        """The language and the country, such as `en-us`."""
        return f"{self.language}-{self.country}".lower()


@attrs.frozen
class Browser:
    """What a click or an open reveals in its user agent.

    Attributes:
        user_agent: the header.
        name: the browser.
        device_class: `mobile`, `tablet` or `desktop`.
        device_os: the family of the operating system, such as `Android`.
        device_model: the model.
    """

    user_agent: str
    name: str
    device_class: str
    device_os: str
    device_model: str


@attrs.frozen
class Device:
    """A device of a user; attributes that the platform does not have are None.

    Attributes:
        id: a UUID.
        app: the app it runs; its platform is the device's.
        model: such as `iPhone16,1`; on the web, the kind of computer.
        os_version: such as `17.7.2`.
        resolution: in pixels, such as `1179x2556`.
        carrier: the mobile carrier.
        browser: its web browser.
        ad_id: the advertising identifier, unless the user withholds it.
        ad_id_type: the kind of the advertising identifier.
        ad_tracking_enabled: whether the user allows it to be used.
        push_token: its token at the push service; None without push.
        push_token_created_at: in seconds since the epoch.
        push_to_start_token: the token that starts a Live Activity.
        ios_push_token_apns_gateway: 1 development, 2 production.
        provisionally_opted_in: whether push was allowed provisionally (iOS).
        foreground_push_disabled: whether visible push is off; None for web push tokens.
        web_push_public_key: the public key of a web push token.
        web_push_user_auth: the authentication secret of a web push token.
        session_key: 64 bits that distinguish its session ids from those of other devices.
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
    web_push_public_key: str | None
    web_push_user_auth: str | None
    session_key: int

    @property
    def platform(self) -> str:
        """`ios`, `android`, `kindle`, `web`, `tvos` or `roku`."""
        return self.app.platform

    @property
    def browser_name(self) -> str | None:
        """The browser's name; only on the web."""
        return self.browser.name if self.app.platform == "web" and self.browser else None

    @property
    def web_push_vapid_public_key(self) -> str | None:
        """The VAPID public key of a web push token, which is the app's."""
        return self.app.vapid_public_key if self.web_push_public_key else None


@attrs.frozen
class User:
    """A user; attributes that are unknown for an anonymous user are None.

    Attributes:
        number: the user's position in the world's `users`.
        id: Braze's id, a BSON ObjectId of 24 hexadecimal digits.
        created: when the user was first seen, in seconds since the epoch; `id` begins with it.
        external_id: the customer's id; None for an anonymous user.
        first_name: the first name.
        last_name: the last name.
        email: an address on a domain that RFC 2606 reserves.
        phone: E.164, from ranges that are reserved for fiction or that no operator assigns.
        gender: `F`, `M`, `O` (other), `N` (not applicable) or `P` (prefers not to say).
        dob: the date of birth, as events write it: `1996-04-13T00:00:00.000+00:00`.
        place: where the user lives.
        mailbox_provider: who runs the mailbox.
        native_line_id: the user's id at LINE.
        bsuid: the user's business-scoped id at WhatsApp.
        devices: the devices with an app of the brand.
        browsers: the browsers of the user's devices.
        user_agent: the user agent of the user's phone, which may have no app of the brand.
    """

    number: int
    id: str
    created: int
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
        """The part of the address after the `@`."""
        return self.email and self.email.partition("@")[2]
