"""No secret is left in a text, however it is written there."""

from __future__ import annotations

import html
import json
import string
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from currents_export._redaction import MASK, printable, redact

SECRET = "wr1te/k3y+s3cr3t="
#: What surrounds the secrets below; neither the secrets nor their escapes have these letters.
others = st.text("αβγδεζηθ ,:!", max_size=30)
ascii_secrets = st.text(string.ascii_letters + string.digits + "-._~+/=%\\&\"'<>#;", min_size=1)
secrets = st.one_of(ascii_secrets, st.text("äöü€😀" + string.ascii_letters, min_size=1)).filter(
    lambda text: len(text) <= 40
)


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode())


def _unicode(char: str) -> str:
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02X}" for at in range(0, len(units), 2))


def _json(char: str) -> str:
    return json.dumps(char, ensure_ascii=False)[1:-1].replace("/", "\\/")


#: The ways in which a response may write a character.
WAYS: list[Callable[[str], str]] = [
    lambda char: char,
    _percent,
    lambda char: _percent(char).lower(),
    lambda char: quote(quote(char, safe=""), safe=""),
    lambda char: _percent(char).replace("%", "%25"),
    lambda char: _percent(char).replace("%", "%2525"),
    _unicode,
    lambda char: _unicode(char).lower(),
    _json,
    lambda char: json.dumps(_json(char), ensure_ascii=False)[1:-1],
    lambda char: json.dumps(_unicode(char))[1:-1],
    html.escape,
    lambda char: html.escape(html.escape(char)),
    lambda char: f"&#{ord(char)};",
    lambda char: f"&#x{ord(char):X};",
]
blanks = st.sampled_from([""] * 9 + [" ", "\r\n", "\t  ", "\u200b", "\\n", "\\\\n", "%0A", "%20"])


@st.composite
def written(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Draw a secret, and how each of its characters is written."""
    secret = draw(secrets)
    chars = [draw(st.sampled_from(WAYS))(char) + draw(blanks) for char in secret]
    # After the last character, white space is not a part of it.
    return secret, [*chars[:-1], draw(st.sampled_from(WAYS))(secret[-1])]


@given(written(), others, others)
def test_nothing_but_the_secret_is_masked(
    secret_and_chars: tuple[str, list[str]], before: str, after: str
) -> None:
    secret, chars = secret_and_chars
    text = f"{before}|{''.join(chars)}|{after}"
    assert redact(text, [secret]) == f"{before}|{MASK}|{after}"


@given(written(), st.text(max_size=20), st.text(max_size=20))
@example(("%41abc", ["%41abc"]), "%", "")
@example(("1abcde", ["1abcde"]), "%4", "")
@example(("u0041b", ["u0041b"]), "\\", "")
@example(("amp;ab", ["amp;ab"]), "&", "")
def test_no_surroundings_protect_a_secret(
    secret_and_chars: tuple[str, list[str]], before: str, after: str
) -> None:
    secret, chars = secret_and_chars
    text = "".join(chars)
    redacted = redact(f"{before}{text}{after}", [secret])
    assert MASK in redacted
    assert redacted.count(text) <= (before + MASK + after).count(text)


@given(written(), others, st.data())
def test_no_part_of_a_cut_secret_is_left(
    secret_and_chars: tuple[str, list[str]], before: str, data: st.DataObject
) -> None:
    """A prefix of six characters is masked, also if an escape after it was cut."""
    secret, chars = secret_and_chars
    whole = "".join(secret.split())
    count = data.draw(st.integers(min(6, len(whole)), len(whole)))
    rest = chars[count][: data.draw(st.integers(0, 2))] if count < len(chars) else ""
    text = f"{before}|{''.join(chars[:count])}"
    assert redact(text, [secret], cut=True) == f"{before}|{MASK}"
    if rest[:1] in ("%", "\\", "&"):
        assert redact(text + rest, [secret], cut=True) == f"{before}|{MASK}"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("", ""),
        ("nothing here", "nothing here"),
        (f"{SECRET}{SECRET}", MASK),
        (f"{SECRET}, {SECRET}", f"{MASK}, {MASK}"),
        (f"wr1te/wr1te/k3y+{SECRET}", f"wr1te/wr1te/k3y+{MASK}"),
        ("wr1te/k3y+s3cr3t", "wr1te/k3y+s3cr3t"),
        ("wr1te%2Fk3y%2bs3cr3t%3D", MASK),
        ("wr1te%252Fk3y%252bs3cr3t%253D", MASK),
        ('{"key": "wr1te\\/k3y+s3cr3t="}', f'{{"key": "{MASK}"}}'),
        ('{"key": "wr1te/k3y\\u002bs3cr3t\\u003D"}', f'{{"key": "{MASK}"}}'),
        ("wr1te&#47;k3y&#x2b;s3cr3t&#61;", MASK),
        ("wr1te&sol;k3y&plus;s3cr3t&equals;", MASK),
        ("wr1te/k3\ny+s3  cr3t=", MASK),
        ("wr1te/k3\\ny+s3\\r\\ncr3t=", MASK),
    ],
)
def test_text_without_its_secret(text: str, redacted: str) -> None:
    assert redact(text, [SECRET]) == redacted


def test_overlapping_secrets_leave_nothing() -> None:
    assert redact("-abcdefghij-", ["abcdef", "efghij", "cd"]) == f"-{MASK}-"


def test_prefix_is_kept_in_a_whole_text() -> None:
    assert redact(SECRET[:8], [SECRET]) == SECRET[:8]
    assert redact(SECRET[:5], [SECRET], cut=True) == SECRET[:5]
    assert redact(SECRET[:6], [SECRET], cut=True) == MASK


def test_blank_secret_masks_nothing() -> None:
    assert redact("a b", ["", " "]) == "a b"


@given(st.text("%\\&u0041;x# ab", max_size=200), st.text("%\\&u0041;x# ab", max_size=20))
def test_any_text_is_redacted(text: str, secret: str) -> None:
    redacted = redact(text, [secret], cut=True)
    assert secret.strip() == "" or secret not in redacted


@given(st.text())
def test_printable_text_controls_nothing(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert printable(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("two\r\n lines\t", "two lines"),
        ("\x1b]0;owned\x07", "\\x1b]0;owned\\x07"),
        ("\x9b31m\x7f\x00", "\\x9b31m\\x7f\\x00"),
        ("abc\u202edef\u2066", "abc\\u202edef\\u2066"),
        ("\ud800", "\\ud800"),
        ("Grüße 😀 \\x1b", "Grüße 😀 \\x1b"),
    ],
)
def test_control_characters_are_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
