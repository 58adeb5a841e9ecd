"""What users do in a session: they look at products, fill carts, order, and send things back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .._data import read_data
from .._draws import mix
from ..workspace.assets import Product
from ._life import Cause, Journey
from ._session import Session

__all__ = ["OUTSIDE", "SHOP", "do"]

_EVENTS = read_data("fields", "custom_events.toml")
_WORDING = read_data("fields", "wording.toml")

#: What happens in a session without a look at products, and the custom event that stands for it.
_OTHER_EVENTS = ("Size Guide Opened", "Store Finder Used", "Logged Out")


class _Shopping(Journey):
    """A look at products in a session, which may end with an order.

    Attributes:
        session: the session.
        left: how many products the user still looks at.
        product: the product that the user looks at.
        basket: the products in the cart.
        order: the id of the order.
    """

    __slots__ = ("basket", "left", "order", "product", "session")

    def __init__(self, session: Session, key: int) -> None:
        super().__init__(session.life, "shopping", session.key + key, cause=session.started)
        self.session = session
        self.left = 1 + int(5 * self.unit("views") ** 2)
        self.product = self._next_product()
        self.basket: list[Product] = []
        self.order = f"ORD-{1_000_000 + int(9_000_000 * self.unit('order'))}"

    def _next_product(self) -> Product:
        products = self.life.run.workspace.products
        return products[int(len(products) * self.unit("product", self.count) ** 1.5)]

    def look_on(self) -> None:
        """Take the next product."""
        self.left -= 1
        self.product = self._next_product()

    def goes_on(self) -> bool:
        """Return whether the session is still open, and the app still on the device."""
        return self.session.open and self.session.owned.installed

    def did(self, name: str, properties: Mapping[str, Any] | None) -> Cause:
        """Let a custom event happen."""
        return did(self, name, properties, self.session)


def did(
    journey: Journey, name: str, properties: Mapping[str, Any] | None, session: Session
) -> Cause:
    """Let a custom event happen in a session, and what follows from it."""
    event = journey.emit(
        "users.behaviors.CustomEvent",
        device=session.owned.device,
        name=name,
        custom_properties=properties,
    )
    journey.life.run.acted(journey.life, f"custom:{name}", event)
    return event


def _browse(session: Session) -> None:
    _look(_Shopping(session, 0))


def _look(shopping: _Shopping) -> None:
    if not shopping.goes_on():
        return
    product = shopping.product
    properties = _describe(shopping, product)
    shopping.did("Product Viewed", properties)
    if shopping.happens("session.wishlist", shopping.count):
        shopping.did("Wishlist Updated", properties)
    if shopping.left > 1:
        shopping.look_on()
        shopping.after(4 + int(30 * shopping.unit("look", shopping.count)), _look)
    elif shopping.happens("session.cart"):
        shopping.after(5 + int(20 * shopping.unit("cart")), _fill_cart)


def _describe(shopping: _Shopping, product: Product) -> dict[str, Any]:
    currency = shopping.life.user.place.currency
    return {
        "product_id": product.id,
        "product_name": product.name,
        "category": product.category,
        "price": product.prices[currency],
        "currency": currency,
    }


def _fill_cart(shopping: _Shopping) -> None:
    if not shopping.goes_on():
        return
    product = shopping.product
    shopping.basket.append(product)
    shopping.did("Added to Cart", {**_describe(shopping, product), "quantity": 1})
    if shopping.happens("order.second_line", shopping.count) and len(shopping.basket) < 4:
        shopping.look_on()
        shopping.after(5 + int(20 * shopping.unit("more", shopping.count)), _fill_cart)
    elif shopping.happens("session.checkout"):
        shopping.after(5 + int(30 * shopping.unit("checkout")), _check_out)


def _order(session: Session) -> None:
    """Order something, whatever else happens in the session."""
    shopping = _Shopping(session, 1)
    shopping.basket.append(shopping.product)
    if shopping.goes_on():
        shopping.did("Added to Cart", {**_describe(shopping, shopping.product), "quantity": 1})
        _start_checkout(shopping)
        shopping.after(30, _complete)


def _leave_cart(session: Session) -> None:
    """Look at a product and put it in the cart."""
    shopping = _Shopping(session, 2)
    if shopping.goes_on():
        shopping.did("Product Viewed", _describe(shopping, shopping.product))
        shopping.after(10, _fill_cart)


def _check_out(shopping: _Shopping) -> None:
    if shopping.goes_on():
        _start_checkout(shopping)
        if shopping.happens("session.order"):
            shopping.after(20 + int(90 * shopping.unit("complete")), _complete)


def _start_checkout(shopping: _Shopping) -> None:
    shopping.did("Checkout Started", _basket(shopping))


def _basket(shopping: _Shopping) -> dict[str, Any]:
    items = [_describe(shopping, product) for product in shopping.basket]
    return {
        "order_id": shopping.order,
        "total": round(sum(item["price"] for item in items), 2),
        "currency": items[0]["currency"],
        "items": items,
        "utm.source": "braze" if shopping.session.cause else "direct",
    }


def _complete(shopping: _Shopping) -> None:
    if not shopping.goes_on():
        return
    life = shopping.life
    bought = [_buy(shopping, product) for product in shopping.basket]
    currency = life.user.place.currency
    total = round(sum(product.prices[currency] for product in shopping.basket), 2)
    life.run.acted(life, "purchase", bought[0], {currency: total})
    shopping.did("Checkout Completed", _basket(shopping))
    shopping.cause = bought[0]
    if shopping.happens("order.refund"):
        shopping.after(shopping.delay("order.refund"), _refund)
    if shopping.happens("order.review"):
        shopping.after(shopping.delay("order.review"), _review)


def _line(shopping: _Shopping, product: Product) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "order_id": shopping.order,
        "category": product.category,
        "Gift Wrap": mix(shopping.key, product.id) % 10 == 0,
    }
    if product.category not in _WORDING["categories_without_size"]:
        sizes = _WORDING["shoe_sizes" if product.category == "Shoes" else "sizes"]
        properties["size"] = sizes[mix(shopping.key, product.id, "size") % len(sizes)]
    return properties


def _buy(shopping: _Shopping, product: Product) -> Cause:
    currency = shopping.life.user.place.currency
    return shopping.emit(
        "users.behaviors.Purchase",
        device=shopping.session.owned.device,
        product_id=product.id,
        price=product.prices[currency],
        currency=currency,
        purchase_properties=_line(shopping, product),
    )


def _refund(shopping: _Shopping) -> None:
    """Give the money for one line of the order back; the shop's server reports it."""
    product = shopping.basket[0]
    currency = shopping.life.user.place.currency
    reasons = _WORDING["refund_reasons"]
    properties = _line(shopping, product)
    properties["refund_reason"] = reasons[int(shopping.unit("reason") * len(reasons))]
    shopping.emit(
        "users.behaviors.Purchase",
        product_id=product.id,
        price=-product.prices[currency],
        currency=currency,
        purchase_properties=properties,
    )


