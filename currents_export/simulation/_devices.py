"""Devices: models with the systems, browsers and advertising ids that go with them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import attrs

from ._ids import base64url, uuid4
from ._model import App, Browser, Device, Place

__all__ = ["browser_for", "make_device"]


@attrs.frozen
class _Model:
    """A device model: as the SDK and as user agents name it, its resolution and its systems."""

    name: str
    code: str
    resolution: str
    systems: tuple[str, ...]


_IOS = ("17.7.2", "18.5", "18.6.2", "18.7.1", "26.0.1", "26.1")
_MODELS: Mapping[str, tuple[_Model, ...]] = {
    "ios": (
        _Model("iPhone16,1", "iPhone", "1179x2556", _IOS),
        _Model("iPhone17,3", "iPhone", "1179x2556", _IOS[1:]),
        _Model("iPhone17,2", "iPhone", "1320x2868", _IOS[1:]),
        _Model("iPhone14,7", "iPhone", "1170x2532", _IOS),
        _Model("iPhone14,5", "iPhone", "1170x2532", _IOS),
        _Model("iPhone14,6", "iPhone", "750x1334", _IOS[:4]),
        _Model("iPad13,18", "iPad", "1640x2360", _IOS),
    ),
    "android": (
        _Model("Pixel 8", "Pixel 8", "1080x2400", ("14", "15", "16")),
        _Model("Pixel 9 Pro", "Pixel 9 Pro", "1280x2856", ("15", "16")),
        _Model("SM-S911B", "SM-S911B", "1080x2340", ("14", "15")),
        _Model("SM-S928B", "SM-S928B", "1440x3120", ("14", "15", "16")),
        _Model("SM-A546B", "SM-A546B", "1080x2340", ("13", "14", "15")),
        _Model("23021RAA2Y", "23021RAA2Y", "1080x2400", ("13", "14")),
        _Model("moto g power", "moto g power", "1080x2400", ("13", "14")),
    ),
    "web": (
        _Model("Windows", "Windows NT 10.0; Win64; x64", "1920x1080", ("10", "11")),
        _Model("Mac", "Macintosh; Intel Mac OS X 10_15_7", "1512x982", ("14.7", "15.5")),
        _Model("Linux", "X11; Linux x86_64", "2560x1440", ("6.8",)),
    ),
    "kindle": (_Model("KFTUWI", "KFTUWI", "1200x1920", ("8.3.3.5",)),),
    "tvos": (_Model("AppleTV14,1", "AppleTV", "3840x2160", ("17.6", "18.5")),),
    "roku": (_Model("4802X", "4802X", "1920x1080", ("13.0.0", "14.5.4")),),
}

#: Of ten computers, so many are of each of the models.
_COMPUTERS = (5, 4, 1)

#: The platforms not here have no advertising id.
_AD_ID_TYPES = {
    "ios": "ios_idfa",
    "android": "google_ad_id",
    "tvos": "ios_idfa",
    "roku": "roku_ad_id",
}

_WEB_BROWSERS = {
    "Windows": ("Chrome", "Chrome", "Edge", "Firefox"),
    "Mac": ("Safari", "Chrome", "Chrome"),
    "Linux": ("Firefox", "Chrome"),
}
_CHROME, _FIREFOX, _SAFARI = "141.0.0.0", "143.0", "18.5"
_DESKTOP_SYSTEMS = {"Windows": "Windows", "Mac": "Mac OS X", "Linux": "Linux"}


def browser_for(platform: str, model: _Model, system: str, choice: float) -> Browser | None:
    """The browser a device clicks with; `choice` in [0, 1) picks among those a computer has."""
    if platform == "ios":
        version = ".".join(system.split(".")[:2])
        cpu = "CPU OS" if model.code == "iPad" else "CPU iPhone OS"
        return Browser(
            f"Mozilla/5.0 ({model.code}; {cpu} {system.replace('.', '_')} like Mac OS X) "
            f"AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{version} "
            "Mobile/15E148 Safari/604.1",
            "Mobile Safari",
            "tablet" if model.code == "iPad" else "mobile",
            f"iOS {system}",
            model.code,
        )
    if platform == "android":
        return Browser(
            f"Mozilla/5.0 (Linux; Android {system}; {model.code}) AppleWebKit/537.36 "
            f"(KHTML, like Gecko) Chrome/{_CHROME} Mobile Safari/537.36",
            "Chrome Mobile",
            "mobile",
            f"Android {system}",
            model.code,
        )
    if platform == "web":
        names = _WEB_BROWSERS[model.name]
        name = names[int(choice * len(names))]
        return Browser(
            _desktop_user_agent(name, model.code),
            name,
            "desktop",
            _DESKTOP_SYSTEMS[model.name],
            model.name,
        )
    return None


def _desktop_user_agent(name: str, computer: str) -> str:
    if name == "Firefox":
        return f"Mozilla/5.0 ({computer}; rv:{_FIREFOX}) Gecko/20100101 Firefox/{_FIREFOX}"
    if name == "Safari":
        return (
            f"Mozilla/5.0 ({computer}) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            f"Version/{_SAFARI} Safari/605.1.15"
        )
    edge = f" Edg/{_CHROME}" if name == "Edge" else ""
    return (
        f"Mozilla/5.0 ({computer}) AppleWebKit/537.36 (KHTML, like Gecko) "
        f"Chrome/{_CHROME} Safari/537.36{edge}"
    )


def make_device(rng: random.Random, app: App, place: Place, *, since: int, open_: bool) -> Device:
    """A device that runs `app`.

    Args:
        rng: where the chances come from.
        app: the app; its platform is the device's.
        place: where the user lives.
        since: when the user was first seen, in seconds since the epoch.
        open_: whether the user keeps nothing back: push is on, and so is ad tracking.
    """
    bits, platform = rng.getrandbits, app.platform
    models = _MODELS[platform]
    weights = _COMPUTERS if platform == "web" else None
    model = models[0] if open_ else rng.choices(models, weights)[0]
    system = rng.choice(model.systems)
    mobile = platform in ("ios", "android")
    tracked = open_ or rng.random() < (0.38 if platform == "ios" else 0.85)
    ad_id_type = _AD_ID_TYPES.get(platform)
    push = platform not in ("tvos", "roku") and (open_ or rng.random() < 0.7)
    ad_id = uuid4(bits)
    return Device(
        id=uuid4(bits),
        app=app,
        model=model.name,
        os_version=system,
        resolution=model.resolution,
        carrier=rng.choice(place.carriers) if mobile and model.code != "iPad" else None,
        browser=browser_for(platform, model, system, rng.random()),
        ad_id=ad_id if ad_id_type and tracked else None,
        ad_id_type=ad_id_type if tracked else None,
        ad_tracking_enabled=tracked if ad_id_type else None,
        push_token=_push_token(rng, platform) if push else None,
        push_token_created_at=since + int(rng.random() * 86_400 * 20) if push else None,
        push_to_start_token=f"{bits(640):0160x}" if platform == "ios" else None,
        ios_push_token_apns_gateway=(1 if not open_ and rng.random() < 0.02 else 2)
        if platform == "ios"
        else None,
        provisionally_opted_in=rng.random() < 0.1 if platform == "ios" else None,
        foreground_push_disabled=rng.random() < 0.05 if push else None,
        web_push=(
            _point(bits),
            base64url(bits, 16),
            _point(bits),
        )
        if platform == "web" and push
        else None,
        session_key=bits(64),
    )


def _point(bits: Callable[[int], int]) -> str:
    """A public key: a point of the curve P-256, which begins with a 4 when not compressed."""
    return base64url(lambda size: 4 << size - 8 | bits(size - 8), 65)


def _push_token(rng: random.Random, platform: str) -> str:
    bits = rng.getrandbits
    if platform == "ios":
        return f"{bits(256):064x}"
    if platform == "web":
        return f"https://push.example.com/wpush/v2/{base64url(bits, 96)}"
    if platform == "kindle":
        return f"amzn1.adm-registration.v3.{base64url(bits, 96)}"
    return f"{base64url(bits, 16)}:APA91b{base64url(bits, 100)}"
