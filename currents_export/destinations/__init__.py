"""Where a Current sends its events: one class for each kind of export that Braze offers.

A destination has the URL and the credentials, says whether events of anonymous users are sent, and
judges the response to the credential check. To add one, write a module here and register it in
`form.py`: its class in `DESTINATIONS`, and its fields in `DestinationFields`.
"""

from .._forms import is_loopback
from ._base import Destination
from ._credentials import CredentialsCheck
from .custom_http import CustomHttp
from .form import DESTINATIONS, DestinationFields, about, choose_destination
from .rudderstack import Region, RudderStack

__all__ = [
    "DESTINATIONS",
    "CredentialsCheck",
    "CustomHttp",
    "Destination",
    "DestinationFields",
    "Region",
    "RudderStack",
    "about",
    "choose_destination",
    "is_loopback",
]
