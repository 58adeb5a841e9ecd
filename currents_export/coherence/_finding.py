"""`IncoherenceFinding`: one event that does not fit the events around it."""

from __future__ import annotations

from typing import Any, Self

import attrs

from .._codes import Code

__all__ = ["CoherenceRule", "IncoherenceCode", "IncoherenceFinding"]


class CoherenceRule(Code):
    """A rule that holds over the whole of a stream."""

    CAUSES = "causes", "every follow-up has an earlier cause"
    ONE_FATE = "one_fate", "a message has one fate"
    SILENCE = "silence", "users who cannot or must not be reached get no messages"
    STATE_CHANGES = "state_changes", "a state change differs from the state before it"
    SESSIONS = "sessions", "sessions begin and end once and do not overlap"
    CAMPAIGNS = "campaigns", "dispatches, variations and control groups of campaigns hold"
    CANVASES = "canvases", "a Canvas is entered, followed and left in that order"
    CONVERSIONS = "conversions", "a conversion follows a receipt, once for each conversion event"
    CAPS = "caps", "a frequency cap stops a message only when it is reached"
    MACHINES = "machines", "machines open and click soon, and are marked as machines"
    MONEY = "money", "a refund follows a purchase and is not larger"
    DEVICES = "devices", "devices keep their model and token, and are never downgraded"
    INBOUND = "inbound", "a reply names the message before it"
    PAGES = "pages", "pages are seen before they are used, and surveys answered once"
    NAMES = "names", "names are null for at most an hour"


