"""Processes with a gallery, of which the one that decides is killed again and again."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import select

from contract import keys
from database.identities import camera_means, galleries, sightings
from tests.support.api_server import REPOSITORY
from tests.support.galleries import EIGHT_MS, HOUR_MS, Gallery, settle
from tests.support.processes import wait_until
from tests.support.valkey_server import ValkeyServer

KILLS = 4
#: What is seen for each kill: eight people, three crops each.
PEOPLE = 8


class GalleryProcesses:
    """Processes by the name of their gallery; a new one for each that is killed."""

    def __init__(self, gallery: Gallery, server: ValkeyServer, folder: Path) -> None:
        self._gallery = gallery
        self._environment = {key: value for key, value in os.environ.items() if not key.startswith("FARM_")} | {
            "FARM_REDIS_URL": server.url,
            "FARM_DATABASE_URL": gallery.engine.url.render_as_string(hide_password=False),
            "FARM_DATA_DIR": str(folder),
            "FARM_FRAMES_DIR": str(folder / "frames"),
            "FARM_LEASE_SECONDS": "1",
        }
        self._log = folder / "gallery.log"
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._stack = ExitStack()

    def start(self) -> None:
        """Start one more."""
        with self._log.open("ab") as log:
            process = self._stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "tests.support.gallery_process"],
                    cwd=REPOSITORY,
                    env=self._environment,
                    stdout=subprocess.PIPE,
                    stderr=log,
                )
            )
        assert process.stdout is not None
        name = process.stdout.readline().decode().strip()
        assert name, self._log.read_text()
        self._running[name] = process

    def leader(self) -> str | None:
        """Return the name of the one that decides; None: none of those that run."""
        token: bytes = self._gallery.client.get(keys.gallery_writer_lease()) or b""  # type: ignore[assignment]
        name = token.decode().rpartition(":")[0]
        return name if name in self._running else None

    def kill_leader(self) -> str:
        """Kill the one that decides, which has no time for anything then; return its name."""
        wait_until(lambda: self.leader() is not None, "a leader")
        name = self.leader()
        assert name is not None
        process = self._running.pop(name)
        process.kill()
        process.wait()
        return name

    def close(self) -> None:
        """End all."""
        for process in self._running.values():
            process.terminate()
        self._stack.close()


@pytest.fixture
def processes(sqlite_gallery: Gallery, valkey_server: ValkeyServer, tmp_path: Path) -> Iterator[GalleryProcesses]:
    """Two processes on one gallery."""
    found = GalleryProcesses(sqlite_gallery, valkey_server, tmp_path)
    try:
        found.start()
        found.start()
        yield found
    finally:
        found.close()


@pytest.mark.slow
def test_when_who_decides_is_killed_another_goes_on_and_every_track_is_decided_on_once(
    sqlite_gallery: Gallery, processes: GalleryProcesses
) -> None:
    """Given kills in the middle of deciding, all tracks have one sighting, and all is as if nobody had been killed."""
    gallery = sqlite_gallery
    killed = []
    for number in range(KILLS):
        at_ms = EIGHT_MS + number * HOUR_MS
        for person in range(PEOPLE):
            gallery.see(person, f"lobby:{number}:{person}", at_ms=at_ms + person * 30_000)
        first = f"lobby:{number}:0"
        wait_until(lambda: first in _decided(gallery), f"{first} to be decided on", 20)  # noqa: B023 - called at once
        killed.append(processes.kill_leader())
        processes.start()
    wait_until(lambda: len(_decided(gallery)) == KILLS * PEOPLE, "all to be decided on", 20)
    wait_until(lambda: _decided_to(gallery) == KILLS * PEOPLE * 3, "the end to be noted", 20)
    assert len(set(killed)) == KILLS

    one_each = Counter(
        gallery.identity_of(f"lobby:{number}:{person}") for number in range(KILLS) for person in range(PEOPLE)
    )
    assert None not in one_each
    assert sorted(one_each.values()) == [KILLS] * PEOPLE
    assert gallery.count("identities") == PEOPLE
    # Nothing counts twice what the one before had counted: neither sightings nor the camera's mean.
    before = gallery.state()
    settle(gallery.writer())
    assert gallery.state() == before
    with gallery.engine.connect() as connection:
        assert connection.scalar(select(camera_means.c.tracks)) == KILLS * PEOPLE


def _decided(gallery: Gallery) -> set[str]:
    with gallery.engine.connect() as connection:
        return set(connection.scalars(select(sightings.c.track)))


def _decided_to(gallery: Gallery) -> int:
    with gallery.engine.connect() as connection:
        return int(connection.scalar(select(galleries.c.decided_to)) or 0)
