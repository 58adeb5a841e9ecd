"""Fields of conversions, Canvas steps, Content Optimizers and external destinations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from .._data import read_data
from .._ids import uuid_of
from .draft import Draft, pick, pick_early
from .registry import field_maker
from .subscriptions import channel_name

_WORDING = read_data("fields", "wording.toml")

#: Seconds within which a user's events in a Canvas belong to one entry.
_PASSAGE_SECONDS = 7 * 86_400


@field_maker
def conversion(draft: Draft) -> Mapping[str, Any]:
    """Choose the goal of the campaign or Canvas that was met."""
    goals = draft.the_message.goals
    if not goals:
        return {}
    index = int(len(goals) * draft.random() ** 2)
    return {"conversion_behavior": goals[index], "conversion_behavior_index": index}


@field_maker
def progression(draft: Draft) -> Mapping[str, Any]:
    """Make a step forward in a Canvas, or, in the Canvas-side sample, an exit from it."""
    message = draft.the_message
    values: dict[str, Any] = {"is_canvas_entry": message.first}
    kinds = _WORDING["progression_types"]
    if draft.canvas_side or not message.next_step_id:
        reason = pick(draft, _WORDING["exit_reasons"])
        return values | {"progression_type": kinds["out"], "exit_reason": reason}
    return values | {"progression_type": kinds["onward"], "next_step_id": message.next_step_id}


@field_maker
def passage(draft: Draft) -> Mapping[str, Any]:
    """Make the id of an entry into a Canvas, which the events after it share."""
    canvas = draft.the_message.fields.get("canvas_id")
    window = draft.time // _PASSAGE_SECONDS
    return {"canvas_entry_id": uuid_of("entry", draft.user.id, canvas, window)}


def _combination(draft: Draft) -> list[int]:
    return [int(3 * draft.random()) for _ in range(3)]


@field_maker
def optimized(draft: Draft) -> Mapping[str, Any]:
    """Choose the combination of components that a Content Optimizer sent."""
    return {
        "channel": channel_name(draft, "email"),
        "combination_token": "_".join(map(str, _combination(draft))),
    }


@field_maker
def component(draft: Draft) -> Mapping[str, Any]:
    """Make one combination of components, with its content."""
    steps = [step for canvas in draft.workspace.canvases for step in canvas.steps]
    first, second, third = indices = _combination(draft)
    content = {
        "subject": _WORDING["subject_lines"][first],
        "call_to_action": _WORDING["calls_to_action"][second],
        "image": f"https://media.{draft.workspace.domain}/{_WORDING['images'][third]}",
    }
    return {
        "content_optimizer_step_id": pick_early(
            draft, [step.optimizer_id for step in steps if step.optimizer_id]
        ),
        "combination_token": "_".join(map(str, indices)),
        "content": orjson.dumps(content).decode(),
        "is_active": draft.whole or draft.random() < 0.8,
    }


@field_maker
def destination(draft: Draft) -> Mapping[str, Any]:
    """Choose the external destination that a Canvas passes users to."""
    chosen = pick(draft, draft.workspace.destinations)
    return {
        "destination_api_id": chosen.id,
        "destination_name": chosen.name,
        "destination_type": chosen.kind,
        "destination_variant_type": chosen.variant_kind,
        "destination_variation_name": pick(draft, chosen.variants),
    }


@field_maker
def not_sent(draft: Draft) -> Mapping[str, Any]:
    """Choose why a user was not passed on."""
    return {"reason": pick(draft, _WORDING["not_sent_reasons"])}
