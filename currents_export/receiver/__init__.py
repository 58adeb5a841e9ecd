"""A receiver for a Current: credentials, conformance, capture, scripted responses, counts."""

from ._counts import Counts, FindingCount
from .receiver import Receiver
from .rudderstack import RudderStack, WebhookDestination
from .script import ScriptedResponse, parse_script
from .server import listen
from .transport import AppTransport, WsgiTransport

__all__ = [
    "AppTransport",
    "Counts",
    "FindingCount",
    "Receiver",
    "RudderStack",
    "ScriptedResponse",
    "WebhookDestination",
    "WsgiTransport",
    "listen",
    "parse_script",
]
