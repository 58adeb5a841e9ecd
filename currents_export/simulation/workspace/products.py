"""Make the products of the brand, and its agents."""

from __future__ import annotations

import random
from typing import Any

from .._data import read_data, read_rows
from .assets import Agent, Product, Tool

__all__ = ["make_agents", "make_products"]


def make_products(rng: random.Random) -> tuple[Product, ...]:
    """Make the products of the shop, the most frequently bought first."""
    rows = read_rows("workspace", "products.tsv")
    currencies = read_rows("workspace", "currencies.tsv")
    skus = rng.sample(range(10_000, 100_000), len(rows))
    return tuple(
        Product(
            id=f"SKU-{sku}",
            name=row["name"],
            category=row["category"],
            prices={
                each["currency"]: _priced(
                    int(row["price_usd"]), float(each["per_usd"]), float(each["ending"])
                )
                for each in currencies
            },
        )
        for sku, row in zip(skus, rows, strict=True)
    )


def _priced(dollars: int, rate: float, ending: float) -> float:
    """Return a price as shops write it: 45.99, or 13490 in currencies without cents."""
    step = 1 if ending < 1 else ending / 9 * 10
    price = int(dollars * rate / step) * step + ending
    return int(price) if ending == 90 else round(price, 2)


def make_agents(rng: random.Random, products: tuple[Product, ...]) -> tuple[Agent, ...]:
    """Make the agents of the agent console."""
    bits = rng.getrandbits
    data = read_data("workspace", "agents.toml")
    tools = {
        name: Tool(name, {key: _values(each, products) for key, each in arguments.items()})
        for name, arguments in data["tools"].items()
    }
    return tuple(
        Agent(
            id=f"{0x67000000 + bits(20):08x}{bits(64):016x}",
            name=row["name"],
            model_name=row["model_name"],
            model_provider=row["model_provider"],
            llm_owned_by_customer=row["llm_owned_by_customer"],
            thinking_level=row["thinking_level"],
            task=row["task"],
            answers=tuple(_answers(row["answers"], products)),
            tools=tuple(tools[name] for name in row["tools"]),
        )
        for row in data["agents"]
    )


def _values(argument: list[Any] | str, products: tuple[Product, ...]) -> tuple[Any, ...]:
    if argument == "products":
        return tuple(product.id for product in products)
    return tuple(argument)


def _answers(templates: list[str], products: tuple[Product, ...]) -> list[str]:
    return [
        answer
        for template in templates
        for answer in (
            [template.replace("{product}", product.name) for product in products]
            if "{product}" in template
            else [template]
        )
    ]
