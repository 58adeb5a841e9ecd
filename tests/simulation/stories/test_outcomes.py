"""An outcome can be seen in the events of its journey."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest

from currents_export.errors import OptionError
from currents_export.events import Event
from currents_export.simulation import SAMPLE_TIME, World
from currents_export.simulation.journeys import local_time
from currents_export.simulation.stories import STORIES

DAY = 86_400
Told = list[Event]


def kinds(events: Told) -> list[str]:
    return [event.event_type.removeprefix("users.") for event in events]


def ends(events: Told, end: str) -> list[Event]:
    """Return the events of the types that end so."""
    return [event for event in events if event.event_type.endswith(f".{end}")]


def has(*parts: str) -> Callable[[Told], bool]:
    """Check that types with these ends occur, in this order."""

    def check(events: Told) -> bool:
        names = iter(kinds(events))
        return all(any(name.endswith(part) for name in names) for part in parts)

    return check


def lacks(*parts: str) -> Callable[[Told], bool]:
    return lambda events: not any(name.endswith(part) for name in kinds(events) for part in parts)


def prices(events: Told) -> list[float]:
    return [event.properties["price"] for event in ends(events, "Purchase")]


def refunded(events: Told) -> bool:
    bought = [price for price in prices(events) if price > 0]
    return min(prices(events)) < 0 and -min(prices(events)) in bought


def no_purchase_after_click(events: Told) -> bool:
    names = kinds(events)
    return "behaviors.Purchase" not in names[names.index("messages.email.Click") :]


def machine_only(events: Told) -> bool:
    opens = ends(events, "email.Open")
    return bool(opens) and all(each.properties["machine_open"] == "true" for each in opens)


def bots_only(events: Told) -> bool:
    clicks = [*ends(events, "email.Click"), *ends(events, "sms.ShortLinkClick")]
    return bool(clicks) and all(each.properties["is_suspected_bot_click"] for each in clicks)


def in_the_morning(events: Told) -> bool:
    """Check that the first message of a quiet channel comes in the morning, local time."""
    sends = [
        event
        for event in ends(events, "Send")
        if event.event_type.split(".")[2] in ("pushnotification", "sms", "whatsapp", "rcs")
    ]
    zone = next(event.user["timezone"] for event in events if "timezone" in event.user)
    return 8 * 3600 <= local_time(zone, sends[0].time) % DAY < 9 * 3600


def capped(count: int) -> Callable[[Told], bool]:
    def check(events: Told) -> bool:
        (abort,) = ends(events, "Abort")
        sends = ends(events, "Send")
        return bool(
            len(sends) == count
            and abort.properties["abort_type"] == "frequency_capped"
            and abort.time > sends[-1].time
        )

    return check


def unsubscribes(status: str = "Unsubscribed") -> Callable[[Told], bool]:
    def check(events: Told) -> bool:
        changes = [
            *ends(events, "GlobalStateChange"),
            *ends(events, "subscriptiongroup.StateChange"),
        ]
        return [each.properties["subscription_status"] for each in changes[-1:]] == [status]

    return check


def email_ends(*ends_: str) -> Callable[[Told], bool]:
    """Check that no email is sent after the first event of a type."""

    def check(events: Told) -> bool:
        names = kinds(events)
        place = min(names.index(name) for name in ends_)
        return "messages.email.Send" not in names[place:]

    return check


def surveyed(status: str) -> Callable[[Told], bool]:
    def check(events: Told) -> bool:
        answers = ends(events, "survey.Response")
        return bool(answers) and {
            each.properties["survey_completion_status"] for each in answers
        } == {status}

    return check


def token_moves(events: Told) -> bool:
    removed, added = ends(events, "TokenStateChange")
    return bool(
        removed.user["user_id"] != added.user["user_id"]
        and removed.properties["push_token"] == added.properties["push_token"]
        and 0 < added.properties["time_ms"] - removed.properties["time_ms"] <= 100
    )


def token_is_replaced(events: Told) -> bool:
    removed, added = ends(events, "TokenStateChange")
    return bool(
        removed.user["user_id"] == added.user["user_id"]
        and removed.properties["push_token"] != added.properties["push_token"]
        and removed.properties["time_ms"] == added.properties["time_ms"]
    )


def reply_is(text: str) -> Callable[[Told], bool]:
    return lambda events: ends(events, "InboundReceive")[0].properties["message_body"] == text


UNWANTED = ("Bounce", "MarkAsSpam", "InboundReceive", "Abort", "Deferral", "EnrollInControl")
IGNORED = [has("email.Send", "email.Delivery"), lacks("Open", "Click", "Read", *UNWANTED)]
CONTROL = [has("Entry"), lacks("Send", "Click", "Open")]
BY_EMAIL = [has("email.Send", "email.Delivery", "email.Open", "email.Click", "Purchase")]
EMAIL = {
    "converted": [*BY_EMAIL, has("Purchase", "Conversion")],
    "happy": [
        has("email.Delivery", "email.Open", "email.Click", "SessionStart"),
        no_purchase_after_click,
    ],
    "returned": [has("email.Open", "email.Click", "SessionStart", "exit.PerformedEvent")],
    "opened": [has("email.Open", "email.Open"), lacks("Click")],
    "machine-open": [machine_only, lacks("Click")],
    "bot-clicks": [bots_only, lacks("Open")],
    "deferred": [has("email.Send", "email.Deferral", "email.Delivery")],
    "soft-bounced": [has("email.Send", "email.SoftBounce"), lacks("Delivery")],
    "bounced": [has("email.Send", "email.Bounce"), email_ends("messages.email.Bounce")],
    "unsubscribed": [
        has("email.Open", "email.Unsubscribe"),
        unsubscribes(),
        email_ends("messages.email.Unsubscribe"),
    ],
    "spam": [has("email.MarkAsSpam"), email_ends("messages.email.MarkAsSpam")],
    "refunded": [*BY_EMAIL, refunded],
    "reviewed": [lambda events: any("Review" in n for n in names_of(events))],
    "capped": [capped(5)],
    "aborted": [has("email.Abort"), lacks("Send")],
    "control": CONTROL,
}


def names_of(events: Told) -> list[str]:
    return [event.properties.get("name", "") for event in ends(events, "CustomEvent")]


#: What can be seen, by journey and outcome; where a journey has no entry, the email ones count.
SEEN: dict[str, dict[str, Sequence[Callable[[Told], Any]]]] = {
    "welcome-series": {"ignored": IGNORED},
    "abandoned-cart": {
        "ignored": [*IGNORED, lacks("Purchase")],
        "stopped": [has("sms.Delivery", "sms.InboundReceive"), unsubscribes(), reply_is("STOP")],
        "bounced-push": [
            has("pushnotification.Send", "pushnotification.Bounce", "TokenStateChange")
        ],
        "quiet-hours": [in_the_morning, has("pushnotification.Open")],
    },
    "win-back": {"ignored": [*IGNORED, lacks("Purchase")]},
    "post-purchase": {
        "ignored": IGNORED,
        "refunded": [refunded],
        "converted": [*BY_EMAIL, has("canvas.Entry", "Purchase", "canvas.Conversion")],
    },
    "newsletter": {
        "ignored": [*IGNORED, lacks("Purchase")],
        "control": [has("EnrollInControl"), lacks("Send")],
    },
    "push-campaign": {
        "opened": [has("pushnotification.Send", "pushnotification.Open", "SessionStart")],
        "ignored": [has("pushnotification.Send"), lacks("Open", "Bounce", "Abort")],
        "bounced": [has("pushnotification.Bounce", "TokenStateChange"), lacks("Open")],
        "capped": [capped(2)],
        "quiet-hours": [in_the_morning],
        "aborted": [has("pushnotification.Abort"), lacks("Send")],
        "control": [has("EnrollInControl"), lacks("Send")],
    },
    "in-app-purchase": {
        "purchased": [has("Impression", "Click", "Purchase", "Conversion", "SessionEnd")],
        "clicked": [has("Impression", "Click"), lacks("Purchase")],
        "ignored": [has("Impression"), lacks("Click", "Purchase")],
        "surveyed": [has("Impression"), surveyed("completed")],
        "refunded": [has("Impression", "Purchase"), refunded],
        "aborted": [has("inappmessage.Abort"), lacks("Impression")],
        "control": [has("EnrollInControl", "Purchase"), lacks("Impression")],
    },
    "sms-opt-in-stop": {
        "stopped": [has("StateChange", "Delivery", "InboundReceive"), unsubscribes()],
        "replied": [has("Delivery", "InboundReceive"), unsubscribes("Subscribed")],
        "clicked": [has("Delivery", "ShortLinkClick"), lacks("Purchase")],
        "converted": [has("ShortLinkClick", "Purchase", "Conversion")],
        "ignored": [has("Delivery"), lacks("ShortLinkClick", "InboundReceive")],
        "bot-clicks": [bots_only],
        "rejected": [has("CarrierSend", "Rejection"), lacks("Delivery")],
        "undelivered": [has("Send", "DeliveryFailure"), lacks("CarrierSend")],
        "capped": [capped(3)],
        "quiet-hours": [in_the_morning],
    },
    "whatsapp-conversation": {
        "replied": [has("Send", "Delivery", "Read", "InboundReceive"), lacks("StateChange")],
        "clicked": [has("Read", "Click")],
        "read": [has("Delivery", "Read"), lacks("Click", "InboundReceive")],
        "unread": [has("Delivery"), lacks("Read")],
        "failed": [has("Send", "Failure"), lacks("Delivery")],
        "stopped": [has("Read", "InboundReceive"), unsubscribes()],
        "capped": [capped(3)],
        "quiet-hours": [in_the_morning],
        "control": [has("EnrollInControl"), lacks("Send")],
    },
    "rcs-fallback-to-sms": {
        "delivered": [has("rcs.Rejection", "sms.Send", "sms.CarrierSend", "sms.Delivery")],
        "clicked": [has("rcs.Rejection", "sms.Delivery", "sms.ShortLinkClick")],
        "stopped": [has("sms.Delivery", "sms.InboundReceive"), unsubscribes()],
        "sms-rejected": [has("rcs.Rejection", "sms.Rejection"), lacks("Delivery")],
        "rejected": [has("rcs.Rejection"), lacks("sms.Send")],
        "no-fallback-needed": [has("rcs.Delivery", "rcs.Read", "rcs.Click"), lacks("sms.Send")],
        "quiet-hours": [in_the_morning],
    },
    "live-activity-delivery": {
        "delivered": [
            has(
                "PushToStartTokenChange", "Send", "Outcome", "UpdateTokenChange", "Send", "Outcome"
            ),
            lambda events: (
                {each.properties["live_activity_event_outcome"] for each in ends(events, "Outcome")}
                == {"Success"}
            ),
        ],
        "failed": [
            lacks("UpdateTokenChange"),
            lambda events: (
                ends(events, "Outcome")[-1].properties["live_activity_event_outcome"] != "Success"
            ),
        ],
    },
    "landing-page-survey": {
        "answered": [has("email.Click", "landingpage.Impression"), surveyed("completed")],
        "incomplete": [has("landingpage.Impression"), surveyed("incomplete")],
        "form": [has("landingpage.Impression", "landingpage.FormSubmission"), lacks("Response")],
        "clicked": [has("landingpage.Impression", "landingpage.Click")],
        "left": [has("landingpage.Impression"), lacks("Response", "landingpage.Click")],
    },
    "account-deletion": {
        "deleted": [has("SessionEnd", "UserDeleteRequest")],
        "in-canvas": [
            has("Entry", "email.Send", "UserDeleteRequest"),
            lacks("pushnotification.Send"),
        ],
    },
    "anonymous-to-known": {
        "merged": [has("SessionStart", "UserOrphan"), lacks("Purchase")],
        "after-purchase": [has("Purchase", "UserOrphan")],
    },
    "token-moves": {
        "moved": [token_moves],
        "refreshed": [token_is_replaced],
        "revoked": [has("GlobalStateChange", "TokenStateChange"), unsubscribes()],
        "uninstalled": [has("SessionEnd", "Uninstall")],
        "bounced": [has("pushnotification.Bounce", "TokenStateChange")],
    },
}

ALL = [(story.name, outcome) for story in STORIES.values() for outcome in story.outcomes]


@pytest.mark.parametrize(("name", "outcome"), ALL)
def test_outcome_is_seen(name: str, outcome: str, storyteller: World) -> None:
    """It is seen whoever has the journey, and whenever."""
    tellings = [storyteller.journey(name, outcome=outcome)]
    for user in range(0, 60, 3):
        start = SAMPLE_TIME + 7_777 * user
        with suppress(OptionError):
            tellings.append(storyteller.journey(name, outcome=outcome, user=user, start=start))
    checks = SEEN[name].get(outcome) or EMAIL[outcome]
    for events in tellings:
        for check in checks:
            assert check(events), kinds(events)


def test_nothing_follows_a_deletion(storyteller: World) -> None:
    for name, last in (
        ("account-deletion", "UserDeleteRequest"),
        ("anonymous-to-known", "UserOrphan"),
    ):
        for outcome in STORIES[name].outcomes:
            assert kinds(storyteller.journey(name, outcome=outcome))[-1] == last
