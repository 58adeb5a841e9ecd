"""Test receivers of a Current: assertions, Currents for applications, and senders that give up.

The fixtures of the pytest plugin are made of these classes, which do not need pytest.
"""

from .receiver import CurrentsReceiver
from .targets import Targets

__all__ = ["CurrentsReceiver", "Targets"]
