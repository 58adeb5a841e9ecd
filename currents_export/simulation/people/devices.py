"""Make devices: models with matching systems, browsers and advertising ids."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

import attrs

from .._data import read_data, read_rows, split
from .._draws import Draws
from .._ids import Bits, base64url, curve_point, uuid4
from ..workspace.model import App
from .model import Browser, Device, Place

__all__ = ["PLATFORMS", "make_device", "make_push_token", "update_system"]


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
    """A device model with an operating system.

    Attributes:
        name: the model, as the SDK names it.
        resolution: in pixels.
        system: the version of the operating system.
        browsers: the browsers that it can have, each as often as its weight says.
    """

    name: str
    resolution: str
    system: str
    browsers: tuple[Browser, ...]


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
_PEOPLE = read_data("people", "people.toml")
_DEVELOPMENT: float = _PEOPLE["development_gateway"]
_PROVISIONAL: float = _PEOPLE["provisional_push"]
_FOREGROUND_DISABLED: float = _PEOPLE["foreground_push_disabled"]


def _browsers(model: Mapping[str, str], system: str) -> Iterator[Browser]:
    """Yield the browsers that a model can have, each as often as its weight says."""
    code = model["code"]
    for row in read_rows("people", "browsers.tsv"):
        if row["platform"] == model["platform"] and fnmatchcase(model["model"], row["model"]):
            browser = Browser(
                user_agent=row["user_agent"].format(
                    code=code,
                    system=system,
                    underscored=system.replace(".", "_"),
                    minor=".".join(system.split(".")[:2]),
                ),
                name=row["browser"],
                device_class=row["device_class"],
                device_os=row["device_os"],
                device_model=row["device_model"].format(code=code),
            )
            yield from [browser] * int(row["weight"])


def _systems(model: Mapping[str, str]) -> tuple[_Model, ...]:
    """Return a model with each of its operating systems."""
    return tuple(
        _Model(model["model"], model["resolution"], system, tuple(_browsers(model, system)))
        for system in split(model["systems"])
    )


#: The models of each platform, each as often as its weight says, with each of its systems.
_MODELS: Mapping[str, list[tuple[_Model, ...]]] = {
    platform: [
        systems
        for row in read_rows("people", "models.tsv")
        if row["platform"] == platform
        for systems in [_systems(row)] * int(row["weight"])
    ]
    for platform in PLATFORMS
}

#: The same by platform and name, with the places of the systems.
_SYSTEMS: Mapping[tuple[str, str], Mapping[str, tuple[int, tuple[_Model, ...]]]] = {
    (platform, systems[0].name): {
        model.system: (place, systems) for place, model in enumerate(systems)
    }
    for platform, models in _MODELS.items()
    for systems in models
}

#: The parts of a platform's push tokens: each is a text, and the form and number of random bytes.
_TOKENS: Mapping[str, list[tuple[str, str, int]]] = {
    platform: [
        (text, form, int(size))
        for text, form, size in re.findall(
            r"([^{]*)\{(hex|base)(\d+)\}", _PEOPLE["push_tokens"].get(platform, "{hex32}")
        )
    ]
    for platform in PLATFORMS
}


def make_device(draws: Draws, app: App, place: Place, *, since: int, open_: bool) -> Device:
    """Make a device that runs `app`.

    Args:
        draws: the source of randomness.
        app: the app; its platform is the device's.
        place: where the user lives.
        since: when the user was first seen, in seconds since the epoch.
        open_: whether the user withholds nothing, so that push and ad tracking are on.
    """
    random, bits, platform = draws.random, draws.bits, PLATFORMS[app.platform]
    models = _MODELS[platform.name]
    systems = models[0] if open_ else models[int(random() * len(models))]
    model = systems[int(random() * len(systems))]
    browsers = model.browsers
    browser = browsers[int(random() * len(browsers))] if browsers else None
    tracked = open_ or random() < platform.tracked
    # Without permission, too, an app has a token.
    push = platform.push
    ios, web = platform.name == "ios", platform.name == "web"
    carrier = None
    if platform.mobile and browser is not None and browser.device_class == "mobile":
        carrier = place.carriers[int(random() * len(place.carriers))]
    return Device(
        id=uuid4(bits),
        app=app,
        model=model.name,
        os_version=model.system,
        resolution=model.resolution,
        carrier=carrier,
        browser=browser,
        ad_id=uuid4(bits) if platform.ad_id_type and tracked else None,
        ad_id_type=platform.ad_id_type if tracked else None,
        ad_tracking_enabled=tracked if platform.ad_id_type else None,
        push_token=make_push_token(bits, platform.name) if push else None,
        push_token_created_at=since + int(random() * 86_400 * 20) if push else None,
        push_to_start_token=f"{bits(640):0160x}" if ios else None,
        ios_push_token_apns_gateway=(1 if not open_ and random() < _DEVELOPMENT else 2)
        if ios
        else None,
        provisionally_opted_in=random() < _PROVISIONAL if ios else None,
        foreground_push_disabled=random() < _FOREGROUND_DISABLED if push and not web else None,
        web_push_public_key=curve_point(bits) if web and push else None,
        web_push_user_auth=base64url(bits, 16) if web and push else None,
        session_key=bits(64),
    )


def update_system(device: Device) -> Device | None:
    """Return a device with the next version of its operating system; None if it has the last."""
    place, systems = _SYSTEMS[device.platform, device.model][device.os_version]
    if place + 1 == len(systems):
        return None
    former, model = systems[place], systems[place + 1]
    browser = device.browser and model.browsers[former.browsers.index(device.browser)]
    return attrs.evolve(device, os_version=model.system, browser=browser)


def make_push_token(bits: Bits, platform: str) -> str:
    """Make a token in the form of the platform's push service."""
    token = ""
    for text, form, size in _TOKENS[platform]:
        token += text + (
            f"{bits(8 * size):0{2 * size}x}" if form == "hex" else base64url(bits, size)
        )
    return token
