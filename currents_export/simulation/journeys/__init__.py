"""The lives of users: sessions, messages and Canvases, in which every effect has its cause."""

from ._calendar import Calendar
from ._chances import DELAYS, RATES, Chances, Delay
from ._life import Life
from ._lives import acted, begin
from ._run import Happening, Run, record_of
from ._sessions import visit
from ._unnamed import unnamed_types

__all__ = [
    "DELAYS",
    "RATES",
    "Calendar",
    "Chances",
    "Delay",
    "Happening",
    "Life",
    "Run",
    "acted",
    "begin",
    "record_of",
    "unnamed_types",
    "visit",
]
