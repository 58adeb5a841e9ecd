"""What is read as a response, and when a connection can be used again."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.delivery._http import Connection, Head
from currents_export.delivery._reply import Reply

HEAD = Head(b"POST", b"/", [(b"Host", b"receiver.example.com")])

_statuses = st.sampled_from([b"200 OK", b"204 No Content", b"304 X", b"500 ", b"999 X", b"20 X"])
_versions = st.sampled_from([b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2", b"http/1.1"])
_headers = st.sampled_from(
    [
        b"content-length: 2",
        b"Content-Length:2 ",
        b"content-length: 02",
        b"content-length: 2, 2",
        b"content-length: +2",
        b"content-length: 0",
        b"content-length: 9",
        b"content-length : 2",
        b"connection: close",
        b"connection: Keep-Alive",
        b"transfer-encoding: chunked",
        b"retry-after: 3",
        b"retry-after: 4",
        b"x-name: \xe9",
        b"x-empty:",
        b" folded",
        b"no colon",
        b"content-length: " + b"2" * 5_000,
    ]
)
_bodies = st.sampled_from(
    [b"", b"ok", b"ok" + b"x", b"okHTTP/1.1 200 OK\r\n\r\n", b"2\r\nok\r\n0\r\n\r\n"]
)


@st.composite
def responses(draw: st.DrawFn) -> bytes:
    lines = [b"%b %b" % (draw(_versions), draw(_statuses)), *draw(st.lists(_headers, max_size=4))]
    end = draw(st.sampled_from([b"\r\n", b"\r\n", b"\n"]))
    return end.join(lines) + end + end + draw(_bodies)


class Pieces:
    """A stream that reads the given pieces, and then its end."""

    def __init__(self, pieces: list[bytes], *, deaf: bool = False) -> None:
        self.until = 0.0
        self.written = b""
        self._pieces = iter(pieces)
        self._deaf = deaf

    def read(self, most: int) -> bytes:
        return next(self._pieces, b"")

    def write(self, data: bytes) -> None:
        if self._deaf:
            raise httpx.WriteError("closed")
        self.written += data

    def is_quiet(self) -> bool:
        return True

    def close(self) -> None:
        pass


def outcome(pieces: list[bytes], *, deaf: bool = False) -> tuple[Reply | None, bool]:
    """Return the response to a request, None for an error, and whether another may follow."""
    connection = Connection(Pieces(pieces, deaf=deaf))
    try:
        reply = connection.post(HEAD, b"{}", patience=60.0)
    except httpx.RemoteProtocolError:
        return None, connection.reusable
    return reply, connection.reusable


def test_request_has_a_length() -> None:
    stream = Pieces([b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"])
    Connection(stream).post(HEAD, b"{}", patience=60.0)
    assert stream.written == (
        b"POST / HTTP/1.1\r\nHost: receiver.example.com\r\nContent-Length: 2\r\n\r\n{}"
    )


@pytest.mark.parametrize("value", [b"a\r\nx: y", b"a\nb", b"a\x00b"])
def test_header_cannot_hold_a_line_break(value: bytes) -> None:
    with pytest.raises(httpx.LocalProtocolError):
        Head(b"POST", b"/", [(b"Host", b"h"), (b"Authorization", value)])


@given(responses())
def test_pieces_do_not_matter(data: bytes) -> None:
    """A response in one piece is read without h11, one in two pieces with it."""
    reply, reusable = outcome([data])
    for at in _line_ends(data):
        assert outcome([data[:at], data[at:]])[0] == reply
    # With bytes of its own, the second piece may come too late to be noticed here.
    assert outcome([data[:3], data[3:]]) == (reply, reusable)


def _line_ends(data: bytes) -> Iterator[int]:
    at = data.find(b"\n") + 1
    while 0 < at < len(data):
        yield at
        at = data.find(b"\n", at) + 1 or len(data)


@pytest.mark.parametrize("more", [b"x", b"\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"])
def test_more_than_a_response_ends_the_connection(more: bytes) -> None:
    response = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    assert outcome([response]) == (Reply(200, {"content-length": "2"}, b"ok"), True)
    assert outcome([response + more]) == (Reply(200, {"content-length": "2"}, b"ok"), False)


def test_response_before_the_request_is_written() -> None:
    """It counts, but the connection cannot be used again."""
    response = b"HTTP/1.1 413 X\r\ncontent-length: 0\r\n\r\n"
    assert outcome([response], deaf=True) == (Reply(413, {"content-length": "0"}), False)
