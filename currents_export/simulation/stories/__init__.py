"""Events on demand: built-in journeys, and single events."""

from ._make import make_journey
from ._single import make_single, parts_of
from ._stories import STORIES, Outcome, Story, find_outcome, find_story

__all__ = [
    "STORIES",
    "Outcome",
    "Story",
    "find_outcome",
    "find_story",
    "make_journey",
    "make_single",
    "parts_of",
]
