"""Rows in partitions on disk."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from currents_export.errors import OptionError
from currents_export.verification import reconcile
from currents_export.verification._store import PARTITIONS, Partitions
from tests.support.events import make_events


def test_rows_come_back_in_order(tmp_path: Path) -> None:
    rows = [(f"id-{n % 7}", n, None, 2.5, True) for n in range(5_000)]
    with closing(Partitions(tmp_path / "rows")) as partitions:
        partitions.add_all(rows)
        assert (tmp_path / "rows").stat().st_size > 0
        found = [[*partitions.take(number)] for number in range(PARTITIONS)]
        assert [*partitions.take(0)] == []
    for part in found:
        assert part == sorted(part, key=lambda row: row[1])
        ids = {row[0] for row in part}
        assert [row for row in rows if row[0] in ids] == part
    assert sum(map(len, found)) == 5_000


def test_few_rows_need_no_file(tmp_path: Path) -> None:
    with closing(Partitions(tmp_path / "rows")) as partitions:
        partitions.add(("a", 1))
        assert [each for n in range(PARTITIONS) for each in partitions.take(n)] == [("a", 1)]
    assert not [*tmp_path.iterdir()]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
def test_full_device() -> None:
    full = pytest.raises(OptionError, match="/dev: temporary files cannot be written: No space")
    with closing(Partitions(Path("/dev/full"))) as partitions, full:
        partitions.add_all(("a", "x" * 100) for _ in range(1_000))


def test_directory_that_does_not_exist(tmp_path: Path) -> None:
    events = make_events(1)
    with pytest.raises(OptionError, match="none: temporary files cannot be written: No such file"):
        reconcile(events, events, directory=tmp_path / "none")
