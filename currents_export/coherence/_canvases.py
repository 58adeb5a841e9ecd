"""Rule 7: a Canvas is entered, followed along the announced steps, and left once.

Source: Braze, Canvas components; Exit criteria; Message engagement events (Canvas).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs

from ._context import Context, UserCheck
from ._finding import IncoherenceCode, IncoherenceFinding
from ._seen import DAY, Kind, Seen

__all__ = ["Canvases"]

_ENTRY: Final = "users.canvas.Entry"
_PROGRESSION: Final = "users.canvasstep.Progression"
_SPLIT: Final = "users.canvas.experimentstep.SplitEntry"
_EXIT: Final = "users.canvas.exit."

#: A user can be in a Canvas more than once at a time, so an exit ends the last passage only if all
#: entries of this time are known.
_LONGEST: Final = 30 * DAY

#: How long to remember a passage that shows no sign of life.
_IDLE: Final = 365 * DAY


@attrs.define
class _Passage:
    variation: str | None
    control: bool
    id: str | None


@attrs.frozen
class _Announced:
    step: str
    time: int
    id: str | None


@attrs.define
class _State:
    touched: int = 0
    passages: list[_Passage] = attrs.Factory(list)
    left: Seen | None = None
    #: The next steps that Progressions announced, by passage.
    announced: dict[str, _Announced] = attrs.Factory(dict)
    #: The paths of Experiment steps: their ids and the events' ids, by step.
    paths: dict[str, tuple[str, str | None]] = attrs.Factory(dict)


class Canvases(UserCheck[dict[str, _State]]):
    """Follow the passages of each user through each Canvas."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        #: Steps that split the Canvas, and so give an event to everyone who comes to them. Other
        #: steps need not: a message step gives none to users who cannot be reached.
        self._splits: set[str] = set()

    def concerns(self, kind: Kind) -> bool:
        """Return whether a type is a step on the way through a Canvas."""
        return (
            kind.name in (_ENTRY, _PROGRESSION, _SPLIT)
            or kind.name.startswith(_EXIT)
            or (kind.is_message and kind.last in ("Send", "Abort"))
        )

    def feed(self, event: Seen) -> Iterator[IncoherenceFinding]:
        """Take an entry, a step or an exit."""
        canvas = event.text("canvas_id")
        if canvas is None or event.user is None:
            return
        states = self.states.setdefault(event.user, {})
        state = states.setdefault(canvas, _State())
        state.touched = event.time
        name = event.kind.name
        variation = event.text("canvas_variation_id")
        if name == _ENTRY:
            control = event.properties.get("in_control_group") is True
            state.passages.append(_Passage(variation, control, event.id))
            return
        yield from self._check_passage(state, event, variation)
        if name == _PROGRESSION:
            yield from self._progress(state, event)
        elif name == _SPLIT:
            yield from _split(state, event)
        elif name.startswith(_EXIT):
            _leave(state, event, variation)

    def forget(self, now: int) -> None:
        """Drop passages that ended long ago without an exit."""
        for user, states in self.states.items():
            self.states[user] = {
                canvas: each for canvas, each in states.items() if each.touched >= now - _IDLE
            }

    def _check_passage(
        self, state: _State, event: Seen, variation: str | None
    ) -> Iterator[IncoherenceFinding]:
        """Check that the user is in the Canvas, in the right variation."""
        passages, left = state.passages, state.left
        if not passages:
            known = self.context.knows(event.user, event.time, _LONGEST)
            if left is not None and left.time < event.time and known:
                yield event.finding(
                    IncoherenceCode.AFTER_EXIT,
                    "the user left the Canvas before and has not entered it again",
                    "there are no steps and no second exit after an exit",
                    left.id,
                )
            return
        if event.kind.last == "Send" and all(each.control for each in passages):
            yield event.finding(
                IncoherenceCode.CANVAS_CONTROL_GOT_MESSAGE,
                "the user entered the Canvas in its control group",
                "the control group gets no messages",
                passages[-1].id,
            )
        elif variation is not None and all(
            each.variation not in (None, variation) for each in passages
        ):
            yield event.finding(
                IncoherenceCode.CANVAS_VARIATION_CHANGED,
                "the user entered the Canvas in another variation",
                "a passage has one variation",
                passages[-1].id,
            )

    def _progress(self, state: _State, event: Seen) -> Iterator[IncoherenceFinding]:
        """Compare a step with the one that was announced, and remember the next one."""
        step, passage = event.text("canvas_step_id"), event.text("canvas_entry_id") or ""
        announced = state.announced.pop(passage, None)
        if announced and announced.step in self._splits and step not in (None, announced.step):
            yield event.finding(
                IncoherenceCode.WRONG_NEXT_STEP,
                f"the user is at step {step}, and {announced.step} was announced",
                "next_step_id of a Progression is the step that comes next",
                announced.id,
            )
        if step is not None:
            self._splits.add(step)
        following = event.text("next_step_id")
        if following is not None:
            state.announced[passage] = _Announced(following, event.time, event.id)


def _leave(state: _State, event: Seen, variation: str | None) -> None:
    state.left = event.bare()
    state.announced.clear()
    for passage in state.passages:
        if variation is None or passage.variation in (None, variation):
            state.passages.remove(passage)
            return
    del state.passages[:1]


def _split(state: _State, event: Seen) -> Iterator[IncoherenceFinding]:
    step, path = event.text("experiment_step_id"), event.text("experiment_split_id")
    if step is None or path is None:
        return
    known, known_id = state.paths.setdefault(step, (path, event.id))
    if known != path:
        yield event.finding(
            IncoherenceCode.SPLIT_CHANGED,
            "the user was on another path of this Experiment step before",
            "a user keeps the path of an Experiment step",
            known_id,
        )
