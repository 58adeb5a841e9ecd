"""Events on demand: the journeys that can be told, and single events."""

from ._single import make_single
from ._stories import STORIES, Outcome, Story, find_outcome, find_story
from ._tell import tell

__all__ = [
    "STORIES",
    "Outcome",
    "Story",
    "find_outcome",
    "find_story",
    "make_single",
    "tell",
]
