"""Rule 5: sessions begin and end once, last as long as they say, and do not overlap.

Source: Braze, Customer behavior and user events (sessions); App sessions.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from ._context import Expectation, UserCheck
from ._finding import IncoherenceCode, IncoherenceFinding
from ._seen import DAY, MINUTE, Kind, Seen

__all__ = ["Sessions"]

_APP: Final = "users.behaviors.app."

#: What a user can see only while the app is open.
_INSIDE: Final = (
    "users.messages.inappmessage.Impression",
    "users.messages.inappmessage.Click",
    "users.messages.contentcard.Impression",
    "users.messages.contentcard.Click",
    "users.messages.contentcard.Dismiss",
    "users.messages.banner.Impression",
    "users.messages.banner.Click",
    "users.messages.banner.Dismiss",
    "users.messages.featureflag.Impression",
)

#: By how many seconds a duration can differ from the difference, since times are whole seconds.
_ROUNDING: Final = 1

#: How long to remember a session without an end, and for how long an ended one.
_LONGEST: Final = 2 * DAY

#: How soon a first session starts a session.
_SOON: Final = MINUTE


class _Session:
    __slots__ = ("ended", "flags", "id", "key", "start")

    def __init__(self, event: Seen, key: str | None) -> None:
        self.key, self.start, self.id = key, event.time, event.id
        self.ended = 0
        self.flags: dict[str, str | None] = {}


#: A device and an app: one device can run several apps at the same time.
_Place = tuple[str, str | None]


class _State:
    __slots__ = ("apps", "ends", "first", "places", "sessions", "waiting")

    def __init__(self) -> None:
        #: When each app was first used, and by which event.
        self.apps: dict[str, tuple[int, str | None]] = {}
        self.first: dict[str, tuple[int, str | None]] = {}
        self.places: dict[_Place, list[_Session]] = {}
        self.sessions: dict[str, _Session] = {}
        self.ends: dict[str, tuple[int, str | None]] = {}
        self.waiting: dict[str, Expectation] = {}


class Sessions(UserCheck[_State]):
    """Follow the sessions of each user's devices."""

    def concerns(self, kind: Kind) -> bool:
        """Return whether a type is part of a session."""
        return kind.name.startswith(_APP) or any(fnmatchcase(kind.name, each) for each in _INSIDE)

    def feed(self, event: Seen) -> Iterator[IncoherenceFinding]:
        """Take a start, an end, or something inside a session."""
        if event.user is None:
            return
        state = self.states.get(event.user)
        if state is None:
            state = self.states[event.user] = _State()
        last = event.kind.last
        if not event.kind.name.startswith(_APP):
            yield from self._inside(state, event)
        elif last == "FirstSession":
            yield from self._first(state, event)
        elif last == "SessionStart":
            yield from _start(state, event)
        elif last == "SessionEnd":
            yield from _end(state, event)
        if app := event.text("app_id"):
            state.apps.setdefault(app, (event.time, event.id))

    def forget(self, now: int) -> None:
        """Drop sessions that are long over."""
        oldest = now - _LONGEST
        for state in self.states.values():
            state.ends = {key: end for key, end in state.ends.items() if end[0] >= oldest}
            state.sessions = {
                key: each for key, each in state.sessions.items() if each.start >= oldest
            }
            # The last session stays, to know that the device has none at the moment.
            state.places = {
                place: [each for each in sessions[:-1] if each.start >= oldest] + sessions[-1:]
                for place, sessions in state.places.items()
            }

    def _first(self, state: _State, event: Seen) -> Iterator[IncoherenceFinding]:
        app, session = event.text("app_id"), event.text("session_id")
        if app is not None:
            if app in state.first:
                yield event.finding(
                    IncoherenceCode.SECOND_FIRST_SESSION,
                    "the user had a FirstSession of this app before",
                    "there is one for each user and app",
                    state.first[app][1],
                )
            elif app in state.apps and state.apps[app][0] < event.time:
                yield event.finding(
                    IncoherenceCode.BEFORE_FIRST_SESSION,
                    "the user used the app before",
                    "the FirstSession precedes everything else in the app",
                    state.apps[app][1],
                )
            state.first.setdefault(app, (event.time, event.id))
        started = session is not None and session in state.sessions
        if session is not None and not started and self.context.is_whole(event.user):
            finding = event.finding(
                IncoherenceCode.NO_SESSION_START,
                "no SessionStart with the same session_id follows",
                "a first session has a FirstSession and a SessionStart",
            )
            made = self.context.expect(event, event.time + _SOON, finding)
            state.waiting[session] = made

    def _inside(self, state: _State, event: Seen) -> Iterator[IncoherenceFinding]:
        if event.device is None:
            return
        app = event.text("app_id")
        sessions = state.places.get((event.device, app), [])
        if not sessions and (app is None or not self.context.is_whole(event.user)):
            return
        # Of the sessions without an end, only the last can be open: they do not overlap.
        inside = [
            each
            for each in sessions
            if each.ended >= event.time or (each is sessions[-1] and not each.ended)
        ]
        if not inside:
            yield event.finding(
                IncoherenceCode.OUTSIDE_SESSION,
                "the device has no session at that time",
                "it happens between a SessionStart and its SessionEnd",
                sessions[-1].id if sessions else None,
            )
            return
        flag = event.text("feature_flag_id_name")
        if flag is None or event.kind.channel != "featureflag":
            return
        session = inside[-1]
        if flag in session.flags and session.start < event.time and len(inside) == 1:
            yield event.finding(
                IncoherenceCode.FLAG_SEEN_TWICE,
                "the flag had an Impression in this session before",
                "a flag has one Impression in a session",
                session.flags[flag],
            )
        session.flags.setdefault(flag, event.id)


def _start(state: _State, event: Seen) -> Iterator[IncoherenceFinding]:
    key = event.text("session_id")
    session = _Session(event, key)
    if key is not None:
        if expected := state.waiting.pop(key, None):
            expected.met = True
        if before := state.sessions.get(key):
            yield event.finding(
                IncoherenceCode.SECOND_SESSION_START,
                "a SessionStart with the same session_id came before",
                "a session starts once",
                before.id,
            )
            return
        state.sessions[key] = session
    if event.device is not None:
        place = (event.device, event.text("app_id"))
        state.places.setdefault(place, []).append(session)


def _end(state: _State, event: Seen) -> Iterator[IncoherenceFinding]:
    key, duration = event.text("session_id"), event.number("duration")
    if key is None:
        return
    if key in state.ends:
        yield event.finding(
            IncoherenceCode.SECOND_SESSION_END,
            "a SessionEnd with the same session_id came before",
            "a session ends once",
            state.ends[key][1],
        )
        return
    state.ends[key] = (event.time, event.id)
    session = state.sessions.get(key)
    if session is None:
        return
    session.ended = event.time
    took = event.time - session.start
    if duration is not None and abs(took - duration) > _ROUNDING:
        yield event.finding(
            IncoherenceCode.WRONG_DURATION,
            f"duration is {duration:g}, and the session started {took} seconds before",
            "duration is the seconds between the start and the end",
            session.id,
        )
    if event.device is None:
        return
    place = (event.device, event.text("app_id"))
    inside = [
        other
        for other in state.places.get(place, ())
        if other is not session and session.start < other.start < event.time
    ]
    if inside:
        yield event.finding(
            IncoherenceCode.SESSIONS_OVERLAP,
            f"another session of the device started {event.time - inside[0].start} seconds before",
            "a session ends before the device starts the next one",
            inside[0].id,
        )
