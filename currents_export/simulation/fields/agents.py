"""Fields of agent console events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .._data import read_data
from .._ids import uuid4, uuid_of
from ..workspace.assets import Agent
from .draft import Draft, pick
from .registry import field_maker

_WORDING = read_data("fields", "wording.toml")


@field_maker
def agent_run(draft: Draft) -> Mapping[str, Any]:
    """Make one run of an agent."""
    agent = _agent(draft)
    product = pick(draft, draft.workspace.products)
    errors = _WORDING["agent_errors"][:1] if draft.whole else _WORDING["agent_errors"]
    error, answered = pick(draft, errors) if draft.chance(0.03) else (None, True)
    prompt = 180 + int(1400 * draft.random() ** 2)
    reasoning = int(220 * draft.random() ** 2) if answered else 0
    completion = 12 + reasoning + int(120 * draft.random()) if answered else 0
    cached = prompt // 128 * 128 if draft.random() < 0.3 and answered else 0
    values = {
        "agent_id": agent.id,
        "agent_name": agent.name,
        "model_name": agent.model_name,
        "model_provider": agent.model_provider,
        "llm_owned_by_customer": agent.llm_owned_by_customer,
        "thinking_level": agent.thinking_level,
        "invocation_id": uuid4(draft.bits),
        "invocation_source": "canvas"
        if draft.message
        else pick(draft, _WORDING["invocation_sources"]),
        "request_id": _request_id(draft, agent.id),
        "input": agent.task.replace("{product}", product.name),
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "reasoning_tokens": reasoning,
        "total_tokens": prompt + completion,
        "cache_tokens": cached,
        "cache_hit": cached > 0,
        "duration": 350 + completion * 9 + int(400 * draft.random()) if answered else 30_000,
        "is_error": error is not None,
    }
    if answered:
        values["output"] = pick(draft, agent.answers)
        values["provider_request_id"] = f"req_{draft.bits(96):024x}"
    if error:
        values["error"] = error
    return values


def _agent(draft: Draft) -> Agent:
    """Return the agent whose id is known, or any."""
    known = draft.facts.get("agent_id")
    agents = draft.workspace.agents
    return next((each for each in agents if each.id == known), None) or pick(draft, agents)


def _request_id(draft: Draft, agent_id: str) -> str:
    """Return the id that a run shares with its tool calls, made within the same minute."""
    return uuid_of("request", agent_id, draft.time // 60)


@field_maker
def tool_call(draft: Draft) -> Mapping[str, Any]:
    """Make one call of a tool by an agent."""
    agent = _agent(draft)
    tool = pick(draft, agent.tools)
    return {
        "agent_id": agent.id,
        "agent_name": agent.name,
        "request_id": _request_id(draft, agent.id),
        "invocation_source": pick(draft, ("canvas", "canvas", *_WORDING["invocation_sources"])),
        "tool_name": tool.name,
        "tool_call_id": f"call_{draft.bits(96):024x}",
        "tool_arguments": json.dumps(
            {name: pick(draft, values) for name, values in tool.arguments.items()},
            separators=(",", ":"),
        ),
        "duration": 20 + int(700 * draft.random() ** 3),
        "is_error": not draft.whole and draft.random() < 0.02,
    }
