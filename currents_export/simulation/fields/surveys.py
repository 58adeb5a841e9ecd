"""Fields of surveys and landing pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from .._data import read_data
from .._ids import uuid4, uuid_of
from ..workspace.assets import SurveyQuestion
from .draft import Draft, pick
from .registry import field_maker

_WORDING = read_data("fields", "wording.toml")

#: Seconds within which a user's answers belong to one session of a survey.
_SURVEY_SECONDS = 900

#: The answers of the Canvas-side sample: those that the first sample, an NPS score, cannot have.
_OTHER_ANSWERS = ("multiple_choice", "single_boolean", "free_form_text")


@field_maker
def landing_page(draft: Draft) -> Mapping[str, Any]:
    """Choose what was clicked on a landing page, and the page if it is not known."""
    pages, known = draft.workspace.landing_pages, draft.facts.get("landing_page_api_id")
    page = next((each for each in pages if each.id == known), None) or pick(draft, pages)
    return {
        "landing_page_api_id": page.id,
        "landing_page_name": page.name,
        "target": pick(draft, page.targets),
    }


@field_maker
def survey_response(draft: Draft) -> Mapping[str, Any]:
    """Make the answer to one question of a survey.

    A survey is in an in-app message or, if it belongs to neither a campaign nor a Canvas, on a
    landing page. The Canvas-side sample has the ids of a landing page and several answers, because
    the first sample cannot have them.
    """
    survey = pick(draft, draft.workspace.surveys)
    question = pick(draft, survey.questions)
    if draft.whole:
        wanted = _OTHER_ANSWERS[0] if draft.canvas_side else "nps"
        survey, question = next(
            (survey, question)
            for survey in draft.workspace.surveys
            for question in survey.questions
            if question.answer_type == wanted
        )
    last = question is survey.questions[-1]
    values: dict[str, Any] = {
        "survey_id": survey.id,
        "question_id": question.id,
        "question_reporting_id": question.reporting_id,
        "answer_type": question.answer_type,
        "response_id": uuid4(draft.bits),
        "survey_session_id": uuid_of(
            "survey", survey.id, draft.user.id, draft.time // _SURVEY_SECONDS
        ),
        "survey_completion_status": _WORDING["survey_states"]["last" if last else "other"],
        **_answer(draft, question),
    }
    if draft.canvas_side:
        for each in (each for one in draft.workspace.surveys for each in one.questions):
            if each.answer_type in _OTHER_ANSWERS:
                values |= _answer(draft, each)
    if draft.message is None or draft.canvas_side:
        page = pick(draft, draft.workspace.landing_pages)
        values |= {"landing_page_api_id": page.id, "landing_page_name": page.name}
    return values


def _answer(draft: Draft, question: SurveyQuestion) -> Mapping[str, Any]:
    """Make the answer in the fields that belong to the question's kind."""
    match question.answer_type:
        case "nps":
            score = {"answer_single_number": int(11 * draft.random() ** 0.5)}
            if draft.chance(0.3):
                return {**score, "answer_single_string": pick(draft, question.choices)}
            return score
        case "single_number":
            return {"answer_single_number": int(12 * draft.random() ** 2)}
        case "single_boolean":
            return {"answer_single_boolean": draft.random() < 0.7}
        case "free_form_text":
            return {"answer_long_string": pick(draft, question.choices)}
        case "multiple_choice":
            chosen = [each for each in question.choices if draft.random() < 0.4]
            return {
                "answer_multiple_strings": orjson.dumps(chosen or [question.choices[0]]).decode()
            }
        case _:
            return {"answer_single_string": pick(draft, question.choices)}
