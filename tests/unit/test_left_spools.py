"""Spools of workers that are gone."""

from pathlib import Path
from typing import cast

import pytest

from contract.events import Event
from runtime.spool import NewRecord, Spool
from runtime.worker_link import WorkerLink
from tests.support.clocks import SetClock
from workers.left_spools import LeftSpools


def test_a_spool_that_cannot_be_read_now_keeps_none_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given two spools of which one gives nothing for a while, then the other is delivered, and it when it can be."""
    for name in ("gone-1", "gone-2"):
        spool = Spool.own(tmp_path, name, 1_000_000, SetClock())
        spool.append([NewRecord("result", "c", 1, 1, "no result, but done with when it is looked at")])
        spool.close()
    left = LeftSpools(Spool.own(tmp_path, "mine", 1_000_000, SetClock()), SetClock())
    left.look()
    assert left.count == 2
    broken: list[Path] = []
    oldest = Spool.oldest

    def failing(self: Spool, count: int) -> object:
        broken.append(self.path)
        return [] if self.path == broken[0] else oldest(self, count)

    monkeypatch.setattr(Spool, "oldest", failing)
    link = cast("WorkerLink", None)  # nothing of this is sent

    def keep(event: Event) -> None:
        raise AssertionError(event)

    counts = [delivered.count for delivered in (left.deliver(link, keep) for _ in range(2)) if delivered]
    assert (counts, left.count) == ([0, 1], 1)
    monkeypatch.setattr(Spool, "oldest", oldest)
    left.deliver(link, keep)
    assert left.count == 0
    left.close()
