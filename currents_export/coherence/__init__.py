"""Coherence: whether the events of a stream fit together, whoever made it."""

from ._finding import CoherenceRule, IncoherenceCode, IncoherenceFinding
from .checker import DEFAULT_WINDOW, StreamChecker, check_stream

__all__ = [
    "DEFAULT_WINDOW",
    "CoherenceRule",
    "IncoherenceCode",
    "IncoherenceFinding",
    "StreamChecker",
    "check_stream",
]
