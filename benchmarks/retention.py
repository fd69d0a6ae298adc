"""Does a small volume ever fill? A volume of 200 MB, and writers at twice the rate that was planned for it.

A real file system, a real manager process with its index and its cleaner, and cameras that write footage and saved
frames as workers do: whole seconds into open files, finished files told of through Redis, one in twenty of them raised
to evidence some seconds later. The volume is nearly full of older footage when it begins. Needs the right to mount.

Run: python -m benchmarks.retention [--minutes 10] [--out FILE.json]
"""

import argparse
import errno
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import pytest
import redis
from rich.console import Console
from rich.table import Table

from contract.footage_report import FootageReport
from contract.frame_paths import frame_path
from contract.recording_paths import segment_path
from contract.recordings import SEGMENT_SECONDS, KeptFor, OpenSegment, Segment
from runtime.farm_reader import FarmReader
from runtime.frame_store import FrameStore
from runtime.recording_feed import RecordingFeed
from runtime.recording_store import RecordingStore
from runtime.volume_files import VolumeFullError
from tests.support.farm import Farm
from tests.support.valkey_server import ValkeyServer, free_port
from tests.support.volumes import mounted_volume

VOLUME_KILOBYTES: Final = 200_000
FLOOR_BYTES: Final = 20_000_000
#: Seconds of footage that the volume was planned to hold above its floor.
PLANNED_SECONDS: Final = 300
CAMERAS: Final = ("one", "two", "three", "four")
#: Bytes a second of one camera: twice as many as planned, an eighth of them saved frames.
CAMERA_RATE: Final = 2 * (VOLUME_KILOBYTES * 1024 - FLOOR_BYTES) // PLANNED_SECONDS // len(CAMERAS)
FRAME_BYTES: Final = CAMERA_RATE // 8
FRAGMENT_BYTES: Final = CAMERA_RATE - FRAME_BYTES
#: Of so many files one is evidence, and it is said so many seconds after it was finished.
EVIDENCE_EVERY: Final = 20
SAID_LATER_SECONDS: Final = 5.0
#: Milliseconds for which every file must be there, whatever happens.
NEWEST_MS: Final = 60_000
#: Part of the volume that is full when it begins.
FULL_AT_FIRST: Final = 0.8
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass
class Outcome:
    """What one run has shown."""

    minutes: float
    volume_bytes: int
    written_bytes: int = 0
    most_used_bytes: int = 0
    least_free_bytes: int = 2**60
    #: Writes that found no room.
    refused_writes: int = 0
    #: Files that were younger than a minute and gone, and the longest that a camera's newest bytes were old.
    newest_missing: int = 0
    newest_age_seconds: float = 0.0
    evidence: int = 0
    evidence_missing: int = 0
    #: Footage that was left at the end, oldest and newest begin apart.
    span_seconds: float = 0.0
    rows: int = 0
    files: int = 0
    rows_without_file: int = 0
    manager_cpu_seconds: float = 0.0
    deleted_bytes: dict[str, int] = field(default_factory=dict)
    conditions: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """What is not as promised."""
        found = {
            "writes found no room": self.refused_writes,
            "files of the newest minute were gone": self.newest_missing,
            "files of evidence were gone": self.evidence_missing,
            "rows of the index have no file": self.rows_without_file,
        }
        problems = [f"{count} {what}" for what, count in found.items() if count]
        if self.newest_age_seconds > SEGMENT_SECONDS:
            problems.append(f"the newest footage was {self.newest_age_seconds:.1f} s old")
        if not self.deleted_bytes.get("space"):
            problems.append("nothing was deleted: the volume was never short of room")
        return problems


