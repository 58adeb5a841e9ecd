"""Realistic traffic: a world of users, apps and messages, and the events that happen in it."""

from ._model import (
    Agent,
    App,
    Browser,
    Campaign,
    Canvas,
    CanvasStep,
    CanvasVariation,
    Device,
    EmailSender,
    ExperimentSplit,
    MessageVariation,
    Place,
    Product,
    SubscriptionGroup,
    Tool,
    User,
)
from .world import SAMPLE_TIME, World

__all__ = [
    "SAMPLE_TIME",
    "Agent",
    "App",
    "Browser",
    "Campaign",
    "Canvas",
    "CanvasStep",
    "CanvasVariation",
    "Device",
    "EmailSender",
    "ExperimentSplit",
    "MessageVariation",
    "Place",
    "Product",
    "SubscriptionGroup",
    "Tool",
    "User",
    "World",
]
