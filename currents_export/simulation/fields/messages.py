"""Fields of messages in any channel."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from itertools import accumulate
from typing import Any
from zlib import crc32

from ...catalog import EventType
from .._data import read_data, read_rows, split
from .._draws import Draws, stir, unit
from .._ids import object_id
from ..workspace.channels import channel_of
from .draft import Draft, pick
from .registry import field_maker, needless_with

_WORDING = read_data("fields", "wording.toml")

#: Seconds within which the events of a campaign or Canvas step share a dispatch, and a send.
_DISPATCH_SECONDS, _SEND_SECONDS = 3600, 86_400

#: A message goes to its last recipient this many seconds after it went to the first.
_SPREAD_SECONDS = 600

#: The share of messages that data triggered.
_TRIGGERED = 0.15

_CAPPED = "frequency_capped"

#: `abort_log` has at most this many characters.
_LOG_LENGTH = 128


@field_maker
@needless_with("dispatch_id")  # a journey knows its ids
def dispatch(draft: Draft) -> Mapping[str, Any]:
    """Make the ids that the messages of one dispatch, and of one send, share."""
    message, time = draft.message, draft.time
    if message is None or message.kind == "group":
        return {}
    values = {"dispatch_id": object_id(time - time % _DISPATCH_SECONDS, message.dispatch_key)}
    if message.send_key:
        values["send_id"] = object_id(time - time % _SEND_SECONDS, message.send_key)
    return values


@field_maker
def in_app_dispatch(draft: Draft) -> Mapping[str, Any]:
    """Make the ids of an in-app message that was seen; only a sample has a dispatch."""
    if "dispatch_id" in draft.facts:
        return {}
    values = dispatch(draft)
    return values if draft.whole else {**values, "dispatch_id": None}


@field_maker
def send_time(draft: Draft) -> Mapping[str, Any]:
    """Make the time of the message's Send, which all events of one user's message share."""
    key = draft.the_message.dispatch_key[-4:] + draft.user.id[-4:]
    began = draft.time - draft.time % _DISPATCH_SECONDS
    return {"send_time": min(draft.time, began + int(key, 16) % _SPREAD_SECONDS)}


@field_maker
def locale(draft: Draft) -> Mapping[str, Any]:
    """Choose the locale of the translation; null for the default one."""
    return {"locale_key": draft.user.place.locale_key if draft.chance(0.3) else None}


@field_maker
def provenance(draft: Draft) -> Mapping[str, Any]:
    """Make the origin of the data that triggered a message; most were not triggered by data."""
    random = draft.random
    if (dispatch_id := draft.facts.get("dispatch_id")) is not None:
        # All events of a message say the same.
        checksum = crc32(str(dispatch_id).encode("utf-8", "surrogatepass"))
        key = stir(checksum, draft.user.number)
        if not draft.whole and unit(key) >= _TRIGGERED:
            return {}
        random = Draws(key).random
    elif not draft.whole and random() >= _TRIGGERED:
        return {}
    first = 1 + int(40 * random())
    lists = (f'"{key}":[{first + n},{first + n + 3}]' for n, key in enumerate("our"))
    return {"data_object_provenance": f"{{{','.join(lists)}}}"}


@cache
def _aborts(event_type: EventType) -> tuple[Sequence[tuple[str, str]], Sequence[float]]:
    """Return the abort types of an event type with their logs, and the running sums of weights.

    A type that the catalog does not list is left out; a type that only the catalog has is rare.
    """
    channel = channel_of(event_type.name)
    listed = _listed(event_type, "abort_type")
    rows = [
        (row["abort_type"], row["abort_log"], float(row["weight"]))
        for row in read_rows("fields", "aborts.tsv")
        if (row["channels"] == "*" or channel in split(row["channels"]))
        and (not listed or row["abort_type"] in listed)
    ]
    known = {kind for kind, _, _ in rows}
    rows += [(kind, f"Aborted: {kind}", 3.0) for kind in listed if kind not in known]
    return [row[:2] for row in rows], list(accumulate(row[2] for row in rows))


def _listed(event_type: EventType, name: str) -> tuple[str, ...]:
    field = event_type.fields.get(f"properties.{name}")
    return field.rule.values if field else ()


def _log(draft: Draft, text: str) -> str:
    channel = channel_of(draft.event_type.name) or ""
    name = draft.workspace.channel_names.get(channel, channel).replace("_", "-")
    text = text.replace("{domain}", draft.workspace.domain).replace("{channel}", name)
    return text[:_LOG_LENGTH]


@field_maker
def abort(draft: Draft) -> Mapping[str, Any]:
    """Choose why a message was not sent."""
    aborts, sums = _aborts(draft.event_type)
    kind, log = aborts[bisect(sums, draft.random() * sums[-1])]
    while kind == _CAPPED and not draft.whole:  # a journey knows when a cap is reached
        kind, log = aborts[bisect(sums, draft.random() * sums[-1])]
    return {"abort_type": kind, "abort_log": _log(draft, log)}


@field_maker
def retry(draft: Draft) -> Mapping[str, Any]:
    """Choose why a message waits: another one had priority, or a frequency cap was reached."""
    row = pick(draft, read_rows("fields", "retries.tsv"))
    return {"retry_type": row["retry_type"], "retry_log": _log(draft, row["retry_log"])}


@cache
def _errors(event_type: str) -> Sequence[Mapping[str, str]]:
    rows = read_rows("fields", "errors.tsv")
    glob = next(
        (row["event_type"] for row in rows if fnmatchcase(event_type, row["event_type"])), ""
    )
    return [row for row in rows if row["event_type"] == glob]


@field_maker
def provider_error(draft: Draft) -> Mapping[str, Any]:
    """Choose the error of the channel's provider."""
    rows = _errors(draft.event_type.name)
    return pick(draft, rows) if rows else {}


