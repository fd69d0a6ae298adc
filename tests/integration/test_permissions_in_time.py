"""What ends when somebody may see less than before: streams that are open, links that were given away, changes."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from contract.accounts import Role
from contract.recognition import RecognitionState
from database.recognitions import recognitions
from tests.support.event_stores import StoredEvents, track_event
from tests.support.permission_farm import HIDDEN, SEEN, PermissionFarm
from tests.support.processes import wait_until

#: Longest time for which somebody may go on seeing what was taken from him.
FEW_SECONDS = 5.0


@dataclass
class Open:
    """A long answer that somebody reads on a thread of his own."""

    client: FlaskClient
    path: str
    received: bytes = b""
    ended: bool = False
    _thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        """Begin to read, and wait until something has come."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        wait_until(lambda: bool(self.received), f"{self.path} begins", 20)

    def _run(self) -> None:
        answer = self.client.get(self.path)
        assert answer.status_code == 200, answer.text
        for part in answer.iter_encoded():
            self.received += part
        self.ended = True

    def ends(self) -> None:
        """Wait until it has ended, which it must soon."""
        began = time.monotonic()
        wait_until(lambda: self.ended, f"{self.path} ends", FEW_SECONDS)
        assert time.monotonic() - began < FEW_SECONDS


def _fresh(farm: PermissionFarm, name: str, role: Role = Role.VIEWER) -> FlaskClient:
    """Return a client of a new user who sees both cameras."""
    farm.guarded.user(name, role, {SEEN, HIDDEN})
    return farm.guarded.logged_in(name)


STREAMS = ("/api/v1/events/stream", f"/api/v1/cameras/{HIDDEN}/live.mjpeg", f"/api/v1/live?camera={HIDDEN}")


@pytest.mark.parametrize("path", STREAMS)
@pytest.mark.parametrize(
    "change",
    [
        lambda farm, name: farm.services.accounts.change_user(name, {"cameras": frozenset({SEEN})}),
        lambda farm, name: farm.services.accounts.change_user(name, {"disabled": True}),
    ],
    ids=["camera_taken", "locked_out"],
)
def test_what_is_open_ends_soon_after_it_was_forbidden(
    permission_farm: PermissionFarm, path: str, change: Callable[[PermissionFarm, str], None]
) -> None:
    """Given somebody who watches, when the camera is taken from him or he is locked out, then it ends in seconds."""
    name = f"watcher{next(permission_farm.numbers)}"
    stream = Open(_fresh(permission_farm, name), path)
    time.sleep(0.3)
    assert not stream.ended
    change(permission_farm, name)
    stream.ends()


def test_who_listens_hears_only_of_cameras_that_he_sees(permission_farm: PermissionFarm) -> None:
    """Given a guard of one camera and a viewer of all, when both cameras have an event, then the guard hears of one."""
    guard, viewer = (Open(permission_farm.clients[each], "/api/v1/events/stream") for each in ("guard", "viewer"))
    stored = StoredEvents(permission_farm.services.registry.engine, permission_farm.services.client)
    for camera_id in (HIDDEN, SEEN):
        stored.publish(track_event(77, camera_id=camera_id, track=f"{camera_id}:1:77"))
    for listener in (guard, viewer):
        wait_until(lambda listener=listener: f"{SEEN}:1:77".encode() in listener.received, "it is heard", 20)  # type: ignore[misc]
    assert f"{HIDDEN}:1:77".encode() in viewer.received
    assert HIDDEN.encode() not in guard.received
    permission_farm.services.event_hub.wake_all()


# --- links -----------------------------------------------------------------------------------------------------------


def _link(farm: PermissionFarm, client: FlaskClient, camera_id: str = HIDDEN) -> str:
    path = f"/api/v1/cameras/{camera_id}/recorded.jpg?at_ms={farm.at_ms}"
    answer = client.post("/api/v1/links", json={"path": path, "expires_seconds": 600})
    assert answer.status_code == 201, answer.text
    assert answer.json is not None
    return str(answer.json["path"])


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda farm, name: farm.services.accounts.change_user(name, {"cameras": frozenset({SEEN})}), 404),
        (lambda farm, name: farm.services.accounts.change_user(name, {"role": "viewer"}), 403),
        (lambda farm, name: farm.services.accounts.change_user(name, {"disabled": True}), 403),
        (lambda farm, name: farm.services.accounts.remove_user(name), 403),
    ],
    ids=["camera_taken", "no_operator_any_more", "locked_out", "removed"],
)
def test_a_link_ends_with_the_right_of_who_made_it(
    permission_farm: PermissionFarm, change: Callable[[PermissionFarm, str], None], status: int
) -> None:
    """Given a link that an operator made, when he may not see or share the camera any more, then it stops working."""
    name = f"sharer{next(permission_farm.numbers)}"
    path = _link(permission_farm, _fresh(permission_farm, name, Role.OPERATOR))
    visitor = permission_farm.clients["none"]
    assert visitor.get(path).status_code == 200
    change(permission_farm, name)
    assert visitor.get(path).status_code == status


