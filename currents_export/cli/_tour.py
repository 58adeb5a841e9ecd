"""What `demo` shows besides the delivery: an event, a journey, and what to try next."""

from __future__ import annotations

from ..errors import CurrentsExportError
from ..simulation import World
from ._streams import print_json, print_line
from ._tables import print_table

__all__ = ["print_next", "print_story"]

_JOURNEY, _EVENT = "abandoned-cart", "users.messages.email.Open"
_NEXT = (
    ("currents-export init", "describe your own Current"),
    ("currents-export test", "send one event of each type to its URL"),
    ("currents-export trigger abandoned-cart", "send the journey above"),
    ("currents-export run --rate 20 --duration 5m", "send traffic as it happens"),
    ("currents-export serve", "receive events, and check them"),
    ("currents-export --help", "see all commands"),
)


def print_story(world: World) -> None:
    """Print an event and the journey that it belongs to, if the schema version has them."""
    try:
        events = world.journey(_JOURNEY)
    except CurrentsExportError:  # other tables of a catalog may lack its types
        return
    shown = next((each for each in events if each.event_type == _EVENT), None)
    if shown is not None:
        print_line("An event:")
        print_json(shown.to_dict())
        print_line()
    print_line(f"The journey that it belongs to, {_JOURNEY}:")
    start = events[0].time
    print_table(
        {"after": "right", "event type": ""},
        ((_after(each.time - start), each.event_type) for each in events),
    )
    print_line()


def print_next() -> None:
    """Print what to try next."""
    print_line()
    print_line("What to try next:")
    width = max(len(command) for command, _ in _NEXT)
    for command, what in _NEXT:
        print_line(f"  {command:<{width}}  {what}")


def _after(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
