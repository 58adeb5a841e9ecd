"""A stand-in for RudderStack: its gateway, and what its Braze source makes of events."""

from ._transform import VanishReason, transform, transformed

__all__ = ["VanishReason", "transform", "transformed"]
