"""What goes wrong between Braze and a user, in the words of those who report it.

In the texts, `{email}`, `{domain}`, `{ip}` stand for the recipient's address, its domain, and the
sending IP address.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "ABORTS",
    "AGENT_ERRORS",
    "APNS_RETRIES",
    "DEFERRALS",
    "DROPS",
    "HARD_BOUNCES",
    "LIVE_ACTIVITY_FAILURES",
    "RCS_ERRORS",
    "RETRIES",
    "SMS_FAILURES",
    "SMS_REJECTIONS",
    "SOFT_BOUNCES",
    "SPAM_REPORTERS",
    "WEBHOOK_FAILURES",
    "WHATSAPP_ERRORS",
]

#: abort_type and abort_log: what can hold any message back, and more for some channels.
_LIQUID = (
    ("liquid_abort_message", "Liquid abort_message() was called: no items left in the cart"),
    ("liquid_abort_message", "Liquid abort_message() was called: user already purchased"),
    ("liquid_abort_message", "Connected Content returned 503 for https://api.{domain}/offers"),
)
_RATE = (
    ("frequency_capping", "Frequency cap of 3 messages in 7 days was reached"),
    ("rate_limit", "Rate limit of 500 messages per minute was reached; not sent within 72 hours"),
)
_QUIET = (("quiet_hours", "Quiet Hours from 22:00 to 08:00 in the user's time zone"),)
ABORTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "banner": _LIQUID,
    "contentcard": (*_LIQUID, *_RATE[:1]),
    "email": (*_LIQUID, *_RATE, *_QUIET),
    "inappmessage": _LIQUID,
    "line": (*_LIQUID, *_RATE, *_QUIET),
    "newsfeedcard": _LIQUID[1:],
    "pushnotification": (*_LIQUID, *_RATE, *_QUIET),
    "rcs": (*_LIQUID, *_RATE, *_QUIET),
    "sms": (*_LIQUID, *_RATE, *_QUIET),
    "webhook": (*_LIQUID, *_RATE),
    "whatsapp": (*_LIQUID, *_RATE, *_QUIET),
}

#: retry_type and retry_log, by channel.
RETRIES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "email": (
        ("provider_error", "SendGrid answered 503 Service Unavailable; trying again in 60 s"),
        ("connected_content", "Connected Content timed out after 2 s; trying again in 30 s"),
    ),
    "line": (("provider_error", "LINE answered 429 Too Many Requests; trying again in 60 s"),),
    "pushnotification": (
        ("provider_error", "FCM answered 503 UNAVAILABLE; trying again in 10 s"),
        ("provider_error", "FCM answered 500 INTERNAL; trying again in 20 s"),
    ),
    "sms": (("provider_error", "Twilio answered 429 (error 20429); trying again in 30 s"),),
    "webhook": (
        ("http_error", "The endpoint answered 503 Service Unavailable; trying again in 60 s"),
        ("http_error", "The endpoint answered 429 Too Many Requests; trying again in 120 s"),
        ("timeout", "The endpoint did not answer within 90 s; trying again in 60 s"),
    ),
    "whatsapp": (
        ("provider_error", "WhatsApp error 131056: pair rate limit hit; trying again in 60 s"),
        ("provider_error", "WhatsApp error 130429: rate limit hit; trying again in 30 s"),
    ),
}
#: What the platform's push service says instead.
APNS_RETRIES = (
    ("provider_error", "APNs answered 503 ServiceUnavailable; trying again in 10 s"),
    ("provider_error", "APNs answered 500 InternalServerError; trying again in 20 s"),
)

#: bounce_reason of an address that is no good, by mailbox provider.
HARD_BOUNCES: Mapping[str, tuple[str, ...]] = {
    "Gmail": (
        (
            "550 5.1.1 The email account that you tried to reach does not exist. Please try "
            "double-checking the recipient's email address for typos or unnecessary spaces."
        ),
        "550 5.2.1 The email account that you tried to reach is disabled.",
    ),
    "Yahoo": (
        "554 delivery error: dd This user doesn't have a {domain} account ({email}) [0]",
        "554 30 Sorry, your message to {email} cannot be delivered. This mailbox is disabled",
    ),
    "Outlook": (
        "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).",
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {email} not found by SMTP address",
    ),
    "iCloud": (
        "550 5.1.1 <{email}>: user does not exist",
        "550 5.7.1 [CS01] Message rejected due to local policy.",
    ),
}
#: bounce_reason when the provider does not even try.
DROPS: Mapping[str, str] = {
    "SendGrid": "Bounced Address",
    "SparkPost": "554 5.7.1 [internal] recipient address suppressed due to customer policy",
    "Amazon SES": "Amazon SES did not send the message to this address because it is on the "
    "suppression list for your account.",
}
SOFT_BOUNCES: Mapping[str, tuple[str, ...]] = {
    "Gmail": (
        (
            "452 4.2.2 The recipient's inbox is out of storage space. Please direct the recipient "
            "to free up space."
        ),
    ),
    "Yahoo": ("552 1 Requested mail action aborted, mailbox not found or over quota",),
    "Outlook": (
        (
            "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException; Failed to "
            "process message due to a permanent exception"
        ),
        "451 4.7.500 Server busy. Please try again later from [{ip}].",
    ),
    "iCloud": ("552 5.2.2 <{email}>: user is over quota",),
}
DEFERRALS: Mapping[str, tuple[str, ...]] = {
    "Gmail": (
        (
            "421 4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from "
            "your IP address [{ip}]. Mail sent from your IP address has been temporarily rate "
            "limited."
        ),
        "421 4.3.0 Temporary System Problem. Try again later.",
    ),
    "Yahoo": (
        (
            "421 4.7.0 [TSS04] Messages from {ip} temporarily deferred due to unexpected volume or "
            "user complaints - 4.16.55.1"
        ),
    ),
    "Outlook": (
        (
            "451 4.7.650 The mail server [{ip}] has been temporarily rate limited due to IP "
            "reputation. For e-mail delivery information, see the postmaster page. (S775)"
        ),
    ),
    "iCloud": ("421 4.7.1 Service unavailable - try again later",),
}

#: The user agents of feedback loops.
SPAM_REPORTERS: Mapping[str, str] = {
    "Gmail": "Gmail-FeedbackLoop/1.0",
    "Yahoo": "Yahoo!-Mail-Feedback/2.0",
    "Outlook": "JMRP-Feedback/1.0",
    "iCloud": "AppleMail-Feedback/1.0",
}

#: error and provider_error_code; Twilio's codes.
SMS_REJECTIONS = (
    ("Unknown destination handset", "30005"),
    ("Unreachable destination handset", "30003"),
    ("Landline or unreachable carrier", "30006"),
    ("Carrier violation", "30007"),
    ("Unknown error", "30008"),
    ("US A2P 10DLC - Message from an Unregistered Number", "30034"),
)
SMS_FAILURES = (
    ("Queue overflow", "30001"),
    ("Account suspended", "30002"),
    ("Attempt to send to unsubscribed recipient", "21610"),
    ("Message price exceeds max price", "30010"),
)
RCS_ERRORS = (
    ("Recipient is not reachable over RCS", "404"),
    ("RCS agent is not launched on the recipient's carrier", "403"),
    ("Message expired before it was delivered", "410"),
    ("User has unsubscribed from the agent", "421"),
)

#: provider_error_code and provider_error_title; Meta's.
WHATSAPP_ERRORS = (
    ("131026", "Message undeliverable"),
    ("131047", "Re-engagement message"),
    ("131049", "This message was not delivered to maintain healthy ecosystem engagement."),
    ("130472", "User's number is part of an experiment"),
    ("131050", "Unable to deliver the message. The user has stopped marketing messages."),
    ("131053", "Media upload error"),
    ("132015", "Template is Paused"),
)

#: What APNs answers, other than success.
LIVE_ACTIVITY_FAILURES = ("Unregistered", "BadDeviceToken", "ExpiredToken", "TooManyRequests")

#: HTTP status and body of what a webhook's endpoint answers when it fails.
WEBHOOK_FAILURES = (
    (500, '{"error":"Internal Server Error"}'),
    (502, "<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>"),
    (503, '{"error":"Service Unavailable","retry_after":30}'),
    (504, "upstream request timeout"),
    (429, '{"error":"rate limit exceeded"}'),
    (400, '{"error":"missing field: loyalty_id"}'),
    (401, '{"error":"invalid api key"}'),
    (404, '{"error":"Not Found"}'),
)

#: Why an agent's run failed, and whether the model had answered before.
AGENT_ERRORS = (
    ("The answer does not match the output schema", True),
    ("The model did not answer within 30 seconds", False),
    ("The model provider answered 429: rate limit exceeded", False),
    ("The model provider answered 529: overloaded", False),
)
