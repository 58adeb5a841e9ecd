"""A message's life: held back, aborted or sent, and what follows from it.

Source: Braze, Quiet Hours; Frequency capping; message events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .._draws import MASK, UNIT, Draws, factor_of, key_of, mix, share, stir
from .._ids import object_id, wamid
from ..workspace.model import Campaign, Message
from ._awaiting import await_goals
from ._calendar import Occurrence
from ._chances import Effect
from ._curve import DAY, HOUR, local_offset
from ._life import Cause, Journey, Life
from ._state import OwnedDevice

if TYPE_CHECKING:
    from ._canvases import Passage
    from ._run import Run, Variations

__all__ = [
    "AFTER",
    "BEFORE",
    "MessageJourney",
    "Pending",
    "choose_variation",
    "follow",
    "is_new",
    "receive",
    "schedule",
    "send",
    "send_scheduled",
]

#: The quiet hours of the channels that wait for their end.
_QUIET = dict.fromkeys(
    ("pushnotification", "sms", "whatsapp", "rcs", "line"), (21 * HOUR, 8 * HOUR)
)

#: Frequency caps: at most so many messages of a channel in so many days.
_CAPS: dict[str, tuple[tuple[int, int], ...]] = {
    "email": ((5, 7),),
    "pushnotification": ((5, 7), (2, 1)),
    "sms": ((3, 7),),
    "whatsapp": ((3, 7),),
    "rcs": ((3, 7),),
    "line": ((3, 7),),
}

#: How many days of sent messages are kept before the oldest of them are forgotten.
_MOST_SENT = 32

#: What may happen to a message that could go out, and to one that was held back before.
_FATES = ("message.deprioritized", "message.abort")
_LAST_FATES = ("message.abort",)

#: How many content cards wait for the user's next session: the latest, so that they do not pile up.
_CARDS = 10

#: The effects that are the receipt of a message; on other channels, sending it is.
_RECEIPTS = {
    "email": ("email.delivery", "email.late_delivery"),
    "sms": ("sms.delivery",),
    "whatsapp": ("whatsapp.delivery",),
    "rcs": ("rcs.delivery",),
}
_RECEIVED = {name: channel for channel, names in _RECEIPTS.items() for name in names}


class MessageJourney(Journey):
    """One message to one user.

    Attributes:
        channel: its channel.
        flow: whether it belongs to a Canvas or to an action-based campaign.
        owned: the device it is sent to or seen on; None if there is none.
        passage: the way through a Canvas that it belongs to; None for a campaign.
        sent: the event of its sending.
        whole: the message.
    """

    __slots__ = ("channel", "flow", "owned", "passage", "sent", "whole")

    def __init__(
        self, life: Life, name: str, key: int, message: Message, *, flow: bool, cause: Cause = 0
    ) -> None:
        # As `Journey.__init__`; a call takes as long as all of this.
        self.life = life
        self.name = name
        self.key = stir(life.key ^ key_of(name), key)
        self.count = 0
        self.message = message
        self.facts = {}
        self.cause = cause
        self.whole = message
        self.channel = message.channel
        self.flow = flow
        self.owned: OwnedDevice | None = None
        self.passage: Passage | None = None
        self.sent: Cause = 0


class Pending:
    """An effect that will happen.

    Attributes:
        journey: the message that it follows from.
        effect: the effect.
        cause: the event that it follows from.
    """

    __slots__ = ("cause", "effect", "journey")

    def __init__(self, journey: MessageJourney, effect: Effect, cause: Cause) -> None:
        self.journey = journey
        self.effect = effect
        self.cause = cause

    @property
    def life(self) -> Life:
        """Whose it is."""
        return self.journey.life


#: What the event of an effect says, by the name of the effect; None if the user can no longer cause
#: it.
BEFORE: dict[str, Callable[[Pending], Mapping[str, Any] | None]] = {}
#: What an effect changes, or what else follows from it, by its name.
AFTER: dict[str, Callable[[Pending, Cause], None]] = {}


def choose_variation(life: Life, campaign: Campaign) -> Message:
    """Return the message that a user gets from a campaign: always of the same variation."""
    run = life.run
    variations = run.variations.get(campaign.id)
    if variations is None:
        variations = run.variations[campaign.id] = _variations(run, campaign)
    held, scale, treated, control, key = variations
    drawn = run.chances.of(life, key) - held
    # Those who are not in the control group are divided equally.
    return treated[int(drawn * scale)] if drawn >= 0 else control[0]


def _variations(run: Run, campaign: Campaign) -> Variations:
    treated, control = run.calendar.messages_of(campaign)
    chances, rules = run.chances, campaign.rules
    held = (rules.control if rules else chances.share("message.control")) if control else 0.0
    # A little less than their number, so that rounding does not choose one beyond the last.
    scale = len(treated) / (1 - held) * (1 - 1e-12) if held < 1 else 0.0
    return held, scale, treated, control, key_of(campaign.id)


def schedule(life: Life, campaign: Campaign, key: int, time: int, cause: Cause) -> None:
    """Send the message of an action-based campaign at a time."""
    message = choose_variation(life, campaign)
    journey = MessageJourney(life, campaign.name, key, message, flow=True, cause=cause)
    life.at(time, _send_triggered, journey)


def send_scheduled(life: Life, occurrence: Occurrence) -> None:
    """Send the message of a scheduled campaign, if the user can be reached."""
    campaign = occurrence.campaign
    message = choose_variation(life, campaign)
    if can_reach(life, message):
        journey = MessageJourney(life, campaign.name, occurrence.key, message, flow=False)
        # One dispatch for all recipients; where it is sent in local time, it begins a day earlier.
        local = campaign.schedule is not None and campaign.schedule.local
        launched = occurrence.launched - (DAY if local else 0)
        journey.facts["dispatch_id"] = object_id(launched, message.dispatch_key)
        if message.control:
            _enroll(journey)
        else:
            _go_out(journey)


def _send_triggered(journey: MessageJourney) -> None:
    journey.facts["dispatch_id"] = object_id(journey.now, f"{journey.key:016x}")
    rules = journey.whole.rules
    # Calls of the API that set off a message can ask for a send id.
    if rules.send_id if rules is not None else journey.whole.send_key:
        journey.facts["send_id"] = object_id(journey.now, f"{mix(journey.key, 'send'):016x}")
    send(journey)


def send(journey: MessageJourney) -> None:
    """Send a message now, if the user can be reached, or say why not."""
    life, message = journey.life, journey.whole
    if message.control and message.kind == "campaign":
        _enroll(journey)
        return
    if (not journey.passage or not journey.passage.exited) and can_reach(life, message):
        _go_out(journey)


def _enroll(journey: MessageJourney) -> None:
    """Let the user be in the control group, and get no message."""
    receipt = journey.emit("users.campaigns.EnrollInControl")
    await_goals(journey, journey.whole, "users.campaigns.Conversion", receipt)


def _go_out(journey: MessageJourney) -> None:
    """Send a message to a user who can be reached, if no rule is against it."""
    life, channel, rules = journey.life, journey.channel, journey.whole.rules
    if channel == "pushnotification":
        journey.owned = next(each for each in life.devices if each.push)
    now = life.run.now
    local = now + local_offset(life.user.place.timezone, now)
    quiet = _QUIET.get(channel)
    if rules is not None and rules.quiet_hours is not None:
        quiet = rules.quiet_hours
    if quiet is not None and (wait := _wait(journey, local % DAY, *quiet)):
        journey.after(wait, send)
        return
    if (rule := _cap(journey, local // DAY)) is not None:
        _hold_back(journey, rule)
        return
    fate = life.run.chances.which(journey, _FATES if journey.count == 0 else _LAST_FATES)
    if not fate:
        _send_now(journey, local // DAY)
    elif fate == "message.abort":
        journey.emit(f"users.messages.{channel}.Abort", device=_device(journey))
    else:
        journey.emit(
            f"users.messages.{channel}.Retry",
            device=_device(journey),
            retry_type="deprioritized",
            retry_log="A message of higher priority went out; to be tried again within its window",
        )
        journey.after(journey.delay("message.retry"), send)


def _wait(journey: MessageJourney, clock: int, start: int, end: int) -> int:
    """Return for how many seconds a message waits for the end of quiet hours."""
    if (clock - start) % DAY >= (end - start) % DAY:
        return 0
    # Not all messages go out at once, but before the next quiet hours.
    morning = min(journey.delay("message.morning"), (start - end) % DAY - 1)
    return (end - clock) % DAY + morning


def _send_now(journey: MessageJourney, today: int) -> None:
    life, channel = journey.life, journey.channel
    run, facts = life.run, journey.facts
    facts["send_time"] = run.now
    if channel == "whatsapp":
        draws = Draws(mix(journey.key, "message"))
        facts["message_id"] = wamid(draws.bits, life.user.phone or "+0")
    most = run.calendar.caps.get(channel, 0)
    if most or channel in _CAPS:
        sent = life.reach.sent.setdefault(channel, [])
        sent.append(today)
        if len(sent) > _MOST_SENT:
            del sent[: -max(8, most)]
    journey.sent = sent_event = journey.emit(
        f"users.messages.{channel}.Send", device=_device(journey)
    )
    life.latest[channel] = journey
    if channel == "contentcard":
        life.cards.append(journey)
        del life.cards[:-_CARDS]
    if channel not in _RECEIPTS:
        receive(journey, sent_event)
    follow(journey, f"{channel}.send", sent_event)


def _device(journey: MessageJourney) -> Any:
    return journey.owned.device if journey.owned else None


def receive(journey: MessageJourney, receipt: Cause) -> None:
    """Let the user have received the message."""
    message = journey.whole
    if message.kind != "campaign":
        return
    if message.goals:
        await_goals(journey, message, "users.campaigns.Conversion", receipt)
    if is_new(journey.life, message):
        journey.emit("users.campaigns.UniqueReceipt", cause=receipt)
    life, campaign = journey.life, message.fields["campaign_id"]
    if isinstance(life.received, set):
        life.received.add(campaign)
    else:
        life.received = {campaign}


def is_new(life: Life, message: Message) -> bool:
    """Return whether the user has not received the campaign of a message before."""
    campaign = message.fields.get("campaign_id")
    if campaign is None:
        return True
    if campaign in life.received:
        return False
    # In a world that already existed, many have received it before.
    run = life.run
    known = share(life.key, factor_of(f"{campaign} known")) < run.chances.share("message.known")
    return run.newcomers or not known or campaign in run.calendar.made


def can_reach(life: Life, message: Message) -> bool:
    """Return whether a message may go to the user."""
    reach, user = life.reach, life.user
    match message.channel:
        case "email":
            return (
                user.email is not None
                and not reach.undeliverable
                and reach.states.get("email") != "Unsubscribed"
            )
        case "pushnotification":
            there = any(each.push for each in life.devices)
            return there and reach.states.get("push") != "Unsubscribed"
        case "sms" | "whatsapp" | "rcs" | "line":
            group = message.fields.get("subscription_group_id", "")
            known = user.native_line_id if message.channel == "line" else user.phone
            return known is not None and reach.states.get(group) == "Subscribed"
        case "contentcard":
            return any(each.installed for each in life.devices)
        case _:
            return True


def _cap(journey: MessageJourney, today: int) -> tuple[int, int] | None:
    """Return the frequency cap that is reached: how many messages in how many days."""
    sent = journey.life.reach.sent.get(journey.channel)
    if sent:
        rules = journey.whole.rules
        caps = _CAPS.get(journey.channel, ())
        if rules is not None and rules.cap is not None:
            caps = (rules.cap,)
        for most, days in caps:
            if len(sent) >= most and sent[-most] > today - days:
                return most, days
    return None


def _hold_back(journey: MessageJourney, rule: tuple[int, int]) -> None:
    """Abort a capped message, perhaps after it waited for its turn."""
    channel = journey.life.run.workspace.channel_names[journey.channel].replace("_", "-")
    most, days = rule
    number, unit = (days // 7, "week") if days % 7 == 0 else (days, "day")
    period = f"{number} {unit}{'s' if number > 1 else ''}"
    log = f"Frequency cap rule: {most} {channel} messages every {period}"
    retries = f"users.messages.{journey.channel}.Retry"
    if journey.count == 0 and journey.happens("message.retry"):
        journey.emit(retries, device=_device(journey), retry_type="frequency_capped", retry_log=log)
        journey.after(journey.delay("message.retry"), send)
        return
    journey.emit(
        f"users.messages.{journey.channel}.Abort",
        device=_device(journey),
        abort_type="frequency_capped",
        abort_log=log,
    )


def follow(journey: MessageJourney, cause: str, event: Cause) -> None:
    """Decide what follows from the sending of a message or from an effect, and when."""
    life = journey.life
    run = life.run
    chances = run.chances
    for effect in chances.effects(journey, cause, journey.flow):
        # This runs for every event of a message, so it does the work of `delay` and `at` itself.
        quantile, _, factor = chances.delays[effect.name]
        time = run.now + quantile((journey.key * factor & MASK) * UNIT)
        life.sequence += 1
        pending = Pending(journey, effect, event)
        run.put((time, life.number, life.sequence, life, happen, pending))


def happen(pending: Pending) -> None:
    """Let an effect happen, unless the user can no longer cause it."""
    journey, effect = pending.journey, pending.effect
    before = BEFORE.get(effect.name)
    facts = before(pending) if before else {}
    if facts is None:
        return
    event = pending.cause
    if effect.event_type is not None:
        event = journey.emit(
            effect.event_type, device=_device(journey), cause=pending.cause, **facts
        )
    if effect.name in _RECEIVED:
        receive(journey, event)
    if after := AFTER.get(effect.name):
        after(pending, event)
    follow(journey, effect.name, event)
