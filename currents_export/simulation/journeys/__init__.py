"""The lives of users: sessions, messages and Canvases, in which every effect has its cause."""

from ._chances import DELAYS, RATES, Chances, Delay
from ._curve import local_time
from ._lives import new_run
from ._run import Run, record_of
from ._script import STEPS, begin_script
from ._unnamed import unnamed_types

__all__ = [
    "DELAYS",
    "RATES",
    "STEPS",
    "Chances",
    "Delay",
    "Run",
    "begin_script",
    "local_time",
    "new_run",
    "record_of",
    "unnamed_types",
]