class IncoherenceCode(Code):
    """The kind of an incoherence.

    Attributes:
        rule: the rule that the kind belongs to.
    """

    rule: CoherenceRule

    def __new__(
        cls, code: str, description: str = "", rule: CoherenceRule = CoherenceRule.CAUSES
    ) -> Self:
        """Make a member from its code, its description and its rule."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.description = description
        member.rule = rule
        return member

    NO_CAUSE = "no_cause", "the cause of the event is missing", CoherenceRule.CAUSES
    BEFORE_CAUSE = "before_cause", "the event precedes its cause", CoherenceRule.CAUSES

    TWO_FATES = (
        "two_fates",
        "a message has two fates that exclude each other",
        (CoherenceRule.ONE_FATE),
    )
    AFTER_FATE = "after_fate", "an attempt follows the fate of its message", CoherenceRule.ONE_FATE

    SENT_WHILE_SILENT = (
        "sent_while_silent",
        "a message went to someone out of reach",
        (CoherenceRule.SILENCE),
    )
    AFTER_DELETION = "after_deletion", "a deleted user has an event", CoherenceRule.SILENCE
    AFTER_ORPHAN = (
        "after_orphan",
        "a profile merged into another has an event",
        (CoherenceRule.SILENCE),
    )
    ORPHANED_BY_ITSELF = (
        "orphaned_by_itself",
        "a profile was merged into itself",
        (CoherenceRule.SILENCE),
    )

    STATE_UNCHANGED = (
        "state_unchanged",
        "a state change repeats the state before it",
        (CoherenceRule.STATE_CHANGES),
    )
    NO_STATE_CHANGE = (
        "no_state_change",
        "an opt-out or opt-in changed no state",
        (CoherenceRule.STATE_CHANGES),
    )
    WRONG_SOURCE = (
        "wrong_source",
        "a state change names the wrong source",
        (CoherenceRule.STATE_CHANGES),
    )

    SECOND_FIRST_SESSION = (
        "second_first_session",
        "a user has two first sessions of an app",
        (CoherenceRule.SESSIONS),
    )
    BEFORE_FIRST_SESSION = (
        "before_first_session",
        "a user used an app before the first session",
        (CoherenceRule.SESSIONS),
    )
    NO_SESSION_START = "no_session_start", "a session has no start", CoherenceRule.SESSIONS
    SECOND_SESSION_START = "second_session_start", "a session starts twice", CoherenceRule.SESSIONS
    SECOND_SESSION_END = "second_session_end", "a session ends twice", CoherenceRule.SESSIONS
    WRONG_DURATION = (
        "wrong_duration",
        "a session's duration is not the time it took",
        (CoherenceRule.SESSIONS),
    )
    SESSIONS_OVERLAP = (
        "sessions_overlap",
        "two sessions of a device overlap",
        (CoherenceRule.SESSIONS),
    )
    OUTSIDE_SESSION = (
        "outside_session",
        "something was seen in an app outside a session",
        (CoherenceRule.SESSIONS),
    )
    FLAG_SEEN_TWICE = (
        "flag_seen_twice",
        "a feature flag was counted twice in a session",
        (CoherenceRule.SESSIONS),
    )

    VARIATION_CHANGED = (
        "variation_changed",
        "a user got two variations of a campaign",
        (CoherenceRule.CAMPAIGNS),
    )
    CONTROL_GOT_MESSAGE = (
        "control_got_message",
        "the control group got a message",
        (CoherenceRule.CAMPAIGNS),
    )
    DISPATCH_OF_TWO = (
        "dispatch_of_two",
        "one dispatch belongs to two campaigns",
        (CoherenceRule.CAMPAIGNS),
    )
    DISPATCH_TOO_LONG = (
        "dispatch_too_long",
        "one dispatch takes more than three days",
        (CoherenceRule.CAMPAIGNS),
    )
    IN_APP_DISPATCH = "in_app_dispatch", "an in-app message has a dispatch", CoherenceRule.CAMPAIGNS

    NO_ENTRY = "no_entry", "a user is in a Canvas without having entered it", CoherenceRule.CANVASES
    CANVAS_VARIATION_CHANGED = (
        "canvas_variation_changed",
        "a passage has two variations",
        (CoherenceRule.CANVASES),
    )
    CANVAS_CONTROL_GOT_MESSAGE = (
        "canvas_control_got_message",
        "the control group of a Canvas got a message",
        CoherenceRule.CANVASES,
    )
    AFTER_EXIT = "after_exit", "a user goes on in a Canvas after leaving it", CoherenceRule.CANVASES
    WRONG_NEXT_STEP = (
        "wrong_next_step",
        "a user is not at the step announced as the next one",
        (CoherenceRule.CANVASES),
    )
    SPLIT_CHANGED = (
        "split_changed",
        "a user is on two paths of an Experiment step",
        (CoherenceRule.CANVASES),
    )

    NO_RECEIPT = (
        "no_receipt",
        "a conversion or receipt has no message before it",
        (CoherenceRule.CONVERSIONS),
    )
    CONVERSION_INDEX = (
        "conversion_index",
        "a conversion event has no such index",
        (CoherenceRule.CONVERSIONS),
    )
    CONVERTED_TWICE = (
        "converted_twice",
        "a receipt converted twice by the same event",
        (CoherenceRule.CONVERSIONS),
    )
    CONVERTED_TOO_LATE = (
        "converted_too_late",
        "a conversion came after its window",
        (CoherenceRule.CONVERSIONS),
    )
    NO_BEHAVIOR = (
        "no_behavior",
        "what counts as the conversion did not happen",
        (CoherenceRule.CONVERSIONS),
    )

    CAP_WITHOUT_TYPE = (
        "cap_without_type",
        "the kind and the log of an abort disagree",
        (CoherenceRule.CAPS),
    )
    CAP_NOT_REACHED = (
        "cap_not_reached",
        "a cap stopped a message before it was reached",
        (CoherenceRule.CAPS),
    )

    MACHINE_OPEN_VALUE = (
        "machine_open_value",
        "machine_open is not the text true",
        (CoherenceRule.MACHINES),
    )
    MACHINE_TOO_LATE = (
        "machine_too_late",
        "a machine reacted long after the delivery",
        (CoherenceRule.MACHINES),
    )
    BOT_REASON = (
        "bot_reason",
        "a click has a reason for suspicion but is not suspected",
        (CoherenceRule.MACHINES),
    )
    BOT_SETTING_MIXED = (
        "bot_setting_mixed",
        "bot detection is both on and off in a workspace",
        (CoherenceRule.MACHINES),
    )

    REFUND_WITHOUT_PURCHASE = (
        "refund_without_purchase",
        "a refund has no earlier purchase",
        (CoherenceRule.MONEY),
    )
    REFUND_TOO_LARGE = (
        "refund_too_large",
        "a refund is larger than the purchase",
        (CoherenceRule.MONEY),
    )
    ORDER_CURRENCY = "order_currency", "one order has two currencies", CoherenceRule.MONEY

    OS_WENT_BACK = (
        "os_went_back",
        "the version of a device's system went back",
        (CoherenceRule.DEVICES),
    )
    DEVICE_CHANGED = "device_changed", "a device became another one", CoherenceRule.DEVICES
    TOKEN_OF_TWO = "token_of_two", "two users have one push token", CoherenceRule.DEVICES

    NO_OUTBOUND = "no_outbound", "a reply names a message that was not sent", CoherenceRule.INBOUND
    REPLY_UNNAMED = (
        "reply_unnamed",
        "a reply does not name the message before it",
        (CoherenceRule.INBOUND),
    )
    REPLY_TO_OTHER = (
        "reply_to_other",
        "a reply names a message and another campaign",
        (CoherenceRule.INBOUND),
    )

    NO_IMPRESSION = (
        "no_impression",
        "a page or survey was used before it was seen",
        (CoherenceRule.PAGES),
    )
    SURVEY_STATUS = (
        "survey_status",
        "one survey session has two completion states",
        (CoherenceRule.PAGES),
    )
    SURVEY_QUESTION_TWICE = (
        "survey_question_twice",
        "a question was answered twice",
        (CoherenceRule.PAGES),
    )
    SURVEY_MIXED = (
        "survey_mixed",
        "one survey session belongs to two users or surveys",
        (CoherenceRule.PAGES),
    )

    NULL_TOO_LONG = "null_too_long", "a name is null for more than an hour", CoherenceRule.NAMES
    NULL_WITHOUT_RENAME = (
        "null_without_rename",
        "a name was null without a rename",
        (CoherenceRule.NAMES),
    )


def _code(code: str) -> IncoherenceCode:
    return IncoherenceCode(code)


@attrs.frozen
class IncoherenceFinding:
    """One event that contradicts the events around it.

    Attributes:
        code: the kind of the incoherence; `code.rule` is the rule that is broken.
        event_type: the event's type.
        event_id: the event's id, if it has one.
        time: the event's time, in seconds since the Unix epoch.
        user_id: the user's `user_id`, or `external_user_id` if there is no other id.
        problem: what is wrong.
        expected: what would be right.
        other_id: the id of the event that this one contradicts, if it was seen and has one.
        where: the place that was given for the event, such as `events.jsonl:3`.
    """

    code: IncoherenceCode = attrs.field(converter=_code)
    event_type: str
    event_id: str | None
    time: int
    user_id: str | None
    problem: str
    expected: str
    other_id: str | None = None
    where: str | None = None

    @property
    def rule(self) -> CoherenceRule:
        """The rule that is broken."""
        return self.code.rule

    def __str__(self) -> str:
        who = " ".join(each for each in (self.event_type, self.event_id) if each)
        other = f" ({self.other_id})" if self.other_id else ""
        return f"incoherent: {who}: {self.problem}{other}; {self.expected}"

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as a JSON object, without `where`."""
        values = attrs.asdict(self, filter=attrs.filters.exclude("where"))
        return values | {"code": self.code.value, "rule": self.rule.value}