def test_somebody_of_the_same_name_does_not_revive_a_link(permission_farm: PermissionFarm) -> None:
    """Given the link of a user who was removed, when another one gets his name, then it stays dead."""
    name = f"sharer{next(permission_farm.numbers)}"
    path = _link(permission_farm, _fresh(permission_farm, name, Role.OPERATOR))
    permission_farm.services.accounts.remove_user(name)
    time.sleep(0.01)
    _fresh(permission_farm, name, Role.OPERATOR)
    assert permission_farm.clients["none"].get(path).status_code == 403


def test_a_link_ends_with_the_token_that_made_it(permission_farm: PermissionFarm) -> None:
    """Given a link that a program made, when its token is revoked, then it stops working."""
    path = _link(permission_farm, permission_farm.guarded.program("sharing", Role.OPERATOR))
    assert permission_farm.clients["none"].get(path).status_code == 200
    permission_farm.services.accounts.revoke_token("sharing")
    assert permission_farm.clients["none"].get(path).status_code == 403


def test_a_link_leads_nowhere_else_for_whoever_uses_it(permission_farm: PermissionFarm) -> None:
    """Given the link of an admin to one picture, then another address, camera or operation behind it is refused."""
    path = _link(permission_farm, permission_farm.clients["admin"], SEEN)
    token = path.split("/")[4]
    for address in (
        f"cameras/{HIDDEN}/recorded.jpg?at_ms={permission_farm.at_ms}",
        f"cameras/{SEEN}/recorded.jpg?at_ms={permission_farm.at_ms + 1}",
        f"cameras/{SEEN}/clip.mp4",
        "users",
        "audit",
        f"cameras/{SEEN}/../{HIDDEN}/recorded.jpg?at_ms={permission_farm.at_ms}",
        f"cameras/{SEEN}%2f..%2f{HIDDEN}/recorded.jpg?at_ms={permission_farm.at_ms}",
    ):
        for caller in ("none", "guard"):
            answer = permission_farm.clients[caller].get(f"/api/v1/links/{token}/{address}")
            assert answer.status_code in {403, 404}, address
            assert b"JFIF" not in answer.data


def test_nobody_makes_a_link_to_what_he_may_not_see(permission_farm: PermissionFarm) -> None:
    """Given an operator of one camera, when he asks for links to another one or its events, then 404, as of nothing."""
    keeper = permission_farm.clients["keeper"]
    for path in (
        f"/api/v1/cameras/{HIDDEN}/clip.mp4?from_ms=1&to_ms=2",
        f"/api/v1/cameras/{HIDDEN}/recordings.m3u8",
        f"/api/v1/events/{HIDDEN}:1:1/picture.jpg",
        f"/api/v1/events/{HIDDEN}:1:1/clip.mp4",
    ):
        for made in (path, path.replace(HIDDEN, "atlas")):
            assert keeper.post("/api/v1/links", json={"path": made, "expires_seconds": 60}).status_code == 404, made


# --- changes, cursors, paths -----------------------------------------------------------------------------------------


def _dead(farm: PermissionFarm, camera_id: str) -> int:
    query = select(recognitions).where(
        recognitions.c.camera_id == camera_id, recognitions.c.state == RecognitionState.DEAD
    )
    with farm.services.registry.engine.connect() as connection:
        return len(connection.execute(query).all())


@pytest.mark.parametrize(
    "act",
    [
        lambda keeper: keeper.post("/api/v1/recognitions/replay", json={}),
        lambda keeper: keeper.delete("/api/v1/recognitions"),
        lambda keeper: keeper.post("/api/v1/recognitions/replay", json={"camera": [HIDDEN]}),
        lambda keeper: keeper.delete(f"/api/v1/recognitions?camera={HIDDEN}"),
    ],
    ids=["replay_all", "delete_all", "replay_hidden", "delete_hidden"],
)
def test_dead_letters_of_a_hidden_camera_are_left_alone(
    permission_farm: PermissionFarm, act: Callable[[FlaskClient], object]
) -> None:
    """Given dead letters of both cameras, when who sees one replays or deletes them all, the other one's stay."""
    number = next(permission_farm.numbers)
    for camera_id in (SEEN, HIDDEN):
        permission_farm.state.recognition(f"{camera_id}:2:{number}", "colours", RecognitionState.DEAD)
    before = _dead(permission_farm, HIDDEN)
    act(permission_farm.clients["keeper"])
    assert _dead(permission_farm, HIDDEN) == before


