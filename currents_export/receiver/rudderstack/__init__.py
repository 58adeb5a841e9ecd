"""A stand-in for RudderStack: its gateway, its Braze source, and its webhook destination."""

from ._counts import GatewayCounts, MessageCounts
from ._losses import Loss, loss
from ._transform import VanishReason, transform, transformed
from .destination import WebhookDestination
from .gateway import RudderStack
from .mapping import load_mapping

__all__ = [
    "GatewayCounts",
    "Loss",
    "MessageCounts",
    "RudderStack",
    "VanishReason",
    "WebhookDestination",
    "load_mapping",
    "loss",
    "transform",
    "transformed",
]
