"""The keeper in a running manager: it leads before it deletes, reports what it did, and goes on in an outage."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from camera_ctrler.api.footage_metrics import footage_metrics
from camera_ctrler.recordings import keeper
from camera_ctrler.recordings.index import ARCHIVE, SegmentIndex
from contract import keys
from contract.footage_report import FootageReport
from contract.recording_paths import HOUR_MS, segment_path
from contract.recordings import KeptFor, Segment
from runtime.clock import SystemClock
from runtime.farm_reader import FarmReader
from runtime.recording_store import RecordingStore
from runtime.shutdown import Shutdown
from tests.support.running_manager import RunningManager, until
from tests.support.segment_index import segment
from tests.support.valkey_server import ValkeyServer
from tests.support.volumes import mounted_volume


class RunningKeeper(RunningManager):
    """A manager on a thread, with a volume and an index that knows of it."""

    def __init__(self, server: ValkeyServer, folder: Path, **settings: object) -> None:
        super().__init__(server, folder, **({"frames_min_free_bytes": 0} | settings))
        self.index = SegmentIndex(self.registry.engine)
        self.store = RecordingStore(self.settings.frames_dir)

    def record(self, age_seconds: float, kept_for: KeptFor = KeptFor.CONTINUOUS, size: int = 1_000) -> Segment:
        """Put ten seconds of footage on the volume and into the index."""
        made = segment(
            SystemClock().now_ms() - round(age_seconds * 1_000), camera="a", kept_for=kept_for, size_bytes=size
        )
        file = self.store.file(segment_path("a", made.start_ms, 1))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes(size))
        os.utime(file, ns=(made.end_ms * 1_000_000, made.end_ms * 1_000_000))
        self.index.add([made])
        return made

    def files(self) -> list[int]:
        """Return when the files on the volume begin."""
        return [each.start_ms for each in self.store.segments("a", 0, 10**15)]


@pytest.fixture
def managers(own_valkey: ValkeyServer, tmp_path: Path) -> Iterator[Callable[..., RunningKeeper]]:
    """Makes managers; they are stopped when the test is over."""
    made: list[RunningKeeper] = []

    def make(**settings: object) -> RunningKeeper:
        made.append(RunningKeeper(own_valkey, tmp_path, **settings))
        return made[-1]

    yield make
    for manager in made:
        manager.stop()


def test_it_deletes_by_age_and_says_so_in_report_and_metrics(
    own_valkey: ValkeyServer, managers: Callable[..., RunningKeeper]
) -> None:
    """Given footage of two ages, the old goes, and Redis says what went, what is left and since when."""
    manager = managers(recordings_keep="continuous=2h")
    manager.record(3 * 3_600)
    young = manager.record(1_800, KeptFor.EVENT)
    manager.start()
    until(lambda: manager.files() == [young.start_ms], "the old footage goes")
    with own_valkey.client() as client:

        def report() -> FootageReport | None:
            return FarmReader(client).footage_report()

        until(lambda: (found := report()) is not None and found.deleted_bytes == {"age": 1_000}, "it is reported")
        found = report()
        assert found is not None
        assert found.deleted_seconds == {"age": 10.0}
        assert found.bytes[KeptFor.EVENT] == 1_000
        assert found.conditions == {}
        assert found.total_bytes > found.free_bytes > 0
        samples = {
            (sample.name, *sorted(sample.labels.values())): sample.value
            for family in footage_metrics(found)
            for sample in family.samples
        }
        assert samples["farm_recordings_deleted_bytes_total", "age", "volume"] == 1_000
        assert samples["farm_recordings_bytes", "event", "volume"] == 1_000
        assert samples["farm_recordings_condition", "evidence_fills_the_volume"] == 0


def test_it_moves_old_footage_into_the_archive(managers: Callable[..., RunningKeeper], tmp_path: Path) -> None:
    """Given a second folder and an age, what is older moves there, by the index as by the folders."""
    (tmp_path / "second").mkdir()
    manager = managers(archive_url=f"file://{tmp_path}/second", archive_after="1h")
    old, young = manager.record(2 * 3_600), manager.record(600)
    manager.start()
    until(lambda: manager.files() == [young.start_ms], "the old footage moves")
    assert (tmp_path / "second" / segment_path("a", old.start_ms, 1)).stat().st_size == 1_000
    assert [each.tier for each in manager.index.find("a", old.start_ms, old.end_ms)] == [ARCHIVE]


def test_an_archive_that_is_away_is_named_in_the_report(
    own_valkey: ValkeyServer, managers: Callable[..., RunningKeeper], tmp_path: Path
) -> None:
    """Given an archive that is not mounted, the report says so and what to do, and footage stays."""
    manager = managers(archive_url=f"file://{tmp_path}/none", archive_after="1h")
    old = manager.record(2 * 3_600)
    manager.start()
    with own_valkey.client() as client:

        def said() -> str:
            found = FarmReader(client).footage_report()
            return found.conditions.get("archive_away", "") if found is not None else ""

        until(lambda: "Check FARM_ARCHIVE_URL" in said() and "No such file" in said(), "the archive is named")
    assert manager.files() == [old.start_ms]


def test_a_manager_that_does_not_lead_deletes_nothing_until_it_does(
    own_valkey: ValkeyServer, managers: Callable[..., RunningKeeper]
) -> None:
    """Given a lead that another holds, nothing goes; when it ends, the manager leads and deletes."""
    manager = managers(recordings_keep="continuous=2h")
    old = manager.record(3 * 3_600)
    with own_valkey.client() as client:
        client.set(keys.controller_lease(), "another", px=4_000)
        manager.start()
        until(lambda: client.pttl(keys.controller_lease()) < 1_000, "the other's lead is nearly over")
        assert manager.files() == [old.start_ms]
        until(lambda: manager.files() == [], "it leads and deletes")


def test_while_redis_is_away_the_volume_is_kept_all_the_same(
    own_valkey: ValkeyServer, managers: Callable[..., RunningKeeper], tmp_path: Path
) -> None:
    """Given a server that is gone before the manager ever led, the volume does not fill."""
    with mounted_volume(tmp_path / "frames", 1_000):
        manager = managers(frames_min_free_bytes=500_000)
        starts = [manager.record(HOUR_MS / 1_000 - number * 10, size=40_000).start_ms for number in range(18)]
        own_valkey.kill()
        manager.start()
        try:
            until(lambda: manager.store.free_bytes() >= 500_000, "room is made")
            assert manager.files()[-1] == starts[-1]
        finally:
            manager.stop()


def test_a_chore_that_fails_once_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a step that meets what nobody thought of, it is taken again after a pause."""
    monkeypatch.setattr(keeper, "STEP_SECONDS", 0.01)
    shutdown, taken = Shutdown(), list[None]()

    def step() -> float:
        taken.append(None)
        if len(taken) == 1:
            raise KeyError("what nobody thought of")
        shutdown.ask()
        return 0.0

    keeper.repeat(step, shutdown, lambda: True)
    assert len(taken) == 2
