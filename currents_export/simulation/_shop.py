"""What the brand sells, and the agents that help it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from ._model import Agent, Product, Tool

__all__ = ["BRANDS", "make_agents", "make_products"]

#: Brands that do not exist; each owns a domain under `.example`, which RFC 2606 reserves.
BRANDS = ("Fernhill", "Northgate", "Larkspur", "Brightwater", "Oakmere", "Solstice")

#: How many units of each currency a US dollar buys, and how its prices end.
_CURRENCIES: Mapping[str, tuple[float, float]] = {
    "USD": (1.0, 0.99),
    "CAD": (1.38, 0.99),
    "GBP": (0.78, 0.99),
    "EUR": (0.92, 0.99),
    "AUD": (1.52, 0.95),
    "SEK": (10.5, 9.0),
    "JPY": (150.0, 90.0),
    "BRL": (5.4, 0.9),
    "MXN": (18.2, 9.0),
}

#: The price in US dollars, without what it ends in.
_PRODUCTS = (
    ("Linen Shirt", "Shirts", 49),
    ("Oxford Shirt", "Shirts", 59),
    ("Merino Sweater", "Knitwear", 89),
    ("Cable Knit Cardigan", "Knitwear", 99),
    ("Slim Jeans", "Denim", 79),
    ("Relaxed Jeans", "Denim", 79),
    ("Chino Shorts", "Shorts", 39),
    ("Wrap Dress", "Dresses", 109),
    ("Summer Dress", "Dresses", 69),
    ("Rain Jacket", "Outerwear", 149),
    ("Wool Coat", "Outerwear", 229),
    ("Canvas Sneakers", "Shoes", 64),
    ("Leather Boots", "Shoes", 179),
    ("Running Shoes", "Shoes", 119),
    ("Leather Belt", "Accessories", 34),
    ("Wool Scarf", "Accessories", 29),
    ("Baseball Cap", "Accessories", 24),
    ("Tote Bag", "Bags", 44),
    ("Weekender Bag", "Bags", 139),
    ("Gift Card", "Gift Cards", 24),
)


def _priced(dollars: int, rate: float, ending: float) -> float:
    """A price as shops write them: 45.99, or 13490 where there are no cents."""
    step = 1 if ending < 1 else ending / 9 * 10
    price = int(dollars * rate / step) * step + ending
    return int(price) if ending == 90 else round(price, 2)


def make_products(rng: random.Random) -> tuple[Product, ...]:
    """The products of the shop, those bought most first."""
    skus = rng.sample(range(10_000, 100_000), len(_PRODUCTS))
    return tuple(
        Product(
            id=f"SKU-{sku}",
            name=name,
            category=category,
            prices={
                currency: _priced(dollars, rate, ending)
                for currency, (rate, ending) in _CURRENCIES.items()
            },
        )
        for sku, (name, category, dollars) in zip(skus, _PRODUCTS, strict=True)
    )


def make_agents(rng: random.Random, products: tuple[Product, ...]) -> tuple[Agent, ...]:
    """The agents of the agent console."""
    bits = rng.getrandbits
    names = tuple(product.name for product in products)
    lookup: dict[str, tuple[Any, ...]] = {
        "catalog": ("products",),
        "item_id": tuple(product.id for product in products),
        "fields": (["name", "price"], ["name", "stock"], ["name", "price", "stock"]),
    }
    history: dict[str, tuple[Any, ...]] = {"limit": (5, 10, 20), "event": ("Product Viewed",)}
    kinds: tuple[tuple[str, str, str, bool, str, tuple[str, ...], tuple[Tool, ...]], ...] = (
        (
            "Product Recommender",
            "gpt-4.1-mini",
            "OpenAI",
            False,
            "Choose the product that goes best with the {product}. Answer with JSON.",
            tuple(f'{{"product": "{name}", "reason": "often bought together"}}' for name in names),
            (Tool("get_catalog_item", lookup), Tool("get_recent_events", history)),
        ),
        (
            "Subject Line Writer",
            "gemini-2.5-flash",
            "Google",
            False,
            "Write an email subject line of at most 45 characters about the {product}.",
            (
                "Still thinking it over?",
                "Back in your size",
                "Picked for you",
                "Your 10% ends today",
            ),
            (Tool("get_catalog_item", lookup),),
        ),
        (
            "Churn Router",
            "claude-sonnet-4",
            "Anthropic",
            True,
            "The user last looked at the {product}. Answer stay, discount or call.",
            ("stay", "discount", "call"),
            (Tool("get_recent_events", history),),
        ),
    )
    return tuple(Agent(f"{0x67000000 + bits(20):08x}{bits(64):016x}", *kind) for kind in kinds)
