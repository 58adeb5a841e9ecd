"""Make devices: models with matching systems, browsers and advertising ids."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase

import attrs

from .._data import read_data, read_rows, split
from .._ids import base64url, curve_point, uuid4
from ..workspace.model import App
from .model import Browser, Device, Place

__all__ = ["PLATFORMS", "make_device", "make_push_token"]


@attrs.frozen
class Platform:
    """The properties that the devices of a platform share.

    Attributes:
        name: the platform.
        first_device: its weight for a user's first device.
        next_device: its weight for each further device.
        ad_id_type: the kind of its advertising identifier; None when it has none.
        tracked: the share of users who allow tracking.
        push: whether it has push.
        mobile: whether its devices have a mobile carrier.
    """

    name: str
    first_device: int
    next_device: int
    ad_id_type: str | None
    tracked: float
    push: bool
    mobile: bool


@attrs.frozen
class _Model:
    """A device model, as the SDK names it (`name`) and as user agents do (`code`)."""

    name: str
    code: str
    resolution: str
    systems: tuple[str, ...]
    weight: int


PLATFORMS: Mapping[str, Platform] = {
    row["platform"]: Platform(
        name=row["platform"],
        first_device=int(row["first_device"]),
        next_device=int(row["next_device"]),
        ad_id_type=row["ad_id_type"] or None,
        tracked=float(row["tracked"]),
        push=row["push"] == "yes",
        mobile=row["mobile"] == "yes",
    )
    for row in read_rows("people", "platforms.tsv")
}
_MODELS: Mapping[str, tuple[_Model, ...]] = {
    platform: tuple(
        _Model(
            row["model"],
            row["code"],
            row["resolution"],
            split(row["systems"]),
            int(row["weight"]),
        )
        for row in read_rows("people", "models.tsv")
        if row["platform"] == platform
    )
    for platform in PLATFORMS
}
_BROWSERS = read_rows("people", "browsers.tsv")
_PEOPLE = read_data("people", "people.toml")


def make_device(rng: random.Random, app: App, place: Place, *, since: int, open_: bool) -> Device:
    """Make a device that runs `app`.

    Args:
        rng: the source of randomness.
        app: the app; its platform is the device's.
        place: where the user lives.
        since: when the user was first seen, in seconds since the epoch.
        open_: whether the user withholds nothing, so that push and ad tracking are on.
    """
    bits, platform = rng.getrandbits, PLATFORMS[app.platform]
    models = _MODELS[platform.name]
    model = models[0] if open_ else rng.choices(models, [each.weight for each in models])[0]
    system = rng.choice(model.systems)
    browser = _browser(rng, platform.name, model, system)
    tracked = open_ or rng.random() < platform.tracked
    push = platform.push and (open_ or rng.random() < _PEOPLE["push"])
    ios, web = platform.name == "ios", platform.name == "web"
    development = not open_ and rng.random() < _PEOPLE["development_gateway"]
    ad_id, device_id = uuid4(bits), uuid4(bits)
    return Device(
        id=device_id,
        app=app,
        model=model.name,
        os_version=system,
        resolution=model.resolution,
        carrier=rng.choice(place.carriers) if platform.mobile and _has_carrier(browser) else None,
        browser=browser,
        ad_id=ad_id if platform.ad_id_type and tracked else None,
        ad_id_type=platform.ad_id_type if tracked else None,
        ad_tracking_enabled=tracked if platform.ad_id_type else None,
        push_token=make_push_token(rng, platform.name) if push else None,
        push_token_created_at=since + int(rng.random() * 86_400 * 20) if push else None,
        push_to_start_token=f"{bits(640):0160x}" if ios else None,
        ios_push_token_apns_gateway=(1 if development else 2) if ios else None,
        provisionally_opted_in=rng.random() < _PEOPLE["provisional_push"] if ios else None,
        foreground_push_disabled=rng.random() < _PEOPLE["foreground_push_disabled"]
        if push and not web
        else None,
        web_push_public_key=curve_point(bits) if web and push else None,
        web_push_user_auth=base64url(bits, 16) if web and push else None,
        session_key=bits(64),
    )


def _has_carrier(browser: Browser | None) -> bool:
    return browser is not None and browser.device_class == "mobile"


def _browser(rng: random.Random, platform: str, model: _Model, system: str) -> Browser | None:
    """Draw one of the browsers that the device can have; None if it has no browser."""
    rows = [
        row
        for row in _BROWSERS
        if row["platform"] == platform and fnmatchcase(model.name, row["model"])
    ]
    if not rows:
        return None
    (row,) = rng.choices(rows, [int(row["weight"]) for row in rows])
    return Browser(
        user_agent=row["user_agent"].format(
            code=model.code,
            system=system,
            underscored=system.replace(".", "_"),
            minor=".".join(system.split(".")[:2]),
        ),
        name=row["browser"],
        device_class=row["device_class"],
        device_os=row["device_os"],
        device_model=row["device_model"].format(code=model.code),
    )


def make_push_token(rng: random.Random, platform: str) -> str:
    """Make a token in the form of the platform's push service; `{hex32}` is 32 random bytes."""
    bits = rng.getrandbits

    def random_text(match: re.Match[str]) -> str:
        size = int(match[2])
        return f"{bits(8 * size):0{2 * size}x}" if match[1] == "hex" else base64url(bits, size)

    template: str = _PEOPLE["push_tokens"].get(platform, "{hex32}")
    return re.sub(r"\{(hex|base)(\d+)\}", random_text, template)
