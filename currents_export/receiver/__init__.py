"""A receiver to send to: credentials, conformance, capture, scripted answers, counts."""

from ._in_process import AppTransport
from ._receiver import Counts, FindingCount, Receiver
from ._script import ScriptedAnswer, parse_script
from ._server import listen

__all__ = [
    "AppTransport",
    "Counts",
    "FindingCount",
    "Receiver",
    "ScriptedAnswer",
    "listen",
    "parse_script",
]
