"""Look for cyclic garbage less often than Python does by default."""

from __future__ import annotations

import gc

__all__ = ["collect_seldom"]


def collect_seldom() -> None:
    """Look for cyclic garbage after 100,000 new objects instead of a few hundred.

    The lives of users are many objects that stay; to look at them again and again would take a
    fifth of the time that `generate` needs for 10,000 users.
    """
    gc.set_threshold(100_000, 20, 100)
