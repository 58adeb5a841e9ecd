"""Events from the values that were read."""

from __future__ import annotations

import io

from currents_export.errors import ReadError
from currents_export.events import Event
from currents_export.reading import read_events, read_values
from tests.support.events import event
from tests.support.reading import ONE, TWO, dump


def test_other_values_are_errors() -> None:
    text = f'{dump(ONE)}\n{{"id": "x"}}\n5\n{{broken\n{dump(TWO)}\n'
    items = list(read_events(read_values(io.BytesIO(text.encode()), source="f")))
    events = [item for item in items if isinstance(item, Event)]
    assert events == [Event.from_dict(ONE), Event.from_dict(TWO)]
    problems = [str(item) for item in items if isinstance(item, ReadError)]
    assert problems[0] == "f:2: the event lacks event_type, time"
    assert problems[1].startswith("f:3: an event is a JSON object")
    assert problems[2].startswith("f:4: not JSON: ")
    assert len(items) == 5


def test_event_reads_back() -> None:
    assert list(read_events(read_values([dump(event(7).to_dict()).encode()]))) == [event(7)]
