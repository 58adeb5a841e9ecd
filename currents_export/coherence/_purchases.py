"""Rule 11: a refund follows a purchase and is not larger; an order has one currency.

Source: Braze, Customer behavior and user events (purchases); Logging refunds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import attrs

from ._context import UserCheck
from ._finding import IncoherenceCode, IncoherenceFinding
from ._seen import Kind, Seen

__all__ = ["Purchases"]

#: Less than the smallest unit of any currency.
_CENT: Final = 0.0005


@attrs.define
class _Line:
    """What a user paid for a product: in one order, or in all orders."""

    first: int
    paid: float = 0.0
    id: str | None = None


@attrs.define
class _State:
    lines: dict[tuple[str | None, str], _Line] = attrs.Factory(dict)
    currencies: dict[str, tuple[str, str | None]] = attrs.Factory(dict)


class Purchases(UserCheck[_State]):
    """Add up what each user paid."""

    def concerns(self, kind: Kind) -> bool:
        """Return whether a type is a purchase."""
        return kind.name == "users.behaviors.Purchase"

    def feed(self, event: Seen) -> Iterator[IncoherenceFinding]:
        """Add a purchase, or check a refund."""
        price, product = event.number("price"), event.text("product_id")
        if event.user is None or price is None or product is None:
            return
        state = self.states.setdefault(event.user, _State())
        order = _order(event)
        currency = event.text("currency")
        if order is not None and currency is not None:
            known, known_id = state.currencies.setdefault(order, (currency, event.id))
            if known != currency:
                yield event.finding(
                    IncoherenceCode.ORDER_CURRENCY,
                    f"the currency is {currency}, and another line of the order has {known}",
                    "the lines of an order have one currency",
                    known_id,
                )
                return
        keys: list[tuple[str | None, str]] = [(None, f"{product} {currency}")]
        if order is not None:
            keys.append((order, product))
        if price >= 0:
            for key in keys:
                line = state.lines.setdefault(key, _Line(event.time))
                line.paid, line.id = line.paid + price, event.id
            return
        finding = self._refund(state, event, keys[-1], -price)
        for key in keys:
            if key in state.lines and finding is None:
                state.lines[key].paid += price
        if finding is not None:
            yield finding

    def _refund(
        self, state: _State, event: Seen, key: tuple[str | None, str], amount: float
    ) -> IncoherenceFinding | None:
        line = state.lines.get(key)
        whole = self.context.is_whole(event.user)
        if line is None:
            if not whole:
                return None
            return event.finding(
                IncoherenceCode.REFUND_WITHOUT_PURCHASE,
                "the user did not buy the product before"
                + (" in this order" if key[0] is not None else ""),
                "a refund follows the purchase of the same product",
            )
        # Another line of the same product can have come before the beginning of the stream.
        since = self.context.since.get(event.user or "", event.time)
        certain = whole or (key[0] is not None and line.first > since)
        if not certain or amount <= line.paid + _CENT:
            return None
        return event.finding(
            IncoherenceCode.REFUND_TOO_LARGE,
            f"{amount:g} is refunded of the {line.paid:g} that remain of the purchase",
            "refunds are not larger than the purchase",
            line.id,
        )


def _order(event: Seen) -> str | None:
    properties = event.properties.get("purchase_properties")
    order = properties.get("order_id") if isinstance(properties, Mapping) else None
    return order if isinstance(order, str) and order else None
