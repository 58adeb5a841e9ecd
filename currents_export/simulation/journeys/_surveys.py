"""Answers to surveys: one event for each question.

Source: Braze, Simple surveys; survey response events.
"""

from __future__ import annotations

from typing import Any

import orjson

from .._draws import mix
from .._ids import uuid_from
from ..workspace.assets import SurveyQuestion
from ._life import Cause
from ._messages import MessageJourney

__all__ = ["answer_survey"]


def answer_survey(journey: MessageJourney, cause: Cause) -> None:
    """Answer a survey: all its questions, or only the first ones."""
    surveys = journey.life.run.workspace.surveys
    survey = surveys[int(journey.unit("which survey") * len(surveys))]
    complete = journey.happens("survey.complete")
    questions = survey.questions if complete else survey.questions[:1]
    device = journey.owned.device if journey.owned else None
    status = "completed" if complete else "incomplete"
    for number, question in enumerate(questions):
        journey.emit(
            "users.messages.survey.Response",
            device=device,
            cause=cause,
            survey_id=survey.id,
            survey_session_id=uuid_from(mix(journey.key, "survey")),
            response_id=uuid_from(mix(journey.key, "response", number)),
            question_id=question.id,
            question_reporting_id=question.reporting_id,
            answer_type=question.answer_type,
            survey_completion_status=status,
            **_answer(journey, question, number),
        )


_ANSWERS = (
    "answer_long_string",
    "answer_multiple_strings",
    "answer_single_boolean",
    "answer_single_number",
    "answer_single_string",
)


def _answer(journey: MessageJourney, question: SurveyQuestion, number: int) -> dict[str, Any]:
    share = journey.unit("answer", number)
    choices = question.choices
    answers: dict[str, Any] = dict.fromkeys(_ANSWERS)
    match question.answer_type:
        case "nps":
            answers["answer_single_number"] = int(11 * share**0.5)
        case "single_number":
            answers["answer_single_number"] = int(12 * share**2)
        case "single_boolean":
            answers["answer_single_boolean"] = share < 0.7
        case "free_form_text":
            answers["answer_long_string"] = choices[int(share * len(choices))]
        case "multiple_choice":
            chosen = choices[: 1 + int(share * len(choices))]
            answers["answer_multiple_strings"] = orjson.dumps(chosen).decode()
        case _:
            answers["answer_single_string"] = choices[int(share * len(choices))]
    return answers
