"""Show values in messages: whole, cut short, or with the secret redacted."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import unquote, urlsplit

MASK = "****"
#: A path segment of at least this many characters that has both letters and digits looks like a
#: key. Names of resources are shorter, or have no digits.
_KEY_LENGTH = 16
#: A prefix of a secret this long is masked where a text was cut.
_PREFIX_LENGTH = 6

# Percent-escapes, also of percent-escapes: %2F, %252F, %25252F. A character takes up to 4 of them.
_PERCENT = [re.compile(f"(?:%{'25' * depth}[0-9A-Fa-f]{{2}}){{1,4}}") for depth in range(3)]
# JSON's escapes, also within JSON that is a string in JSON, and those of Python's reprs.
_UNICODE = re.compile(
    r"\\{1,8}(?:u([0-9A-Fa-f]{4})(?:\\{1,8}u([0-9A-Fa-f]{4}))?|x([0-9A-Fa-f]{2}))"
)
_SHORT = [re.compile(each) for each in (r"""\\([\\/"'])""", r"""\\{2,8}([/"'])""", r"\\{3}(\\)")]
_BLANK = re.compile(r"\\{1,8}[nrtbf]")
_ENTITIES = [
    re.compile(f"&{'amp;' * depth}(#\\d{{1,7}}|#[xX][0-9A-Fa-f]{{1,6}}|[A-Za-z]{{2,8}});")
    for depth in range(3)
]
#: What an escape begins with, and the end of the text.
_UNCERTAIN = ("%", "\\", "&", "")
# The beginning of an escape, where a text was cut.
_PARTIAL = re.compile(
    r"(?:%[0-9A-Fa-f]{0,2}){1,4}|\\{1,8}(?:u[0-9A-Fa-f]{0,3}|x[0-9A-Fa-f]?)?|&[#\w;]{0,9}"
)


def shown(value: object, *, most: int = 60) -> str:
    """Return the value's repr, cut short, or its type if the repr fails."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - a repr can raise anything; a very long int has none
        return f"a value of type {type(value).__name__}"
    return text if len(text) <= most else f"{text[: most - 3]}..."


def printable(text: str) -> str:
    """Return the text in one line, with what could control a terminal written as an escape.

    These are the control characters, and the invisible ones that change the direction of text.
    """
    text = " ".join(text.split())
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def mask(secret: str | None) -> str:
    """Return the replacement of a secret in a repr, a log, an error or a report."""
    return repr(None if secret is None else MASK)


def mask_url(url: str | None) -> str | None:
    """Return the URL without the parts that can hold a write key.

    These are the user name, the password, the fragment, the values of the query, and the segments
    of the path that look like a key. A text that is not a proper URL is masked as a whole, since
    any part of it may be the secret.
    """
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return MASK
    _, at, host_and_port = parts.netloc.rpartition("@")
    # A password with an unescaped slash ends the host early, so its "@" comes later.
    after_host = parts.path + parts.query + parts.fragment
    if parts.scheme not in ("http", "https") or not host or "@" in after_host:
        return MASK
    path = "/".join(MASK if looks_like_key(each) else each for each in parts.path.split("/"))
    query = "&".join(_mask_pair(pair) for pair in parts.query.split("&") if pair)
    return parts._replace(
        netloc=f"{MASK}@{host_and_port}" if at else host_and_port,
        path=path,
        query=query,
        fragment="",
    ).geturl()


def looks_like_key(segment: str) -> bool:
    """Return whether a segment of a URL's path may be a secret: 16+ characters, mixed."""
    text = unquote(segment)
    return (
        len(text) >= _KEY_LENGTH
        and any(each.isalpha() for each in text)
        and any(each.isdigit() for each in text)
    )


def _mask_pair(pair: str) -> str:
    # A value without a name may end with "=", as Base64 does, and would then look like a name.
    name, _, value = pair.partition("=")
    return f"{name}={MASK}" if value.strip("=") else MASK


def redact(text: str, secrets: Iterable[str], *, cut: bool = False) -> str:
    """Return the text with every occurrence of a secret masked.

    Each character of an occurrence may be written as it is, percent-escaped, as JSON writes it or
    as an HTML entity, and there may be white space between the characters.

    Args:
        text: the text.
        secrets: the secrets.
        cut: whether the text is the beginning of a longer one, so that a prefix of a secret at its
            end is a part of that secret.
    """
    reading = _Reading(text, cut=cut)
    spans = sorted(span for secret in secrets for span in reading.spans(secret))
    if not spans:
        return text
    pieces, end = [], -1
    for start, stop in spans:
        if start > end:
            pieces += [text[max(end, 0) : start], MASK]
        end = max(end, stop)
    return "".join([*pieces, text[end:]])


