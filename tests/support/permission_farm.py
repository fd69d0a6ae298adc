"""A farm with two cameras of which everything is there, and one client of each kind that asks for it."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, select, update

from camera_ctrler.api.services import Services
from contract import keys
from contract.accounts import Role
from contract.crop_paths import CropName, crop_path
from contract.crops import Crop
from contract.errors import StatusReason
from contract.events import EventKind
from contract.frame_paths import frame_path
from contract.moves import MoveReason
from contract.recognition import RecognitionState
from database.identities import identities, sightings, transit_times
from tests.support.accounts import GuardedFarm, guarded_farm_at, guarded_settings
from tests.support.event_stores import StoredEvents, settle, track_event
from tests.support.farm_state import FarmState, now_ms
from tests.support.footage import Look
from tests.support.galleries import Gallery
from tests.support.galleries import settle as settle_gallery
from tests.support.recorded_camera import RecordedCamera
from tests.support.valkey_server import ValkeyServer

SEEN: Final = "lobby"
HIDDEN: Final = "vault"
#: Of things that are asked for and are nowhere: as long as the hidden ones, so that answers can be compared.
ABSENT: Final = "atlas"
#: What no answer may have that goes to who does not see the hidden camera, in small letters.
CANARIES: Final = ("vault", "192.0.2.66", "somebody hidden", "hidden note")
#: Who sends requests: nobody, three who see all, three who see one camera, a program whose token was revoked.
CALLERS: Final = ("none", "viewer", "operator", "admin", "guard", "keeper", "warden", "revoked")
#: Those who see `SEEN` alone.
NARROW: Final = frozenset({"guard", "keeper", "warden"})
ROLES: Final = {
    "viewer": Role.VIEWER,
    "operator": Role.OPERATOR,
    "admin": Role.ADMIN,
    "guard": Role.VIEWER,
    "keeper": Role.OPERATOR,
    "warden": Role.ADMIN,
}
#: Camera -> its name, and the host of its stream.
_CAMERAS: Final = {SEEN: ("Lobby", "192.0.2.10"), HIDDEN: ("The vault", "192.0.2.66")}
#: What they see: unlike each other, so that no byte of a picture is the other one's, too.
_LOOKS: Final = {
    SEEN: Look(size=(160, 96), fps=10, gop=10),
    HIDDEN: Look(size=(192, 108), fps=10, gop=10, noise=0.4),
}


def identity_of(camera_id: str) -> str:
    """Return the id of the identity that this camera alone has seen."""
    return f"id-only-{camera_id}"


@dataclass
class PermissionFarm:
    """The farm, and everything that requests can name."""

    guarded: GuardedFarm
    folder: Path
    #: All of it happened about then.
    at_ms: int = field(default_factory=lambda: now_ms() - 60_000)
    #: When workers say anew how cameras do, monotonic seconds.
    report_at: float = 0.0
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    #: Camera -> number of a change, id of a place on the watch list.
    changes: dict[str, int] = field(default_factory=dict)
    watches: dict[str, str] = field(default_factory=dict)

    @property
    def services(self) -> Services:
        """What is behind the API."""
        return self.guarded.services

    @cached_property
    def state(self) -> FarmState:
        """Speaks for workers and manager."""
        return FarmState(self.services.client, self.services.store, self.services)

    @cached_property
    def clients(self) -> dict[str, FlaskClient]:
        """One client of each kind; people are logged in, `warden` and `revoked` are programs."""
        made = {"none": self.guarded.anybody()}
        for name, role in ROLES.items():
            cameras = {SEEN} if name in NARROW else None
            if name == "warden":
                made[name] = self.guarded.program(name, role, cameras)
                continue
            self.guarded.user(name, role, cameras)
            made[name] = self.guarded.logged_in(name)
        made["revoked"] = self.guarded.program("revoked", Role.ADMIN)
        self.services.accounts.revoke_token("revoked")
        return made

    def fill(self) -> None:
        """Let both cameras have everything."""
        self.state.reid_worker()
        for camera_id in _CAMERAS:
            self.register_again(camera_id)
            look = _LOOKS[camera_id]
            self.state.move(camera_id, MoveReason.PLACED)
            self.state.save(camera_id, self.at_ms + 100, size=look.size)
            RecordedCamera(self.services, camera_id).record(self.at_ms, 1, seconds=2.0, look=look)
            self.state.recognition(f"{camera_id}:1:1", "colours", RecognitionState.DEAD)
        self._report()
        self._happen()
        self._see_people()
        self._say_ways()

    def _report(self) -> None:
        """Let worker and manager say how both cameras do, unless they did so just now: it is believed for seconds."""
        if time.monotonic() < self.report_at:
            return
        self.report_at = time.monotonic() + 3
        self.state.worker("worker-1", SEEN, HIDDEN)
        self.state.plan({HIDDEN: StatusReason.NO_LABELS}, load={"worker-1": 0.5}, handing_over=[HIDDEN, SEEN])
        for camera_id, look in _LOOKS.items():
            self.state.status(camera_id)
            self.state.result(camera_id, at_ms=self.at_ms, size=look.size)

    def _happen(self) -> None:
        """Let there be stored events with crops, and one of each camera that is not stored yet."""
        stored = StoredEvents(self.services.registry.engine, self.services.client)
        for camera_id in (SEEN, HIDDEN):
            stored.publish(
                track_event(
                    1,
                    camera_id=camera_id,
                    kind=EventKind.TRACK_ENDED,
                    track=f"{camera_id}:1:1",
                    at_ms=self.at_ms + 1_000,
                    frame_path=frame_path(camera_id, self.at_ms),
                    crops=[self._crop(camera_id)],
                )
            )
        self.services.client.xadd(keys.events(), {"event": b'{"camera_id": "vault", "kind": "no such kind"}'})
        settle(stored.writer())
        for camera_id in (SEEN, HIDDEN):
            stored.publish(track_event(2, camera_id=camera_id, track=f"{camera_id}:1:1", at_ms=self.at_ms + 1_500))

    def _crop(self, camera_id: str) -> Crop:
        path = crop_path(CropName(camera_id, self.at_ms, 1, 7))
        self.services.crops.save(path, f"crop of {camera_id}".encode())
        return Crop(
            path=path,
            captured_at_ms=self.at_ms,
            xyxy=(10, 20, 30, 60),
            width=24,
            height=48,
            confidence=0.9,
            quality=0.8,
        )

    def _see_people(self) -> None:
        """Let each camera have seen somebody alone, and both somebody together; all are named and watched for."""
        engine = self.services.registry.engine
        gallery = Gallery(engine, self.services.client, Path(self.services.settings.data_dir))
        gallery.crops = self.services.crops
        wishes, changing = self.services.identities.wishes, self.services.identities.changes
        for person, part, camera_id in ((1, 1, SEEN), (2, 1, HIDDEN), (3, 3, SEEN), (3, 3, HIDDEN)):
            for sighting in (1, 2):
                track = f"{camera_id}:{part}:{sighting}"
                gallery.see(person, track, camera=camera_id, at_ms=self.at_ms - 3_600_000 + sighting * 60_000)
        for path in self._files(HIDDEN):
            if "crops" in path.parts:
                path.write_bytes(f"crop {path.name} of the hidden camera".encode())
        settle_gallery(gallery.writer())
        for camera_id, name in ((SEEN, "Somebody seen"), (HIDDEN, "Somebody hidden")):
            found, wanted = gallery.identity_of(f"{camera_id}:1:1"), identity_of(camera_id)
            with engine.begin() as connection:
                for table in (identities, sightings):
                    connection.execute(update(table).where(table.c.identity == found).values(identity=wanted))
            self.changes[camera_id] = changing.rename(wanted, name)
            note = "hidden note" if camera_id == HIDDEN else "a note"
            self.watches[camera_id] = wishes.watch(wanted, note)

    def _say_ways(self) -> None:
        rows = [(SEEN, HIDDEN), (HIDDEN, SEEN), (SEEN, SEEN)]
        values = {"source": "said", "shortest_ms": 1_000, "longest_ms": 9_000, "is_impossible": False}
        with self.services.registry.engine.begin() as connection:
            connection.execute(
                insert(transit_times), [{"from_camera": here, "to_camera": there, **values} for here, there in rows]
            )

    # --- what requests name ------------------------------------------------------------------------------------------

    def values(self, camera_id: str, fresh: str, number: int) -> dict[str, Any]:
        """Return the names that requests about a camera have in them.

        Args:
            camera_id: Which one; of `ABSENT` they are of nothing.
            fresh: Method that makes what is changed, if anything is.
            number: Another one each time that something is made.
        """
        self._report()
        found: dict[str, Any] = {
            "camera": camera_id,
            "identity": identity_of(camera_id),
            "track": f"{camera_id}:1:1",
            "event": f"{camera_id}:1:1",
            "change": self.changes.get(camera_id, 90_000),
            "watch": self.watches.get(camera_id, "watch-000000000000"),
            "name": "Somebody hidden" if camera_id == HIDDEN else "Somebody seen",
            "other": identity_of(camera_id),
            "at": self.at_ms,
            "start": self.at_ms,
            "end": self.at_ms + 1_000,
            "n": number,
            "link": self.link,
        }
        return found | (getattr(self, fresh)(camera_id, number) if fresh else {})

    @cached_property
    def link(self) -> str:
        """A link to a picture of the camera that all see."""
        path = f"/api/v1/cameras/{SEEN}/recorded.jpg?at_ms={self.at_ms}"
        answer = self.clients["operator"].post("/api/v1/links", json={"path": path, "expires_seconds": 600})
        assert answer.status_code == 201, answer.text
        return str(answer.json["path"]) if answer.json else ""

    def newcomer(self, camera_id: str, number: int) -> dict[str, Any]:
        """Let a camera have seen somebody else twice; return what requests call him by. Of `ABSENT` there is nobody."""
        other, tracks = f"id-new-{camera_id}-{number}", [f"{camera_id}:8{number}:{place}" for place in (1, 2)]
        named: dict[str, Any] = {"other": other, "track": tracks[0]}
        if camera_id == ABSENT:
            return named | {"change": 90_000 + number, "watch": "watch-000000000000"}
        engine, at_ms = self.services.registry.engine, self.at_ms
        with engine.begin() as connection:
            template = connection.execute(select(sightings).where(sightings.c.track == f"{camera_id}:1:1")).one()
            connection.execute(insert(identities).values(identity=other, created_at_ms=at_ms))
            rows = [{**template._mapping, "track": track, "identity": other} for track in tracks]
            connection.execute(insert(sightings), rows)
        made = self.services.identities
        return named | {"change": made.changes.rename(other, "somebody new"), "watch": made.wishes.watch(other)}

    def spare_user(self, _camera_id: str, number: int) -> dict[str, Any]:
        """Let there be a user."""
        self.guarded.user(f"spare{number}")
        return {}

    def spare_token(self, _camera_id: str, number: int) -> dict[str, Any]:
        """Let there be a token."""
        self.services.accounts.tokens.add(f"spare{number}", Role.VIEWER, created_by="root")
        return {}

    def register_again(self, camera_id: str) -> None:
        """Put a camera back that was removed."""
        name, host = _CAMERAS[camera_id]
        self.state.camera(camera_id, name=name, url=f"rtsp://{host}/stream1")

    @cached_property
    def hidden_bytes(self) -> list[bytes]:
        """A piece out of the middle of every file of the hidden camera, which no file of the other one has."""
        seen = b"".join(path.read_bytes() for path in self._files(SEEN))
        pieces = []
        for path in self._files(HIDDEN):
            data = path.read_bytes()
            pieces.append(data[len(data) // 2 :][:48])
            assert len(pieces[-1]) >= 10, path
            assert pieces[-1] not in seen, path
        return pieces

    def _files(self, camera_id: str) -> list[Path]:
        root = self.services.store.root
        return [path for path in (root / camera_id).rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
def permission_farm(tmp_path_factory: pytest.TempPathFactory, valkey_server: ValkeyServer) -> Iterator[PermissionFarm]:
    """One farm for all requests of a file."""
    folder = tmp_path_factory.mktemp("permissions")
    with valkey_server.client() as client:
        client.flushall()
    guarded = guarded_farm_at(guarded_settings(folder, valkey_server.url))
    farm = PermissionFarm(guarded, folder)
    farm.fill()
    yield farm
    guarded.services.close()