def test_somebody_hidden_is_not_to_be_merged_with(permission_farm: PermissionFarm) -> None:
    """Given an identity that is seen, when it is merged with one of hidden cameras, or given a sighting, then 404."""
    keeper = permission_farm.clients["keeper"]
    here, there = (permission_farm.newcomer(camera_id, 4_000) for camera_id in (SEEN, HIDDEN))
    path = f"/api/v1/identities/{here['other']}"
    assert keeper.post(f"{path}/merge", json={"other": there["other"]}).status_code == 404
    assert keeper.post(f"{path}/split", json={"tracks": [there["track"]]}).status_code == 404
    assigned = keeper.put(f"/api/v1/sightings/{here['track']}/identity", json={"identity": there["other"]})
    assert assigned.status_code == 404


def test_an_identity_that_both_saw_has_only_the_sightings_that_may_be_seen(permission_farm: PermissionFarm) -> None:
    """Given somebody whom both cameras saw, then who sees one is told of its sightings, camera and crop alone."""
    shared = permission_farm.clients["guard"].get(f"/api/v1/sightings/{SEEN}:3:1").json
    assert shared is not None
    path = f"/api/v1/identities/{shared['identity']}"
    for caller, cameras, count in (("guard", [SEEN], 2), ("viewer", [SEEN, HIDDEN], 4)):
        client = permission_farm.clients[caller]
        told, way = client.get(path).json, client.get(f"{path}/journey").json
        assert told is not None
        assert way is not None
        assert (sorted(told["cameras"]), told["sightings"], len(way["items"])) == (cameras, count, count)


def test_a_cursor_of_somebody_who_sees_all_shows_nobody_more(permission_farm: PermissionFarm) -> None:
    """Given cursors that an admin was given, when a guard goes on with them, then he reads of his camera alone."""
    for path in ("/api/v1/cameras", "/api/v1/status", "/api/v1/events", "/api/v1/moves", "/api/v1/sightings"):
        page = permission_farm.clients["admin"].get(f"{path}?limit=1").json
        assert page is not None
        cursor = page["next_cursor"]
        seen = 0
        while cursor is not None:
            answer = permission_farm.clients["guard"].get(f"{path}?limit=1&cursor={cursor}")
            assert answer.status_code == 200, answer.text
            assert HIDDEN not in answer.text
            assert answer.json is not None
            cursor = answer.json["next_cursor"]
            seen += 1
        assert seen > 0, path


@pytest.mark.parametrize(
    "address",
    [
        f"cameras/{SEEN}/../{HIDDEN}/snapshot.jpg",
        f"cameras/{SEEN}%2f..%2f{HIDDEN}/snapshot.jpg",
        f"cameras/{SEEN}/%2e%2e/{HIDDEN}/snapshot.jpg",
        f"cameras/..%2f{HIDDEN}/snapshot.jpg",
        f"cameras/{HIDDEN.upper()}/snapshot.jpg",
        f"cameras/{HIDDEN}%00/snapshot.jpg",
        f"cameras/{HIDDEN}%20/snapshot.jpg",
        f"cameras//{HIDDEN}/snapshot.jpg",
        f"cameras/{SEEN};{HIDDEN}/snapshot.jpg",
        f"cameras/{SEEN}/frames/..%2f..%2f{HIDDEN}%2f1.jpg",
        f"cameras/{SEEN}/recordings/..%2f..%2f{HIDDEN}/init.mp4",
        f"events/{SEEN}%2f..%2f{HIDDEN}:1:1/picture.jpg",
        f"sightings/{HIDDEN}:1:1/../../sightings/{HIDDEN}:1:1/crop.jpg",
        f"../../static/../../{HIDDEN}",
    ],
)
def test_no_spelling_of_a_path_leads_to_a_hidden_camera(permission_farm: PermissionFarm, address: str) -> None:
    """Given ways to write a path that servers read differently, then a guard gets no picture by any of them."""
    answer = permission_farm.clients["guard"].get(f"/api/v1/{address}", follow_redirects=True)
    assert answer.status_code in {400, 404, 405}, answer.status
    assert not [piece for piece in permission_farm.hidden_bytes if piece in answer.data]
