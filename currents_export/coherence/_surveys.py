"""Rule 14: a survey session has one survey, one user and one completion state.

That pages are seen before they are used is in the table `causes.tsv`.

Source: Braze, Message engagement events (surveys).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs

from ._context import Context
from ._finding import IncoherenceCode, IncoherenceFinding
from ._seen import DAY, Kind, Seen

__all__ = ["Surveys"]

#: How long to remember a survey session.
_LONGEST: Final = 7 * DAY


@attrs.define
class _Session:
    time: int
    id: str | None
    user: str | None
    survey: str | None
    status: str | None
    questions: dict[str, str | None] = attrs.Factory(dict)


class Surveys:
    """Follow survey sessions."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._sessions: dict[str, _Session] = {}

    def concerns(self, kind: Kind) -> bool:
        """Return whether a type is an answer."""
        return kind.name == "users.messages.survey.Response"

    def feed(self, event: Seen) -> Iterator[IncoherenceFinding]:
        """Compare an answer with the others of its session."""
        key = event.text("survey_session_id")
        if key is None:
            return
        survey, status = event.text("survey_id"), event.text("survey_completion_status")
        session = self._sessions.setdefault(
            key, _Session(event.time, event.id, event.user, survey, status)
        )
        session.time = max(session.time, event.time)
        if (session.user, session.survey) != (event.user, survey):
            yield event.finding(
                IncoherenceCode.SURVEY_MIXED,
                "another answer of the survey session has another user or survey",
                "a survey session is one user's answers to one survey",
                session.id,
            )
            return
        if session.status != status:
            yield event.finding(
                IncoherenceCode.SURVEY_STATUS,
                f"survey_completion_status is {status}, and another answer has {session.status}",
                "the answers of a survey session have one completion status",
                session.id,
            )
        if question := event.text("question_id"):
            if question in session.questions:
                yield event.finding(
                    IncoherenceCode.SURVEY_QUESTION_TWICE,
                    "the question was answered before in this survey session",
                    "each question has one answer",
                    session.questions[question],
                )
            session.questions.setdefault(question, event.id)

    def forget_user(self, user: str) -> None:
        """Keep the sessions: the order of answers does not matter."""

    def forget(self, now: int) -> None:
        """Drop survey sessions that are over."""
        self._sessions = {
            key: each for key, each in self._sessions.items() if each.time >= now - _LONGEST
        }
