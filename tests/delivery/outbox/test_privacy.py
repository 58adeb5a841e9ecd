"""An outbox keeps personal data to its owner, and no secrets at all."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from currents_export.delivery import Sender
from tests.support.currents import TOKEN, WRITE_KEY, custom, rudderstack
from tests.support.events import event, make_events
from tests.support.senders import PATIENCE, abandoned
from tests.support.servers import Responding


def stored_bytes(path: Path) -> bytes:
    """Return everything that is stored in the directory of an outbox."""
    return b"".join(each.read_bytes() for each in path.parent.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="modes of files")
@pytest.mark.parametrize("before", [None, 0o644])
def test_only_the_owner_reads_it(before: int | None, path: Path) -> None:
    mask = os.umask(0)
    try:
        if before is not None:
            path.touch(before)
        with abandoned(
            Sender(custom(), transport=Responding(lambda _: 401), outbox=path)
        ) as sender:
            sender.send(event())
            modes = {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
            assert len(list(path.parent.iterdir())) == 4  # with a log, its index and the lock
    finally:
        os.umask(mask)
    assert modes == {0o600}


def test_secrets_are_not_stored(path: Path) -> None:
    def respond(request: object) -> int:
        return 401

    for number, current in enumerate(
        (
            rudderstack("http://127.0.0.1:9"),
            custom("http://user:hunter22@127.0.0.1:9/?token=hunter33", bearer_token=None),
            custom(bearer_token=TOKEN),
        )
    ):
        where = path.with_name(f"{number}.db")
        with abandoned(Sender(current, transport=Responding(respond), outbox=where)) as sender:
            sender.send(event())
            sender.flush(PATIENCE)
            content = stored_bytes(path)
    for secret in (WRITE_KEY, TOKEN, "hunter22", "hunter33"):
        assert secret.encode() not in content


def test_delivered_events_are_erased(path: Path, ok: Responding) -> None:
    with Sender(custom(), transport=ok, outbox=path) as sender:
        sender.send(make_events(2_000))
    content = stored_bytes(path)
    assert b"@example.com" not in content
    assert event(1).id.encode() not in content
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_file_shrinks(path: Path, ok: Responding) -> None:
    with abandoned(Sender(custom(), transport=Responding(lambda _: 401), outbox=path)) as sender:
        sender.send(event(number, text="x" * 5_000) for number in range(3_000))
    assert path.stat().st_size > 10 * 2**20
    with Sender(custom(), transport=ok, outbox=path) as sender:
        sender.resume()
        sender.flush(PATIENCE)
    assert path.stat().st_size < 2**20
