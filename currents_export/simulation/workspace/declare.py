"""Add declared campaigns and Canvases to a workspace."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import attrs

from .._data import read_data
from .._ids import uuid4
from ..declared import DeclaredCampaign, DeclaredCanvas, DeclaredStep
from .campaigns import path_of
from .channels import load_channels
from .messages import MessageMaker
from .model import (
    Campaign,
    Canvas,
    CanvasPath,
    CanvasStep,
    CanvasVariation,
    ExperimentSplit,
    MessageVariation,
    Schedule,
    Workspace,
)
from .rules import Rules

__all__ = ["declare"]

_DATA = read_data("workspace", "workspace.toml")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def declare(
    workspace: Workspace,
    seed: int,
    directory: Path | None,
    campaigns: Sequence[DeclaredCampaign],
    canvases: Sequence[DeclaredCanvas],
) -> Workspace:
    """Return a workspace with more campaigns and Canvases; those it has stay as they are.

    Args:
        workspace: the workspace.
        seed: what the ids are made from, with the names.
        directory: the directory with the catalog's tables.
        campaigns: the campaigns.
        canvases: the Canvases.
    """
    more_campaigns = tuple(_campaign(seed, each) for each in campaigns)
    more_canvases = tuple(_canvas(seed, each) for each in canvases)
    maker = MessageMaker(
        seed,
        workspace.domain,
        channels=load_channels(directory),
        apps=workspace.apps,
        groups=workspace.subscription_groups,
        senders=workspace.email_senders,
    )
    return attrs.evolve(
        workspace,
        campaigns=workspace.campaigns + more_campaigns,
        canvases=workspace.canvases + more_canvases,
        messages=workspace.messages
        + tuple(chain(maker.of_campaigns(more_campaigns), maker.of_canvases(more_canvases))),
    )


def _rules(declared: DeclaredCampaign | DeclaredCanvas) -> Rules:
    cap, quiet = declared.frequency_cap, declared.quiet_hours
    return Rules(
        path=declared.path.strip("/") or path_of(declared.name),
        control=declared.control,
        goals=tuple((goal.behavior, goal.window) for goal in declared.goals),
        cap=(cap.messages, cap.days) if cap else None,
        quiet_hours=(quiet.start, quiet.end) if quiet else None,
        trigger=declared.trigger if isinstance(declared, DeclaredCampaign) else "action",
        send_id=isinstance(declared, DeclaredCampaign) and declared.send_id,
    )


def _campaign(seed: int, declared: DeclaredCampaign) -> Campaign:
    bits = random.Random(f"{seed}:declared campaign:{declared.name}").getrandbits
    variations = [MessageVariation(uuid4(bits), name) for name in declared.variations]
    if declared.control:
        variations.append(MessageVariation(uuid4(bits), _DATA["control_group"], control=True))
    return Campaign(
        id=uuid4(bits),
        name=declared.name,
        region=declared.region,
        channel=declared.channel,
        variations=tuple(variations),
        schedule=_schedule(declared),
        event=declared.entry or "",
        delay=declared.delay,
        share=declared.share,
        rules=_rules(declared),
    )


def _schedule(declared: DeclaredCampaign) -> Schedule | None:
    schedule = declared.schedule
    if schedule is None:
        return None
    local = schedule.zone == "local"
    if schedule.once is not None:
        return Schedule((), 0, local, once=schedule.once)
    return Schedule(tuple(map(_DAYS.index, schedule.days)), schedule.at or 0, local)


def _canvas(seed: int, declared: DeclaredCanvas) -> Canvas:
    bits = random.Random(f"{seed}:declared canvas:{declared.name}").getrandbits
    variations = [CanvasVariation(uuid4(bits), name) for name in declared.variations]
    if declared.control:
        control = CanvasVariation(uuid4(bits), _DATA["canvas"]["control"], control=True)
        variations.append(control)
    return Canvas(
        id=uuid4(bits),
        name=declared.name,
        region=declared.region,
        variations=tuple(variations),
        steps=tuple(_step(seed, declared, number) for number in range(len(declared.steps))),
        entry=declared.entry,
        entry_delay=declared.entry_delay,
        exit=declared.exit,
        share=declared.share,
        rules=_rules(declared),
    )


def _step(seed: int, canvas: DeclaredCanvas, number: int) -> CanvasStep:
    declared = canvas.steps[number]
    bits = random.Random(f"{seed}:declared step:{canvas.name}:{number}").getrandbits
    is_message = declared.kind == "message"
    paths = tuple(_paths(canvas, declared, number))
    return CanvasStep(
        id=uuid4(bits),
        name=declared.name,
        channel=declared.channel or declared.kind,
        message_variation_id=uuid4(bits) if is_message else "",
        splits=tuple(
            ExperimentSplit(uuid4(bits), path.name, control=control)
            for path, control in paths
            if declared.kind == "experiment"
        ),
        optimizer_id=f"{0x68000000 + bits(20):08x}{bits(64):016x}" if is_message else "",
        delay=declared.delay,
        paths=tuple(path for path, _ in paths),
    )


def _paths(
    canvas: DeclaredCanvas, declared: DeclaredStep, number: int
) -> Iterator[tuple[CanvasPath, bool]]:
    """Yield the paths of a step, and whether each is the control group."""
    # Of steps with the same name, the first one is meant.
    last = len(canvas.steps)
    places = {canvas.steps[place].name: place for place in range(last - 1, number, -1)}
    places["end"] = last
    rest = 1 - declared.control
    for path, share in zip(declared.paths, declared.path_shares(), strict=True):
        following = number + 1 if path.next is None else places[path.next]
        yield CanvasPath(path.name, share * rest, following), False
    if not declared.paths:
        names = _DATA["canvas"]["experiment_paths"] if declared.kind == "experiment" else ()
        for name in names:
            yield CanvasPath(name, rest / len(names), number + 1), False
    if declared.control:
        name = _DATA["canvas"]["control"]
        yield CanvasPath(name, declared.control, number + 1), True
