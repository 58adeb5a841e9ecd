"""Realistic traffic: a world of users, apps and messages, and the events that happen in it."""

from .answer_key import Funnel, KeyRecord, KeySummary
from .people.model import Browser, Device, Place, User
from .workspace.assets import (
    Agent,
    CanvasDestination,
    LandingPage,
    Product,
    Survey,
    SurveyQuestion,
    Tool,
)
from .workspace.model import (
    App,
    Campaign,
    Canvas,
    CanvasStep,
    CanvasVariation,
    EmailSender,
    ExperimentSplit,
    MessageVariation,
    Schedule,
    SubscriptionGroup,
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
    "Funnel",
    "KeyRecord",
    "KeySummary",
    "LandingPage",
    "MessageVariation",
    "Place",
    "Product",
    "Schedule",
    "SubscriptionGroup",
    "Survey",
    "SurveyQuestion",
    "Tool",
    "User",
    "World",
]
