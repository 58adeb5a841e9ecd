"""Where a Current sends its events: one class for each kind of export that Braze offers.

A destination has the URL and the credentials, says whether events of anonymous users are sent, and
judges the response to the credential check. To add one:

- write a module here, with each form field described by `about(...)`;
- register it in `form.py`: its class in `DESTINATIONS`, and the name and type of each new field in
  `DestinationFields`, from which `Current` inherits them;
- describe its fields in the docstring of `Current`, and give `init` an option for each.

Reading and writing TOML, environment variables, secret files and the questions of `init` follow.
"""

from .._forms import is_loopback
from ._base import Destination, about
from ._credentials import CredentialsCheck
from .custom_http import CustomHttp
from .form import DESTINATIONS, DestinationFields, choose_destination, kind_of
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
    "kind_of",
]
