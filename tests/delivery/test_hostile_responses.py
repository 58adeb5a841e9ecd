"""What a receiver says reaches no terminal raw, and shows no secret."""

from __future__ import annotations

import base64
import json
import logging
import string
import threading
import zlib
from collections.abc import Callable, Iterator
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.current import Current
from currents_export.delivery import ManualClock, Sender
from tests.support.currents import TOKEN, WRITE_KEY, custom, rudderstack
from tests.support.events import event, make_events
from tests.support.senders import HookLog
from tests.support.servers import Responding, raw_server, say

URL = "https://receiver.example.com/"
secrets = st.text(string.ascii_uppercase + string.digits, min_size=8, max_size=40)


def message(
    respond: Callable[[httpx.Request], httpx.Response], current: Current | None = None
) -> str:
    with Sender(current or custom(URL), transport=Responding(respond)) as sender:
        return sender.check_credentials().message


def says(text: str | bytes, current: Current | None = None) -> str:
    return message(lambda _: httpx.Response(500, content=text), current)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07", "500: \\x1b]0;owned\\x07"),
        ("\x9b31m red \x7f", "500: \\x9b31m red \\x7f"),
        ("pay \u202eevil\u2066", "500: pay \\u202eevil\\u2066"),
        ("a\r\nb\x00", "500: a b\\x00"),
        (b"\xff\xfe", "500: \ufffd\ufffd"),
    ],
)
def test_control_characters_are_escaped(text: str | bytes, shown: str) -> None:
    assert shown in says(text)


def test_control_characters_of_network_errors_are_escaped() -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("\x1b[2J gone")

    assert "network error: \\x1b[2J gone" in message(fail)


def test_no_control_character_reaches_a_log(
    caplog: pytest.LogCaptureFixture, log: HookLog, clock: ManualClock
) -> None:
    caplog.set_level(logging.DEBUG)
    nasty = say("500 \x9b2J", "\x1b]0;owned\x07", "x-nasty: \x9b31m")
    with (
        raw_server(nasty, say("200 OK")) as url,
        httpx.HTTPTransport() as transport,
        Sender(custom(url), transport=transport, clock=clock, hooks=log.hooks) as sender,
    ):
        sender.send(event())
        sender.flush()
    assert "x-nasty" in caplog.text
    shown = [record.getMessage() for record in caplog.records] + [str(log.attempts)]
    assert all(text.isprintable() for text in shown)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308, 399])
def test_redirect_says_where_to(status: int) -> None:
    headers = {"location": "https://elsewhere.example/path?token=abc#x"}
    text = message(lambda _: httpx.Response(status, headers=headers, text="<html>"))
    assert (
        f"({status}: redirects are not followed; Location: "
        "https://elsewhere.example/path?token=****)" in text
    )


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        (None, "redirects are not followed)"),
        ("/v2/", "; Location: https://receiver.example.com/v2/)"),
        ("//other.example/", "; Location: https://other.example/)"),
        ("https://u:p@other.example/", "; Location: https://****@other.example/)"),
        ("https://h/0123456789abcdef/x", "; Location: https://h/****/x)"),
        ("javascript:alert(1)", "; Location: ****)"),
        ("https://[::1", "; Location: ****)"),
        ("https://h/\x9b31m", "; Location: https://h/\\x9b31m)"),
        (f"https://h/{WRITE_KEY}", "; Location: https://h/****)"),
        (f"https://h/{quote(quote(WRITE_KEY, safe=''))}", "; Location: https://h/****)"),
    ],
)
def test_location_is_shown_without_secrets(location: str | None, shown: str) -> None:
    headers = [] if location is None else [(b"location", location.encode("latin-1"))]
    current = custom(f"{URL}?writeKey={WRITE_KEY}")
    assert message(lambda _: httpx.Response(301, headers=headers), current).endswith(shown)


def echoes(secret: str) -> Iterator[str]:
    """Yield texts in which a response may echo a secret."""
    yield secret
    yield quote(secret, safe="")
    yield "".join(f"%{ord(char):02x}" for char in secret)
    yield "".join(f"%25{ord(char):02X}" for char in secret)
    yield json.dumps({"key": secret})
    yield "".join(f"\\u{ord(char):04x}" for char in secret)
    yield "\r\n ".join(secret)
    yield "\\n".join(secret)
    yield "".join(f"&#{ord(char)};" for char in secret)


