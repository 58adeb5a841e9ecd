"""Fields of agent console events that are drawn for each event."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from . import _providers as providers
from ._ids import uuid4, uuid_of
from ._scene import Drawn, Scene, pick

__all__ = ["DRAWN"]

_Values = Mapping[str, Any]


def _agent_run(scene: Scene) -> _Values:
    agent = pick(scene, scene.workspace.agents)
    product = pick(scene, scene.workspace.products)
    errors = providers.AGENT_ERRORS[:1] if scene.whole else providers.AGENT_ERRORS
    error, answered = pick(scene, errors) if scene.chance(0.03) else (None, True)
    prompt = 180 + int(1400 * scene.random() ** 2)
    reasoning = int(220 * scene.random() ** 2) if answered else 0
    completion = 12 + reasoning + int(120 * scene.random()) if answered else 0
    cached = prompt // 128 * 128 if scene.random() < 0.3 and answered else 0
    values = {
        "agent_id": agent.id,
        "agent_name": agent.name,
        "model_name": agent.model_name,
        "model_provider": agent.model_provider,
        "llm_owned_by_customer": agent.llm_owned_by_customer,
        "invocation_id": uuid4(scene.bits),
        "invocation_source": "canvas" if scene.message else pick(scene, ("catalog", "console")),
        "request_id": _request_id(scene, agent.id),
        "input": agent.task.replace("{product}", product.name),
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "reasoning_tokens": reasoning,
        "total_tokens": prompt + completion,
        "cache_tokens": cached,
        "cache_hit": cached > 0,
        "duration": 350 + completion * 9 + int(400 * scene.random()) if answered else 30_000,
        "is_error": error is not None,
    }
    if answered:
        values["output"] = pick(scene, agent.answers)
        values["provider_request_id"] = f"req_{scene.bits(96):024x}"
    if error:
        values["error"] = error
    return values


def _request_id(scene: Scene, agent_id: str) -> str:
    """The id that a run shares with its tool calls, made within the same minute."""
    return uuid_of("request", agent_id, scene.time // 60)


def _tool_call(scene: Scene) -> _Values:
    agent = pick(scene, scene.workspace.agents)
    tool = pick(scene, agent.tools)
    return {
        "agent_id": agent.id,
        "agent_name": agent.name,
        "request_id": _request_id(scene, agent.id),
        "invocation_source": pick(scene, ("canvas", "canvas", "canvas", "catalog", "console")),
        "tool_name": tool.name,
        "tool_call_id": f"call_{scene.bits(96):024x}",
        "tool_arguments": json.dumps(
            {name: pick(scene, values) for name, values in tool.arguments.items()},
            separators=(",", ":"),
        ),
        "duration": 20 + int(700 * scene.random() ** 3),
        "is_error": not scene.whole and scene.random() < 0.02,
    }


_AGENT_RUN = (
    "agent_id agent_name cache_hit cache_tokens completion_tokens duration error input "
    "invocation_id invocation_source is_error llm_owned_by_customer model_name model_provider "
    "output prompt_tokens provider_request_id reasoning_tokens request_id total_tokens"
)
_TOOL_CALL = (
    "agent_id agent_name duration invocation_source is_error request_id tool_arguments "
    "tool_call_id tool_name"
)
DRAWN = (
    Drawn.of("agentconsole.AgentExecuted", _AGENT_RUN, _agent_run),
    Drawn.of("agentconsole.ToolInvocation", _TOOL_CALL, _tool_call),
)
