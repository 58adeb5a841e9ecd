"""A receiver to send to: credentials, conformance, capture, scripted responses, counts."""

from ._in_process import AppTransport
from ._receiver import Counts, FindingCount, Receiver
from ._script import ScriptedResponse, parse_script
from ._server import listen

__all__ = [
    "AppTransport",
    "Counts",
    "FindingCount",
    "Receiver",
    "ScriptedResponse",
    "listen",
    "parse_script",
]
