"""The page of a receiver: what it receives, live, in a browser."""

from .page import Page

__all__ = ["Page"]