class _Reading:
    """A text together with what its escapes stand for.

    An escape is read both as the character it stands for and as the characters it consists of,
    since a secret may hold what looks like an escape.
    """

    def __init__(self, text: str, *, cut: bool) -> None:
        self._text = text
        self._cut = cut
        self._escapes = {
            at: found
            for at, char in enumerate(text)
            if char in _UNCERTAIN and (found := tuple(_decoded(text, at)))
        }

    def spans(self, secret: str) -> Iterator[tuple[int, int]]:
        """Yield where the secret begins and ends."""
        chars = [each for each in secret if not _is_blank(each)]
        if chars:
            for start in self._starts(chars):
                if (end := self._match(chars, start)) is not None:
                    yield start, end

    def _starts(self, chars: Sequence[str]) -> Iterator[int]:
        """Yield where the first character is, unless another than the second follows it."""
        first, second = chars[0], chars[1] if len(chars) > 1 else ""
        at = self._text.find(first)
        while at >= 0:
            follows = self._text[at + 1 : at + 2]
            if not second or follows == second or follows in _UNCERTAIN or _is_blank(follows):
                yield at
            at = self._text.find(first, at + 1)
        for at, found in self._escapes.items():
            if any(each == first for each, _ in found):
                yield at

    def _match(self, chars: Sequence[str], start: int) -> int | None:
        """Return where an occurrence that begins at `start` ends."""
        ends = {start}
        enough = min(_PREFIX_LENGTH, len(chars))
        for count, char in enumerate(chars, start=1):
            begins = {each for at in ends for each in self._skip(at)} if count > 1 else ends
            ends = {end for at in begins for each, end in self._read(at) if each == char}
            if not ends:
                return None
            if self._cut and count >= enough and any(map(self._is_end, ends)):
                return len(self._text)
        return max(ends)

    def _read(self, at: int) -> Iterator[tuple[str, int]]:
        if at < len(self._text):
            yield self._text[at], at + 1
            yield from self._escapes.get(at, ())

    def _skip(self, at: int) -> Iterator[int]:
        """Yield where the next character may begin, after what is blank or before it.

        An escape for white space may also be the characters it consists of.
        """
        yield at
        while at < len(self._text):
            if _is_blank(self._text[at]):
                at += 1
                continue
            blank = [end for each, end in self._escapes.get(at, ()) if each.isspace()]
            if not blank:
                break
            yield at
            at = max(blank)
        yield at

    def _is_end(self, at: int) -> bool:
        return any(
            end >= len(self._text) or _PARTIAL.fullmatch(self._text, end) is not None
            for end in self._skip(at)
        )


def _is_blank(char: str) -> bool:
    """Return whether a character is white space, or invisible."""
    return char.isspace() or not char.isprintable()


def _decoded(text: str, at: int) -> Iterator[tuple[str, int]]:
    """Yield what an escape at this place can stand for, and where it ends."""
    if text[at] == "%":
        for depth, pattern in enumerate(_PERCENT):
            if found := pattern.match(text, at):
                yield from _decoded_bytes(found[0], at, 3 + 2 * depth)
    elif text[at] == "&":
        for pattern in _ENTITIES:
            found = pattern.match(text, at)
            if found and len(char := html.unescape(f"&{found[1]};")) == 1:
                yield char, found.end()
    else:
        if found := _UNICODE.match(text, at):
            first, second, byte = found.groups()
            yield chr(int(first or byte, 16)), found.end(1 if first else 3)
            if second and len(pair := _joined(first, second)) == 1:
                yield pair, found.end()
        for pattern in _SHORT:
            if found := pattern.match(text, at):
                yield found[1], found.end()
        if found := _BLANK.match(text, at):
            yield " ", found.end()


def _decoded_bytes(escapes: str, at: int, width: int) -> Iterator[tuple[str, int]]:
    data = bytes(int(escapes[end - 2 : end], 16) for end in range(width, len(escapes) + 1, width))
    for count in range(1, len(data) + 1):
        try:
            char = data[:count].decode()
        except UnicodeDecodeError:
            continue
        yield char, at + count * width
        break


def _joined(first: str, second: str) -> str:
    pair = chr(int(first, 16)) + chr(int(second, 16))
    return pair.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