@given(secrets, st.sampled_from(["{}@host/", "u:{}@host/", "host/?writeKey={}", "host/hooks/{}/x"]))
def test_no_echo_shows_a_secret(secret: str, where: str) -> None:
    secret = f"A1B2C3D4{secret}"  # in a path, only what looks like a key is a secret
    current = custom(f"https://{where.format(secret)}")
    for text in echoes(secret):
        shown = says(f"no: <{text}>", current)
        assert "no: <" in shown
        assert "****" in shown
        assert not any(secret[at : at + 6] in shown for at in range(len(secret) - 5))
        assert text not in shown


@given(secrets, st.integers(0, 40))
def test_no_part_of_a_secret_at_the_end(secret: str, more: int) -> None:
    """The text that is read ends within the secret."""
    for chars in (list(secret), [f"%{ord(char):02x}" for char in secret]):
        text = (" " * (1024 - more) + "".join(chars)).ljust(2000)
        assert "".join(chars[:6]) not in says(text, custom(f"{URL}?writeKey={secret}"))


def test_basic_header_is_redacted() -> None:
    current = custom("https://bob:s3cret!@host/")
    header = base64.b64encode(b"bob:s3cret!").decode()
    assert header not in says(f"you sent Basic {header}", current)


def test_bearer_token_is_redacted_in_json() -> None:
    escaped = "".join(f"\\u{ord(char):04x}" for char in TOKEN)
    shown = says(f'{{"Authorization": "Bearer {escaped}"}}', custom(URL, bearer_token=TOKEN))
    assert 'Bearer ****"' in shown


def test_failing_body_may_end_within_a_secret() -> None:
    class Broken(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield f"key {WRITE_KEY[:9]}".encode()
            raise httpx.ReadError("gone")

    shown = message(lambda _: httpx.Response(500, stream=Broken()), rudderstack(URL[:-1]))
    assert "(500: key ****)" in shown


def test_cut_gzip_may_end_within_a_secret() -> None:
    packed = zlib.compress(f"key {WRITE_KEY[:9]}".encode())[:-5]
    headers = {"content-encoding": "deflate"}
    shown = message(
        lambda _: httpx.Response(500, headers=headers, stream=httpx.ByteStream(packed)),
        rudderstack(URL[:-1]),
    )
    assert "(500: key ****)" in shown


class _FinalError(BaseException):
    """As `asyncio.CancelledError`, not an `Exception`."""


@pytest.mark.parametrize(
    "kind", [SystemExit, KeyboardInterrupt, GeneratorExit, _FinalError, RuntimeError]
)
def test_whatever_a_transport_raises_is_a_failed_attempt(
    kind: type[BaseException], log: HookLog, clock: ManualClock
) -> None:
    failures = iter([kind("so it\x1b ended"), kind()])

    def respond(_: httpx.Request) -> httpx.Response:
        for failure in failures:
            raise failure
        return httpx.Response(200)

    with Sender(custom(), transport=Responding(respond), clock=clock, hooks=log.hooks) as sender:
        sender.send(make_events(3))
        result = sender.flush()
    assert (result.delivered, log.statuses) == (3, [None, None, 200])
    texts = [attempt.response.text for attempt in log.attempts[:2]]
    assert texts == [f"{kind.__name__}: so it\\x1b ended", kind.__name__]


def test_failure_after_a_status_does_not_count(log: HookLog, clock: ManualClock) -> None:
    class Hostile(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield b"x"
            raise SystemExit

        def close(self) -> None:
            raise SystemExit

    transport = Responding(lambda _: httpx.Response(200, stream=Hostile()))
    with Sender(custom(), transport=transport, clock=clock, hooks=log.hooks) as sender:
        sender.send(event())
        sender.flush()
    assert log.statuses == [200]


def test_exception_without_text_is_named(log: HookLog, clock: ManualClock) -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def fail(_: httpx.Request) -> httpx.Response:
        raise MuteError

    assert "network error: MuteError" in message(fail)


def test_interrupt_of_a_check_ends_the_program() -> None:
    """In the main thread, it comes from the user."""

    def fail(_: httpx.Request) -> httpx.Response:
        raise KeyboardInterrupt

    assert threading.current_thread() is threading.main_thread()
    with pytest.raises(KeyboardInterrupt):
        message(fail)
