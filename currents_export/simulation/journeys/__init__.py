"""The lives of users: sessions, messages and Canvases, in which every effect has its cause."""

from ._calendar import Calendar
from ._chances import DELAYS, RATES, Chances, Delay
from ._curve import local_time
from ._lives import new_run
from ._processes import known_journeys, rates_of, with_journeys
from ._run import Encoded, Run, record_of
from ._script import STEPS, begin_script
from ._unnamed import unnamed_types

__all__ = [
    "DELAYS",
    "RATES",
    "STEPS",
    "Calendar",
    "Chances",
    "Delay",
    "Encoded",
    "Run",
    "begin_script",
    "known_journeys",
    "local_time",
    "new_run",
    "rates_of",
    "record_of",
    "unnamed_types",
    "with_journeys",
]