class Camera:
    """Writes footage and frames of one camera at a fixed rate, as a worker does."""

    def __init__(self, name: str, root: Path, client: redis.Redis, outcome: Outcome, stop: threading.Event) -> None:
        self._name = name
        self._store = RecordingStore(root)
        self._frames = FrameStore(root)
        self._feed = RecordingFeed(client)
        self._outcome = outcome
        self._stop = stop
        #: Finished files, oldest first; nobody changes what was added.
        self.finished: list[Segment] = []
        self._later: list[tuple[float, Segment]] = []
        #: Monotonic seconds of the newest bytes.
        self.wrote_at = time.monotonic()
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    def _run(self) -> None:
        while not self._stop.is_set():
            start_ms = time.time_ns() // 1_000_000
            size = self._write_segment(start_ms)
            segment = segment_of(self._name, start_ms, time.time_ns() // 1_000_000, size)
            self.finished.append(segment)
            self._feed.publish([segment], [])
            if len(self.finished) % EVIDENCE_EVERY == 0:
                self._later.append((time.monotonic() + SAID_LATER_SECONDS, segment))

    def _write_segment(self, start_ms: int) -> int:
        path = segment_path(self._name, start_ms, 1)
        size, second = 0, time.monotonic()
        file = self._store.file(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb", buffering=0) as stream:
            for _ in range(round(SEGMENT_SECONDS)):
                second += 1.0
                if self._stop.wait(max(0.0, second - time.monotonic())):
                    break
                size += self._write(stream.fileno())
                self._save_frame()
                now_ms = time.time_ns() // 1_000_000
                self._feed.publish(self._due(), [open_of(self._name, start_ms, now_ms, size)])
        return size

    def _write(self, descriptor: int) -> int:
        try:
            written = os.write(descriptor, os.urandom(FRAGMENT_BYTES))
        except OSError as error:
            if error.errno not in _FULL:
                raise
            self._outcome.refused_writes += 1
            return 0
        self.wrote_at = time.monotonic()
        self._outcome.written_bytes += written
        return written

    def _save_frame(self) -> None:
        try:
            self._frames.save(frame_path(self._name, time.time_ns() // 1_000_000), os.urandom(FRAME_BYTES))
        except VolumeFullError:
            self._outcome.refused_writes += 1
        else:
            self._outcome.written_bytes += FRAME_BYTES

    def _due(self) -> list[Segment]:
        """Return files that are found to be evidence now."""
        due = [segment for at, segment in self._later if at <= time.monotonic()]
        self._later = [(at, segment) for at, segment in self._later if at > time.monotonic()]
        return [segment.model_copy(update={"kept_for": KeptFor.EVENT}) for segment in due]

    def evidence(self) -> Iterator[Segment]:
        """Yield files that the farm knows to be evidence."""
        waiting = {segment.start_ms for _, segment in self._later}
        for segment in self.finished[EVIDENCE_EVERY - 1 :: EVIDENCE_EVERY]:
            if segment.start_ms not in waiting:
                yield segment


def segment_of(camera: str, start_ms: int, end_ms: int, size: int, kept_for: KeptFor = KeptFor.CONTINUOUS) -> Segment:
    """Return a finished file as its worker tells of it."""
    return Segment(
        camera_id=camera,
        start_ms=start_ms,
        end_ms=end_ms,
        epoch=1,
        size_bytes=size,
        codec="h264",
        kept_for=kept_for,
    )


def open_of(camera: str, start_ms: int, end_ms: int, size: int) -> OpenSegment:
    """Return a file that is being written as its worker tells of it."""
    return OpenSegment(
        camera_id=camera,
        worker_id="bench",
        start_ms=start_ms,
        end_ms=end_ms,
        epoch=1,
        size_bytes=size,
        codec="h264",
    )


class Bench:
    """One volume, one manager, and those who write."""

    def __init__(self, stack: ExitStack, folder: Path, minutes: float) -> None:
        self._root = stack.enter_context(mounted_volume(folder / "volume", VOLUME_KILOBYTES))
        self._valkey = ValkeyServer()
        stack.callback(self._valkey.close)
        self._valkey.start()
        self._client = stack.enter_context(self._valkey.client())
        self._farm = stack.enter_context(
            Farm(
                folder,
                self._valkey.url,
                api_port=free_port(),
                FARM_FRAMES_DIR=str(self._root),
                FARM_FRAMES_MIN_FREE_BYTES=str(FLOOR_BYTES),
            )
        )
        total, _, _ = shutil.disk_usage(self._root)
        self.outcome = Outcome(minutes, total)
        self._stop = threading.Event()
        self._before: list[Segment] = []

    def run(self) -> Outcome:
        """Fill the volume, start the manager, write for the time, and see what is left."""
        self._fill()
        self._farm.start_manager("manager")
        self._farm.wait_for(lambda: self._report() is not None, "the manager reports", 60)
        cameras = [Camera(name, self._root, self._client, self.outcome, self._stop) for name in CAMERAS]
        for camera in cameras:
            camera.thread.start()
        try:
            self._watch(cameras)
        finally:
            self._stop.set()
            for camera in cameras:
                camera.thread.join(30)
        time.sleep(2 * SAID_LATER_SECONDS)  # the last files come into the index
        self._look_at_the_end(cameras)
        return self.outcome

    def _fill(self) -> None:
        """Put older footage on the volume, one file in twenty of it evidence."""
        store = RecordingStore(self._root)
        size = round(FRAGMENT_BYTES * SEGMENT_SECONDS)
        count = int(self.outcome.volume_bytes * FULL_AT_FIRST) // size
        now_ms = time.time_ns() // 1_000_000
        for number in range(count):
            start_ms = now_ms - round((count - number) * SEGMENT_SECONDS * 1_000) - 2 * NEWEST_MS
            kept_for = KeptFor.CONTINUOUS if number % EVIDENCE_EVERY else KeptFor.EVENT
            segment = segment_of(
                CAMERAS[number % len(CAMERAS)], start_ms, start_ms + round(SEGMENT_SECONDS * 1_000), size, kept_for
            )
            file = store.file(segment_path(segment.camera_id, start_ms, 1))
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(os.urandom(size))
            os.utime(file, ns=(segment.end_ms * 1_000_000, segment.end_ms * 1_000_000))
            self._before.append(segment)
        RecordingFeed(self._client).publish(self._before, [])

    def _watch(self, cameras: list[Camera]) -> None:
        found, ends = self.outcome, time.monotonic() + self.outcome.minutes * 60
        looks = 0
        while (now := time.monotonic()) < ends:
            total, _, free = shutil.disk_usage(self._root)
            found.least_free_bytes = min(found.least_free_bytes, free)
            found.most_used_bytes = max(found.most_used_bytes, total - free)
            found.newest_age_seconds = max(found.newest_age_seconds, *(now - each.wrote_at for each in cameras))
            looks += 1
            if looks % 20 == 0:
                self._look_at_the_newest(cameras)
            time.sleep(0.1)

    def _look_at_the_newest(self, cameras: list[Camera]) -> None:
        since_ms = time.time_ns() // 1_000_000 - NEWEST_MS + 1_000
        for camera in cameras:
            newest = [each for each in camera.finished[-10:] if each.end_ms > since_ms]
            self.outcome.newest_missing += sum(not self._is_there(each) for each in newest)
        report = self._report()
        if report is not None:
            self.outcome.conditions = sorted({*self.outcome.conditions, *report.conditions})

    def _look_at_the_end(self, cameras: list[Camera]) -> None:
        found, report = self.outcome, self._report()
        evidence = [each for camera in cameras for each in camera.evidence()]
        evidence += [each for each in self._before if each.kept_for is KeptFor.EVENT]
        found.evidence = len(evidence)
        found.evidence_missing = sum(not self._is_there(each) for each in evidence)
        store = RecordingStore(self._root)
        files = [each for name in CAMERAS for each in store.segments(name, 0, 10**15)]
        found.files = len(files)
        found.span_seconds = (max(each.start_ms for each in files) - min(each.start_ms for each in files)) / 1_000
        if report is not None:
            found.deleted_bytes = report.deleted_bytes
        found.manager_cpu_seconds = cpu_seconds(self._farm.processes["manager"].pid)
        self._count_rows(store)

    def _count_rows(self, store: RecordingStore) -> None:
        from camera_ctrler.recordings.index import SegmentIndex
        from database.engine import open_engine

        engine = open_engine(f"sqlite:///{self._farm.folder}/data/camfarm.sqlite3")
        try:
            rows = [each for name in CAMERAS for each in SegmentIndex(engine).find(name, 0, 10**15)]
        finally:
            engine.dispose()
        self.outcome.rows = len(rows)
        self.outcome.rows_without_file = sum(store.found(each.path) is None for each in rows)

    def _is_there(self, segment: Segment) -> bool:
        return (self._root / segment_path(segment.camera_id, segment.start_ms, segment.epoch)).is_file()

    def _report(self) -> FootageReport | None:
        return FarmReader(self._client).footage_report()


def cpu_seconds(pid: int) -> float:
    """Return what a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rows_of(found: Outcome) -> dict[str, str]:
    """Return label -> text."""
    mb = 1_000_000
    return {
        "volume / floor": f"{found.volume_bytes / mb:.0f} / {FLOOR_BYTES / mb:.0f} MB",
        "written": f"{found.written_bytes / mb:.0f} MB, {found.written_bytes / mb / found.minutes / 60:.2f} MB/s",
        "most used": f"{found.most_used_bytes / mb:.1f} MB, {found.most_used_bytes / found.volume_bytes:.1%}",
        "least free": f"{found.least_free_bytes / mb:.1f} MB",
        "writes that found no room": str(found.refused_writes),
        "newest footage, at most so old": f"{found.newest_age_seconds:.1f} s",
        "files of the newest minute that were gone": str(found.newest_missing),
        "evidence kept": f"{found.evidence - found.evidence_missing} of {found.evidence} files",
        "footage left at the end": f"{found.files} files over {found.span_seconds:.0f} s",
        "rows of the index, without a file": f"{found.rows}, {found.rows_without_file}",
        "deleted": ", ".join(f"{reason} {size / mb:.0f} MB" for reason, size in found.deleted_bytes.items()),
        "conditions seen": ", ".join(found.conditions) or "none",
        "the manager's CPU": f"{found.manager_cpu_seconds:.1f} s",
    }


def measure(minutes: float) -> Outcome:
    """Run one volume for so many minutes."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        return Bench(stack, Path(folder), minutes).run()


def main() -> int:
    """Print the table and write the figures as JSON; 1 where something is not as promised."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    console = Console()
    try:
        found = measure(options.minutes)
    except pytest.skip.Exception as error:
        console.print(f"not run: {error}")
        return 2
    table = Table("", f"{options.minutes:g} minutes, {len(CAMERAS)} cameras, {CAMERA_RATE:,} bytes/s each")
    for label, text in rows_of(found).items():
        table.add_row(label, text)
    console.print(table)
    for problem in found.problems:
        console.print(f"NOT AS PROMISED: {problem}")
    if options.out:
        options.out.write_text(json.dumps(asdict(found), indent=1))
    return 1 if found.problems else 0


if __name__ == "__main__":
    sys.exit(main())
