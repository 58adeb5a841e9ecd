"""A user's way through a Canvas.

Source: Braze, Canvas: entry, control group, Experiment Paths, Decision Split, Audience Paths, exit
criteria, message steps.
"""

from __future__ import annotations

from typing import Any

from .._draws import Draws, key_of, mix
from .._ids import object_id, uuid_from
from ..workspace.model import Canvas, CanvasStep, CanvasVariation, Message
from ._awaiting import await_goals
from ._background import run_agent
from ._calendar import IN_SESSION
from ._curve import DAY
from ._life import Cause, Journey, Life
from ._messages import MessageJourney, send
from ._reactions import change_state

__all__ = ["Passage", "set_off"]

#: How long after an entry a user cannot enter the same Canvas again.
_AGAIN = 30 * DAY
#: The default names of a passage's exits.
_PERFORMED = "users.canvas.exit.PerformedEvent"
_MATCHED = "users.canvas.exit.MatchedAudience"


class Passage(Journey):
    """One way through a Canvas.

    Attributes:
        canvas: the Canvas.
        variation: the variation that the user is in.
        place: the index of the step that comes next.
        began: when the user entered it.
        left: whether it has ended.
        exited: whether it ended before its last step.
        performed: whether the user did what ends it early.
        entered: the event of its entry.
    """

    __slots__ = ("began", "canvas", "entered", "exited", "left", "performed", "place", "variation")

    def __init__(
        self, life: Life, canvas: Canvas, variation: CanvasVariation, cause: Cause
    ) -> None:
        super().__init__(life, canvas.name, mix(canvas.id, life.now), cause=cause)
        self.canvas = canvas
        self.variation = variation
        self.place = 0
        self.began = life.now
        self.left = False
        self.exited = False
        self.performed = False
        self.entered: Cause = 0
        self.facts = {"canvas_entry_id": uuid_from(self.key)}

    def acted(self, action: str) -> None:
        """Note what the user did, which may end the passage at the end of its step."""
        if not self.left and action in self.canvas.exit:
            self.performed = True


def set_off(life: Life, action: str, cause: Cause) -> None:
    """Let the user enter the Canvases that an action leads into, after their delay."""
    for canvas in life.run.calendar.canvases(action, life.user.place.region):
        if canvas.share < 1:
            audience = mix(canvas.id, "audience")
            if life.run.chances.of(life, audience) >= canvas.share:
                continue
        passage = life.passages.get(canvas.id)
        if passage is not None and life.now - passage.began < _AGAIN:
            continue
        passage = Passage(life, canvas, _variation(life, canvas), cause)
        life.passages[canvas.id] = passage
        passage.after(canvas.entry_delay, _enter)


def _variation(life: Life, canvas: Canvas) -> CanvasVariation:
    chances, rules = life.run.chances, canvas.rules
    control = [each for each in canvas.variations if each.control]
    treated = [each for each in canvas.variations if not each.control]
    held = (rules.control if rules else chances.share("message.control")) if control else 0.0
    share = chances.of(life, mix(canvas.id, "variation")) - held
    return treated[int(share / (1 - held) * len(treated))] if share >= 0 else control[0]


def _enter(passage: Passage) -> None:
    if passage.performed:  # the user already did what the Canvas is to bring about
        passage.left = True
        return
    life, canvas, variation = passage.life, passage.canvas, passage.variation
    calendar = life.run.calendar
    first = "" if variation.control else canvas.steps[0].id
    message = calendar.message_of(canvas.id, variation.id, first)[0]
    passage.message = message
    passage.entered = passage.emit("users.canvas.Entry", in_control_group=variation.control)
    await_goals(passage, message, "users.canvas.Conversion", passage.entered)
    if variation.control:
        passage.left = True
        return
    passage.after(canvas.steps[0].delay, _step)


def _step(passage: Passage) -> None:
    """Take the step that comes next."""
    canvas = passage.canvas
    step = canvas.steps[passage.place]
    passage.message = _messages(passage, step)[0]
    if passage.performed or passage.happens("canvas.matched_audience", passage.place):
        kind = _PERFORMED if passage.performed else _MATCHED
        passage.emit(kind, cause=passage.entered)
        passage.left = passage.exited = True
        # Nobody sees in-app messages of a Canvas that they have left.
        shown = passage.life.shown
        shown[:] = [each for each in shown if each.fields.get("canvas_id") != passage.canvas.id]
        return
    following = passage.place + 1
    match step.channel:
        case "experiment":
            following = _split(passage, step)
        case "decision" | "audience":
            following = _decide(passage, step)
        case "destination":
            _hand_over(passage)
        case "update":
            _update(passage)
        case _:
            _send(passage, step)
    passage.place = following
    if passage.place >= len(canvas.steps):
        passage.left = True
        return
    passage.after(canvas.steps[passage.place].delay, _step)


