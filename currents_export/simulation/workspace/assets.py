"""The parts of a workspace beside its messages: products, agents, pages, surveys and so on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

__all__ = [
    "Agent",
    "CanvasDestination",
    "LandingPage",
    "Product",
    "Survey",
    "SurveyQuestion",
    "Tool",
]


@attrs.frozen
class Product:
    """A product of the shop.

    Attributes:
        id: its id in the shop.
        name: its name.
        category: its category.
        prices: its price by currency (ISO 4217).
    """

    id: str
    name: str
    category: str
    prices: Mapping[str, float]


@attrs.frozen
class Tool:
    """A tool of an agent.

    Attributes:
        name: its name.
        arguments: the values that each argument takes, by its name.
    """

    name: str
    arguments: Mapping[str, tuple[Any, ...]]


@attrs.frozen
class Agent:
    """An agent of the agent console.

    Attributes:
        id: 24 hexadecimal digits.
        name: its name.
        model_name: the name of its language model.
        model_provider: the provider of the model.
        llm_owned_by_customer: whether the model runs on the customer's own account with its
            provider.
        thinking_level: the level of reasoning requested from the model.
        task: its input; `{product}` stands for the name of a product.
        answers: its possible outputs.
        tools: the tools it calls.
    """

    id: str
    name: str
    model_name: str
    model_provider: str
    llm_owned_by_customer: bool
    thinking_level: str
    task: str
    answers: tuple[str, ...]
    tools: tuple[Tool, ...]


@attrs.frozen
class LandingPage:
    """A landing page.

    Attributes:
        id: a UUID.
        name: its name.
        targets: the links and buttons on it.
    """

    id: str
    name: str
    targets: tuple[str, ...]


@attrs.frozen
class SurveyQuestion:
    """A question of a survey.

    Attributes:
        id: a UUID.
        reporting_id: its name in reports.
        answer_type: the kind of answer, such as `single_choice`.
        choices: the answers it offers, or texts that users write; empty for numbers and yes or no.
    """

    id: str
    reporting_id: str
    answer_type: str
    choices: tuple[str, ...]


@attrs.frozen
class Survey:
    """A survey, in an in-app message or on a landing page.

    Attributes:
        id: a UUID.
        questions: its questions, in their order.
    """

    id: str
    questions: tuple[SurveyQuestion, ...]


@attrs.frozen
class CanvasDestination:
    """An external destination to which Canvases pass users.

    Attributes:
        id: a UUID.
        name: its name.
        kind: its kind, such as `google_ads`.
        variant_kind: the kind of its variants, such as `audience`.
        variants: the names of its variants, such as audiences.
    """

    id: str
    name: str
    kind: str
    variant_kind: str
    variants: tuple[str, ...]