def _review(shopping: _Shopping) -> None:
    properties = {
        "product_id": shopping.basket[0].id,
        "rating": 1 + int(5 * shopping.unit("rating") ** 0.5),
        "verified buyer": True,
    }
    event = shopping.emit(
        "users.behaviors.CustomEvent", name="Review Submitted", custom_properties=properties
    )
    shopping.life.run.acted(shopping.life, "custom:Review Submitted", event)


def _search(session: Session) -> None:
    if session.open:
        terms = _EVENTS["search_terms"]
        properties = {
            "Search Term": terms[int(session.unit("term") * len(terms))],
            "results": int(60 * session.unit("results") ** 2),
        }
        did(session, "Product Searched", properties, session)


def _something_else(session: Session) -> None:
    if session.open:
        name = _OTHER_EVENTS[int(session.unit("other") * len(_OTHER_EVENTS))]
        stores = {"city": session.life.user.place.city, "radius_km": 25}
        did(session, name, stores if name == "Store Finder Used" else None, session)


def do(session: Session, name: str) -> None:
    """Let a custom event happen that the user does for no reason known here."""
    if session.open:
        did(session, name, None, session)


def _locate(session: Session) -> None:
    if session.open and session.owned.device.platform in ("ios", "android"):
        session.emit("users.behaviors.Location", device=session.owned.device)


def _change_profile(session: Session) -> None:
    if session.open:
        session.emit("users.profile.Update", device=session.owned.device)


#: What happens in a session beside shopping: the chance, and the step.
OUTSIDE: tuple[tuple[str, Callable[[Session], None]], ...] = (
    ("session.search", _search),
    ("session.other_event", _something_else),
    ("session.location", _locate),
    ("session.profile", _change_profile),
)
#: How shopping begins.
SHOP: Mapping[str, Callable[[Session], None]] = {
    "browse": _browse,
    "cart": _leave_cart,
    "order": _order,
}
