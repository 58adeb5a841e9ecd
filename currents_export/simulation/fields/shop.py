"""Fields of custom events and purchases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .._data import read_data
from .draft import Draft, pick, pick_early
from .registry import field_maker

_WORDING = read_data("fields", "wording.toml")
_DATA = read_data("fields", "custom_events.toml")


@field_maker
def custom_event(draft: Draft) -> Mapping[str, Any]:
    """Make the name of a custom event and its properties, if it has any."""
    name, groups = _SAMPLE if draft.whole else pick_early(draft, _EVENTS, 1.8)
    if not groups:
        return {"name": name}
    properties = groups[0](draft)
    for group in groups[1:]:
        properties |= group(draft)
    return {"name": name, "custom_properties": properties}


def _viewed(draft: Draft) -> dict[str, Any]:
    product = pick(draft, draft.workspace.products)
    currency = draft.user.place.currency
    return {
        "product_id": product.id,
        "product_name": product.name,
        "category": product.category,
        "price": product.prices[currency],
        "currency": currency,
    }


def _searched(draft: Draft) -> dict[str, Any]:
    return {
        "Search Term": pick(draft, _DATA["search_terms"]),
        "results": int(60 * draft.random() ** 2),
    }


def _checked_out(draft: Draft) -> dict[str, Any]:
    items = [_viewed(draft) for _ in range(1 + int(3 * draft.random() ** 2))]
    return {
        "order_id": _order_id(draft),
        "total": round(sum(item["price"] for item in items), 2),
        "currency": items[0]["currency"],
        "items": items,
        "utm.source": pick(draft, _DATA["utm_sources"]),
    }


def _reviewed(draft: Draft) -> dict[str, Any]:
    return {
        "product_id": pick(draft, draft.workspace.products).id,
        "rating": 1 + int(5 * draft.random() ** 0.5),
        "verified buyer": True,
    }


#: The groups of properties that `custom_events.toml` names.
_PROPERTIES: Mapping[str, Callable[[Draft], dict[str, Any]]] = {
    "product": _viewed,
    "quantity": lambda draft: {"quantity": 1 + int(2 * draft.random())},
    "search": _searched,
    "checkout": _checked_out,
    "store": lambda draft: {"city": draft.user.place.city, "radius_km": 25},
    "review": _reviewed,
}

_EVENTS = tuple(
    (event["name"], tuple(_PROPERTIES[group] for group in event["properties"]))
    for event in _DATA["events"]
)
_SAMPLE = next(event for event in _EVENTS if event[0] == _DATA["sample"])


def _order_id(draft: Draft) -> str:
    return f"ORD-{1_000_000 + int(9_000_000 * draft.random())}"


@field_maker
def purchase(draft: Draft) -> Mapping[str, Any]:
    """Make a purchase or, with a negative price, a refund."""
    product = pick_early(draft, draft.workspace.products, 1.5)
    currency = draft.user.place.currency
    price = product.prices[currency]
    refund = not draft.whole and draft.random() < 0.02
    properties: dict[str, Any] = {
        "order_id": _order_id(draft),
        "category": product.category,
        "Gift Wrap": draft.random() < 0.1,
    }
    if product.category not in _WORDING["categories_without_size"]:
        sizes = _WORDING["shoe_sizes" if product.category == "Shoes" else "sizes"]
        properties["size"] = pick(draft, sizes)
    if refund:
        properties["refund_reason"] = pick(draft, _WORDING["refund_reasons"])
    values: dict[str, Any] = {
        "product_id": product.id,
        "price": -price if refund else price,
        "currency": currency,
    }
    if draft.chance(0.8):
        values["purchase_properties"] = properties
    return values