def _messages(passage: Passage, step: CanvasStep) -> list[Message]:
    calendar = passage.life.run.calendar
    return list(calendar.message_of(passage.canvas.id, passage.variation.id, step.id))


def _progress(passage: Passage, following: int) -> None:
    steps = passage.canvas.steps
    if following < len(steps):
        passage.emit(
            "users.canvasstep.Progression",
            cause=passage.entered,
            progression_type="advance",
            next_step_id=steps[following].id,
            is_canvas_entry=passage.place == 0,
        )


def _split(passage: Passage, step: CanvasStep) -> int:
    """Put the user on a path of an experiment step, always the same, and return what is next."""
    messages = _messages(passage, step)
    share = passage.life.run.chances.of(passage.life, key_of(step.id))
    path = _path(step, share) if step.paths else int(share * len(messages))
    following = step.paths[path].next if step.paths else passage.place + 1
    message = messages[path]
    journey = Journey(
        passage.life,
        passage.name,
        mix(passage.key, step.id),
        message=message,
        cause=passage.entered,
    )
    journey.facts = passage.facts
    entry = journey.emit("users.canvas.experimentstep.SplitEntry")
    await_goals(journey, message, "users.canvas.experimentstep.Conversion", entry)
    passage.message = message
    _progress(passage, following)
    return following


def _path(step: CanvasStep, share: float) -> int:
    """Return the index of the path of a user."""
    for number, path in enumerate(step.paths):
        share -= path.share
        if share < 0:
            return number
    return len(step.paths) - 1


def _decide(passage: Passage, step: CanvasStep) -> int:
    """Choose the step that comes next, and return its index."""
    life, following = passage.life, passage.place + 1
    if step.paths:
        share = life.run.chances.of(life, key_of(step.id))
        following = step.paths[_path(step, share)].next
    elif following + 1 < len(passage.canvas.steps):
        is_decision = step.channel == "decision"
        goes_on = life.sessions > 0 if is_decision else life.user.phone is not None
        following += not goes_on
    _progress(passage, following)
    return following


def _hand_over(passage: Passage) -> None:
    """Pass the user on to an external destination."""
    destinations = passage.life.run.workspace.destinations
    chosen = destinations[int(passage.unit("destination") * len(destinations))]
    facts: dict[str, Any] = {
        "destination_api_id": chosen.id,
        "destination_name": chosen.name,
        "destination_type": chosen.kind,
        "destination_variant_type": chosen.variant_kind,
    }
    variants = chosen.variants
    facts["destination_variation_name"] = variants[int(passage.unit("variant") * len(variants))]
    kind = "NotSent" if passage.happens("canvas.not_handed_over") else "Sent"
    event_type = f"users.canvas.sendtodestination.{kind}"
    passage.emit(event_type, cause=passage.entered, device=None, **facts)


def _update(passage: Passage) -> None:
    """Change the user's subscription state by a User Update step."""
    if passage.life.user.email is None:
        return
    groups = passage.life.run.workspace.subscription_groups
    group = next(each for each in groups if each.channel == "email")
    change_state(
        passage,
        passage.entered,
        "email",
        "Subscribed",
        "Canvas User Update Step",
        group=group.id,
    )


def _send(passage: Passage, step: CanvasStep) -> None:
    life, message = passage.life, _messages(passage, step)[0]
    if step.channel in IN_SESSION:
        life.shown.append(message)
        return
    key = mix(passage.key, step.id)
    if passage.happens("canvas.agent", passage.place):
        agent = Journey(
            life, passage.name, mix(key, "agent"), message=message, cause=passage.entered
        )
        run_agent(agent, "canvas")
    journey = MessageJourney(life, passage.name, key, message, flow=True, cause=passage.entered)
    journey.passage = passage
    journey.facts["dispatch_id"] = object_id(life.now, f"{journey.key:016x}")
    if step.channel == "email" and passage.happens("canvas.optimizer", passage.place):
        draws = Draws(mix(journey.key, "combination"))
        token = "_".join(str(int(3 * draws.random())) for _ in range(3))
        journey.facts["combination_token"] = token
        journey.emit("users.canvas.costep.Send", channel="email")
    send(journey)
