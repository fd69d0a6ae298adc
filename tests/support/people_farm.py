"""A farm that has seen people, with a gallery that decides and answers, served by a controller to a browser."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import redis

from camera_ctrler.identities.reading import IdentityReading
from contract import keys
from contract.accounts import Role
from contract.recognition import RecognitionState
from runtime.settings import ReidSettings
from tests.support.accounts import GuardedFarm, guarded_farm_at, guarded_settings
from tests.support.api_server import ApiServer
from tests.support.farm_state import FarmState
from tests.support.galleries import Gallery
from tests.support.gallery_services import running, see_portrait
from tests.support.processes import wait_until
from tests.support.shown_farm import PASSWORD, USER
from tests.support.valkey_server import free_port
from tests.support.weights import CACHE_DIR, yolo11n

#: Cameras, and what people call them.
CAMERAS: Final = {"lobby": "Lobby", "yard": "Back yard"}
WORKER: Final = "worker-1"
#: How many people both cameras have seen, the yard a minute after the lobby.
PEOPLE: Final = 6
_MINUTE_MS: Final = 60_000


@dataclass(frozen=True)
class PeopleFarm:
    """The farm, and everything that a test looks at."""

    guarded: GuardedFarm
    gallery: Gallery
    server: ApiServer
    #: When the lobby saw the first of them.
    began_ms: int

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://127.0.0.1:{self.server.settings.api_port}"

    @property
    def client(self) -> redis.Redis:
        """Its Redis."""
        return self.guarded.services.client

    @property
    def reading(self) -> IdentityReading:
        """What the database has of people, for who sees all cameras."""
        return IdentityReading(self.gallery.engine)

    def see(self, person: int, track: str, after_ms: int) -> None:
        """Let the camera that the track names see somebody."""
        camera = track.partition(":")[0]
        see_portrait(self.gallery, person, track, camera=camera, at_ms=self.began_ms + after_ms)

    def identity(self, person: int) -> str:
        """Return who somebody was found to be."""
        found = self.gallery.identity_of(f"lobby:1:{person}")
        assert found is not None
        return found

    def audit(self, action: str) -> list[Any]:
        """Return what the audit has of an action, the oldest first."""
        return self.guarded.services.audit.page(limit=100, action=action)[::-1]

    def fill(self) -> None:
        """Let both cameras see people, a worker watch them, and a recogniser give up what they saw."""
        state = FarmState(self.client, self.guarded.services.store, self.guarded.services)
        for camera, name in CAMERAS.items():
            state.camera(camera, name=name)
            for number in (1, 2):
                state.recognition(
                    f"{camera}:1:{number}", "reid", RecognitionState.DEAD, reason=f"broken crop {number}", attempts=3
                )
        state.worker(WORKER, *CAMERAS, lease_seconds=600)
        state.plan(load={WORKER: 0.5})
        for person in range(1, PEOPLE + 1):
            self.see(person, f"lobby:1:{person}", person * 1_000)
            self.see(person, f"yard:1:{person}", _MINUTE_MS + person * 1_000)

    def settled(self) -> bool:
        """Tell whether all of them are known and searches are answered."""
        tracks = [f"{camera}:1:{person}" for camera in CAMERAS for person in range(1, PEOPLE + 1)]
        known = self.reading.of_tracks(tracks)
        return len(known) == len(tracks) and bool(self.client.exists(keys.gallery_answering()))


@contextmanager
def people_farm(folder: Path, redis_url: str) -> Iterator[PeopleFarm]:
    """Serve the farm with `USER` as its administrator."""
    yolo11n()  # finds people in pictures that are searched with
    settings = guarded_settings(folder, redis_url, api_port=free_port(), api_threads=32)
    guarded = guarded_farm_at(settings)
    guarded.services.accounts.users.add(USER, PASSWORD, Role.ADMIN, given=False)
    gallery = Gallery(guarded.services.registry.engine, guarded.services.client, folder)
    gallery.crops = guarded.services.crops
    server = ApiServer(settings, folder / "controller.log")
    farm = PeopleFarm(guarded, gallery, server, time.time_ns() // 1_000_000 - 10 * _MINUTE_MS)
    farm.fill()
    reid = ReidSettings(
        redis_url=redis_url,
        data_dir=settings.data_dir,
        frames_dir=settings.frames_dir,
        models_dir=CACHE_DIR,
        lease_seconds=1.0,
    )
    try:
        with running(reid, gallery.engine):
            server.start()
            wait_until(farm.settled, "everybody to be recognised", 20)
            yield farm
    finally:
        server.stop()
        guarded.services.close()