@field_maker
def sms_fallback(draft: Draft) -> Mapping[str, Any]:
    """Choose whether an SMS replaces an RCS message."""
    # An SMS seldom replaces an RCS message; a failed RCS message is mostly replaced.
    share = 0.6 if ".rcs." in draft.event_type.name else 0.04
    return {"is_sms_fallback": draft.random() < share}


@field_maker
def category(draft: Draft) -> Mapping[str, Any]:
    """Choose the keyword category of an auto-reply; other messages have none."""
    return {"category": pick(draft, _WORDING["categories"])} if draft.chance(0.03) else {}


@field_maker
def push_button(draft: Draft) -> Mapping[str, Any]:
    """Choose the button of a push message; null if the body was opened."""
    if not draft.chance(0.15):
        return {"button_string": None, "button_action_type": None}
    button, action = pick(draft, _WORDING["push_buttons"])
    return {"button_string": button, "button_action_type": action}


@field_maker
def button(draft: Draft) -> Mapping[str, Any]:
    """Choose the button of a message; null if the body was clicked."""
    return {"button_id": pick(draft, _WORDING["message_buttons"]) if draft.chance(0.7) else None}


@field_maker
def news_feed_card(draft: Draft) -> Mapping[str, Any]:
    """Choose the card of the News Feed."""
    return {"card_id": pick(draft, draft.workspace.news_feed_cards)}


@field_maker
def webhook_failure(draft: Draft) -> Mapping[str, Any]:
    """Make the endpoint's failure, and the retries of the webhook."""
    row = pick(draft, read_rows("fields", "webhook_failures.tsv"))
    status, body = int(row["http_status_code"]), row["raw_response"]
    passing = status == 429 or status >= 500
    retries = int(draft.random() * 6) if passing else 0
    return {
        "http_status_code": status,
        "raw_response": body,
        "content_length": len(body),
        "retry_count": retries,
        "is_terminal": not passing or retries == 5,
        "webhook_duration": 30_000 + int(draft.random() * 900)
        if status == 504
        else 40 + int(2000 * draft.random() ** 3),
        "webhook_failure_source": row["webhook_failure_source"],
    }
