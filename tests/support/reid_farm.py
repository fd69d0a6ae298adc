"""Event writers, ReID workers, Redis and SQL as real processes, under a load of events whose crops are there."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np
import redis
from cryptography.fernet import Fernet
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import OperationalError

from camera_ctrler.event_store.tables import events
from contract.crop_paths import CropName, crop_path
from contract.crops import Crop
from contract.events import Event, EventKind
from contract.recognition import RecognitionState
from database.engine import migrate, open_engine
from database.recognitions import recognition_notes, recognitions
from runtime.settings import ENV_PREFIX
from runtime.worker_link import WorkerLink, Written
from tests.support.api_server import REPOSITORY
from tests.support.processes import wait_until
from tests.support.reid_process import KEPT, NAME
from tests.support.valkey_server import ValkeyServer

CAMERA = "lobby"
LEASE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Audit:
    """What became of the events that were published."""

    published: int
    #: Published and not in the database, and the other way round.
    missing_events: int
    unknown_events: int
    #: Recognitions that are wanted and not done.
    not_done: int
    #: Kept more than once.
    kept_twice: int
    #: Kept although nothing says that they are done, or done and not kept.
    kept_wrongly: int
    #: Crops that events name and that are not there.
    missing_crops: int

    @property
    def faults(self) -> dict[str, int]:
        """What is not as promised."""
        names = ("missing_events", "unknown_events", "not_done", "kept_twice", "kept_wrongly", "missing_crops")
        return {name: count for name in names if (count := getattr(self, name))}


class Part:
    """One process of the farm, started again whenever it is asked for."""

    def __init__(
        self, name: str, module: str, arguments: Sequence[str], environment: dict[str, str], log: Path
    ) -> None:
        self.name = name
        self._argv = [sys.executable, "-m", module, *arguments]
        self._environment = environment
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, unless it runs."""
        if self._process is not None and self._process.poll() is None:
            return
        with self._log.open("ab") as log:
            kept = {name: value for name, value in os.environ.items() if not name.startswith(ENV_PREFIX)}
            self._process = subprocess.Popen(
                self._argv, cwd=REPOSITORY, env=kept | self._environment, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self, seconds: float = 30.0) -> int:
        """Ask it to end; return its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(seconds)

    def exit_code(self) -> int | None:
        """Return its exit code; None: it runs."""
        assert self._process is not None
        return self._process.poll()

    def log(self) -> str:
        """Return what it wrote."""
        return self._log.read_text()


class ReidFarm:
    """Everything between a worker's event and a recogniser's result; close it by a ``with`` block."""

    def __init__(
        self,
        folder: Path,
        *,
        reid: int = 1,
        settings: dict[str, str] | None = None,
        url: str = "",
        recognisers: Sequence[str] = (NAME,),
    ) -> None:
        """Start servers and processes' surroundings; `start` starts the processes.

        Args:
            folder: Of its own.
            reid: ReID workers.
            settings: ``FARM_*`` of the ReID workers.
            url: Of the database; empty: SQLite in the folder.
            recognisers: Names of those that look at every event.
        """
        self._stack = ExitStack()
        self.folder = folder
        self.recognisers = recognisers
        self.frames = folder / "frames"
        self.frames.mkdir()
        self.server = ValkeyServer().start()
        self._stack.callback(self.server.close)
        self.url = url or f"sqlite:///{folder / 'farm.sqlite3'}"
        self.engine: Engine = open_engine(self.url)
        self._stack.callback(self.engine.dispose)
        migrate(self.engine)
        with self.engine.begin() as connection:
            connection.execute(text(f"CREATE TABLE {KEPT} (event_id VARCHAR(128))"))
        self._told = folder / "told.json"
        self.tell()
        environment = {
            "FARM_ENV_FILE": os.devnull,
            "FARM_REDIS_URL": self.server.url,
            "FARM_DATABASE_URL": self.url,
            "FARM_DATA_DIR": str(folder),
            "FARM_FRAMES_DIR": str(self.frames),
            "FARM_SECRET_KEY": Fernet.generate_key().decode(),
            "FARM_LEASE_SECONDS": str(LEASE_SECONDS),
            "CAMFARM_TOLD": str(self._told),
        }
        self.writer = Part(
            "event writer", "camera_ctrler", ["--only", "event-writer"], environment, folder / "writer.log"
        )
        reid_environment = environment | {"FARM_RECOGNISERS": ",".join(recognisers)} | (settings or {})
        self.reid = [
            Part(f"reid-{n}", "tests.support.reid_process", [], reid_environment, folder / f"reid-{n}.log")
            for n in range(1, reid + 1)
        ]
        for part in (self.writer, *self.reid):
            self._stack.callback(part.kill)
        #: What crops look like, in turn.
        self.jpegs = [bytes(cv2.imencode(".jpg", np.full((96, 48, 3), (40, 90, 200), np.uint8))[1])]
        self.published: dict[str, Event] = {}
        self._number = 0

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all of it."""
        self._stack.close()

    def start(self) -> None:
        """Start event writer and ReID workers, and wait until each has said that it works."""
        for part in (self.writer, *self.reid):
            part.start()
        wait_until(lambda: all("reid_worker_started" in part.log() for part in self.reid), "ReID workers", 60)

    def tell(self, seconds: float = 0.0, **does: str) -> None:
        """Say what the recogniser does: how long each request takes, and `does`, number of an event -> what."""
        text_of = {f"{CAMERA}:1:{number.removeprefix('event_')}": what for number, what in does.items()}
        fresh = self._told.with_suffix(".new")
        fresh.write_text(json.dumps({"seconds": seconds, "does": text_of}))
        fresh.replace(self._told)

    def event(self, crops: int = 2, at_ms: int | None = None) -> Event:
        """Return the end of a track, and save its crops, as a worker does before it tells of them."""
        self._number += 1
        now_ms = time.time_ns() // 1_000_000 if at_ms is None else at_ms
        paths = [crop_path(CropName(CAMERA, now_ms + place, 1, self._number)) for place in range(crops)]
        for path in paths:
            file = self.frames / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(self.jpegs[self._number % len(self.jpegs)])
        return Event(
            event_id=f"{CAMERA}:1:{self._number}",
            kind=EventKind.TRACK_ENDED,
            camera_id=CAMERA,
            epoch=1,
            number=self._number,
            worker_id="w",
            at_ms=now_ms,
            track_id=self._number,
            track=f"{CAMERA}:1:{self._number}",
            started_at_ms=now_ms - 3_000,
            frames_seen=10,
            class_id=0,
            class_name="person",
            crops=[
                Crop(
                    path=path,
                    captured_at_ms=now_ms,
                    xyxy=(0.0, 0.0, 48.0, 96.0),
                    width=48,
                    height=96,
                    confidence=0.9,
                    quality=0.8,
                )
                for path in paths
            ],
        )

    def publish(self, found: Iterable[Event], patience_seconds: float = 60.0) -> None:
        """Publish events; while Redis is away, as a worker's spool does: again and again, in their order."""
        with self.server.client() as client:
            link = WorkerLink(client, "w", frame_index_size=10, event_stream_size=100_000)
            for each in found:
                deadline = time.monotonic() + patience_seconds
                while True:
                    try:
                        assert link.publish_event(each) in (Written.ACCEPTED, Written.REPEATED)
                        break
                    except redis.RedisError:
                        assert time.monotonic() < deadline, "Redis does not come back"
                        time.sleep(0.05)
                self.published[each.event_id] = each

    def states(self) -> Counter[str]:
        """Return how many recognitions are in each state; those that are only noted are ``noted``."""
        with self.engine.connect() as connection:
            query = select(recognitions.c.state, func.count()).group_by(recognitions.c.state)
            found = Counter(dict(tuple(row) for row in connection.execute(query)))
            found["noted"] = connection.scalar(select(func.count()).select_from(recognition_notes)) or 0
        return found

    def all_done(self) -> bool:
        """Tell whether all that was published is done or a dead letter."""
        try:
            states = self.states()
        except OperationalError:
            return False
        wanted = len(self.published) * len(self.recognisers)
        return states[RecognitionState.DONE] + states[RecognitionState.DEAD] == wanted

    def wait_all_done(self, seconds: float) -> None:
        """Wait until all that was published is done or a dead letter; where it is not, say how things stand."""
        deadline = time.monotonic() + seconds
        while not self.all_done():
            assert time.monotonic() < deadline, f"not all done after {seconds:.0f} s\n{self._how_it_stands()}"
            time.sleep(0.05)

    def _how_it_stands(self) -> str:
        rows = [f"{row.event_id}: {row.state}, {row.attempts} tries, {row.reason}" for row in self.results().values()]
        logs = [f"{part.name} (exit code {part.exit_code()})\n{part.log()[-3_000:]}" for part in self.reid]
        return "\n".join([str(dict(self.states())), *(row for row in rows if ": done" not in row), *logs])

    def results(self) -> dict[str, Any]:
        """Return the rows by event id."""
        with self.engine.connect() as connection:
            return {row.event_id: row for row in connection.execute(select(recognitions))}

    def audit(self) -> Audit:
        """Compare what was published with what there is."""
        with self.engine.connect() as connection:
            stored = set(connection.scalars(select(events.c.event_id)))
            is_done = recognitions.c.state == RecognitionState.DONE
            done = {
                (row.event_id, row.recogniser)
                for row in connection.execute(select(recognitions.c.event_id, recognitions.c.recogniser).where(is_done))
            }
            kept = Counter(connection.scalars(text(f"SELECT event_id FROM {KEPT}")))  # noqa: S608 - our own name
        wanted = set(self.published)
        paths = [crop.path for event in self.published.values() for crop in event.crops]
        return Audit(
            published=len(wanted),
            missing_events=len(wanted - stored),
            unknown_events=len(stored - wanted),
            not_done=len({(event, name) for event in wanted for name in self.recognisers} - done),
            kept_twice=sum(count > 1 for count in kept.values()),
            kept_wrongly=len(set(kept) ^ {event for event, name in done if name == NAME}),
            missing_crops=sum(not (self.frames / path).is_file() for path in paths),
        )

    def restart_redis(self, *, keep_data: bool) -> None:
        """Kill Redis and start it again."""
        self.server.restart(keep_data=keep_data)
