"""Realistic traffic: a world of users, apps and messages, and the events that happen in it."""

from .answer_key import Funnel, KeyRecord, KeySummary
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
    Schedule,
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
