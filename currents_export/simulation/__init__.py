"""Realistic traffic: a world of users, apps and messages, and the events that happen in it."""

from .people.model import Browser, Device, Place, User
from .workspace.model import (
    Agent,
    App,
    Campaign,
    Canvas,
    CanvasDestination,
    CanvasStep,
    CanvasVariation,
    EmailSender,
    ExperimentSplit,
    LandingPage,
    MessageVariation,
    Product,
    SubscriptionGroup,
    Survey,
    SurveyQuestion,
    Tool,
)
from .world import SAMPLE_TIME, World

__all__ = [
    "SAMPLE_TIME",
    "Agent",
    "App",
    "Browser",
    "Campaign",
    "Canvas",
    "CanvasDestination",
    "CanvasStep",
    "CanvasVariation",
    "Device",
    "EmailSender",
    "ExperimentSplit",
    "LandingPage",
    "MessageVariation",
    "Place",
    "Product",
    "SubscriptionGroup",
    "Survey",
    "SurveyQuestion",
    "Tool",
    "User",
    "World",
]
