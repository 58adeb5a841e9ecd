"""Fields of email: bounces, spam reports, opens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from .._data import read_data, read_rows
from .draft import Draft, pick
from .registry import field_maker

__all__ = ["mail_client"]

_MAIL = read_data("fields", "mail.toml")

_UNKNOWN: Mapping[str, str] = _MAIL["unknown"]
_PROVIDER = _UNKNOWN["mailbox_provider"]


@cache
def _replies(kind: str, sender: str) -> Sequence[str]:
    """Return a mail server's replies for a kind of failure, with SMTP codes."""
    rows = [row for row in read_rows("fields", "smtp.tsv") if row["kind"] == kind]
    return [row["reply"] for row in rows if row["sender"] == sender] or [
        row["reply"] for row in rows
    ]


def _smtp(draft: Draft, kind: str) -> str:
    user, fields = draft.user, draft.the_message.fields
    sender = (
        fields.get("esp", _UNKNOWN["esp"]) if kind == "drop" else user.mailbox_provider or _PROVIDER
    )
    return pick(draft, _replies(kind, sender)).format(
        email=user.email,
        domain=user.email_domain,
        ip=fields.get("sending_ip", _UNKNOWN["sending_ip"]),
    )


@field_maker
def bounce(draft: Draft) -> Mapping[str, Any]:
    """Make a hard bounce; a dropped email was not even passed to a mail server."""
    dropped = not draft.whole and draft.random() < 0.2
    return {"is_drop": dropped, "bounce_reason": _smtp(draft, "drop" if dropped else "hard")}


@field_maker
def soft_bounce(draft: Draft) -> Mapping[str, Any]:
    """Choose the reason for a soft bounce."""
    return {"bounce_reason": _smtp(draft, "soft")}


@field_maker
def deferral(draft: Draft) -> Mapping[str, Any]:
    """Make the reason for a deferral, and how often the email was tried."""
    return {
        "attempt_count": 1 + int(6 * draft.random() ** 3),
        "deferral_reason": _smtp(draft, "deferral"),
    }


@field_maker
def spam_report(draft: Draft) -> Mapping[str, Any]:
    """Choose the user agent of the feedback loop."""
    reporters = _MAIL["spam_reporters"]
    provider = draft.user.mailbox_provider or _PROVIDER
    return {"user_agent": reporters.get(provider, reporters[_PROVIDER])}


def mail_client(draft: Draft) -> dict[str, Any]:
    """Make the browser or app in which the user reads."""
    if not draft.user.browsers:
        return {"user_agent": draft.user.user_agent, "is_amp": False}
    client = pick(draft, draft.user.browsers)
    return {
        "user_agent": client.user_agent,
        "browser": client.name,
        "device_class": client.device_class,
        "device_model": client.device_model,
        "device_os": client.device_os,
        "is_amp": draft.user.mailbox_provider in _MAIL["amp_providers"] and draft.random() < 0.02,
    }


@field_maker
def email_open(draft: Draft) -> Mapping[str, Any]:
    """Make an open, by a person or by a machine."""
    machine = draft.whole or draft.facts.get("machine_open") is not None
    if machine and not draft.whole:
        proxy: Mapping[str, Any] | None = _MAIL["proxies"].get(draft.user.mailbox_provider)
        if proxy is not None:
            return {**proxy, "machine_open": "true"}
    values = mail_client(draft)
    # A security scanner looks like a person with a browser.
    if machine:
        values["machine_open"] = "true"
    return values
