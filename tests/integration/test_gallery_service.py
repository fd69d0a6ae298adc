"""The gallery as it runs in ReID processes, and the API in front of it: real threads, a real Valkey, both databases."""

import importlib
import json
import struct
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pytest
import redis
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from camera_ctrler.api.app import create_app
from camera_ctrler.api.services import services_of
from camera_ctrler.identities.asking import UnusablePictureError, check_picture
from contract import keys
from contract.events import EventKind
from contract.gallery import MAX_PICTURE_BYTES
from reid.gallery.embedding_rows import EmbeddingRows
from reid.search.person_finder import PersonFinder
from runtime.settings import ControllerSettings, ReidSettings
from tests.support.event_stores import StoredEvents, settle
from tests.support.farm_state import settings_for
from tests.support.galleries import Gallery
from tests.support.gallery_services import jpeg, portrait, running, see_portrait
from tests.support.needs import SHARED_DATA
from tests.support.processes import wait_until
from tests.support.valkey_server import ValkeyServer
from tests.support.weights import CACHE_DIR, yolo11n

PATIENCE = 10.0
MINUTE_MS = 60_000


@dataclass
class Place:
    """A gallery, the API in front of it, and the settings of both."""

    gallery: Gallery
    api: FlaskClient
    settings: ReidSettings
    now_ms: int

    def get(self, path: str, status: int = 200) -> Any:
        """Return what the API answers."""
        answer = self.api.get(f"/api/v1{path}")
        assert answer.status_code == status, answer.text
        return answer.json

    def see(self, person: int, track: str, camera: str = "lobby", after_ms: int = 0) -> None:
        """Let a camera see somebody some time after the first."""
        see_portrait(self.gallery, person, track, camera=camera, at_ms=self.now_ms + after_ms)

    def decided(self, *tracks: str) -> None:
        """Wait until tracks are decided on."""

        def all_are() -> bool:
            return all(self.api.get(f"/api/v1/sightings/{track}").status_code == 200 for track in tracks)

        wait_until(all_are, "tracks to be decided on", PATIENCE)

    def searched(self) -> None:
        """Wait until searches are answered."""
        wait_until(lambda: bool(self.gallery.client.exists(keys.gallery_answering())), "an answer", PATIENCE)


@contextmanager
def _place(engine: Engine, server: ValkeyServer, client: redis.Redis, folder: Path) -> Iterator[Place]:
    controller = _on(engine, settings_for(folder, server.url))
    app = create_app(controller)
    settings = ReidSettings(
        redis_url=server.url,
        data_dir=folder,
        frames_dir=controller.frames_dir,
        database_url=controller.database_url,
        models_dir=CACHE_DIR,
        lease_seconds=1.0,
    )
    now_ms = time.time_ns() // 1_000_000 - 10 * MINUTE_MS
    yield Place(Gallery(engine, client, folder), app.test_client(), settings, now_ms)
    services_of(app).close()


@pytest.fixture
def place(valkey_server: ValkeyServer, sqlite_gallery: Gallery, tmp_path: Path) -> Iterator[Place]:
    """An empty gallery with an API."""
    with _place(sqlite_gallery.engine, valkey_server, sqlite_gallery.client, tmp_path) as found:
        yield found


@pytest.fixture
def any_place(valkey_server: ValkeyServer, gallery: Gallery, tmp_path: Path) -> Iterator[Place]:
    """The same on each kind of database."""
    with _place(gallery.engine, valkey_server, gallery.client, tmp_path) as found:
        yield found


def _on(engine: Engine, settings: ControllerSettings) -> ControllerSettings:
    url = engine.url.render_as_string(hide_password=False)
    return ControllerSettings.model_validate(settings.model_dump() | {"database_url": url})


def test_searches_by_track_identity_and_picture_find_who_was_seen_elsewhere(any_place: Place) -> None:
    """Given one person seen by two cameras among others, each way to search finds both tracks, with their crops."""
    place = any_place
    yolo11n()
    for person in range(6):
        place.see(person, f"lobby:1:{person}")
        place.see(person + 20, f"yard:1:{person + 20}", "yard")
    place.see(3, "yard:1:3", "yard", MINUTE_MS)
    with running(place.settings, place.gallery.engine):
        place.decided("yard:1:3")
        place.searched()
        found = place.get("/sightings/lobby:1:3/similar?limit=3")
        assert (found["items"][0]["track"], found["complete"]) == ("yard:1:3", True)
        assert found["items"][0]["similarity"] > 0.6
        assert found["items"][1]["similarity"] < 0.4
        assert place.api.get(found["items"][0]["crop_url"]).data[:2] == b"\xff\xd8"

        sighting = place.get("/sightings/yard:1:3")
        assert sighting["identity"] == place.get("/sightings/lobby:1:3")["identity"]
        same = place.get(f"/identities/{sighting['identity']}/similar?limit=2")
        assert {each["track"] for each in same["items"]} == {"lobby:1:3", "yard:1:3"}
        journey = place.get(f"/identities/{sighting['identity']}/journey")
        assert [each["camera_id"] for each in journey["items"]] == ["lobby", "yard"]

        answer = place.api.post(
            "/api/v1/searches/picture?limit=2", data=jpeg(portrait(3, 77)), content_type="image/jpeg"
        )
        assert answer.status_code == 200, answer.text
        assert answer.json is not None
        assert {each["track"] for each in answer.json["items"]} == {"lobby:1:3", "yard:1:3"}

        only_yard = place.get("/sightings/lobby:1:3/similar?camera=yard&limit=100")
        assert {each["camera_id"] for each in only_yard["items"]} == {"yard"}
        assert len(only_yard["items"]) == 7
        later = place.get(f"/sightings/lobby:1:3/similar?from_ms={place.now_ms + MINUTE_MS}")
        assert [each["track"] for each in later["items"]] == ["yard:1:3"]


def test_every_process_answers_alike_and_has_what_was_just_stored(place: Place, tmp_path: Path) -> None:
    """Given two processes of two hosts, whichever answers a search, the answer has the newest and is the same."""
    elsewhere = place.settings.model_copy(update={"data_dir": tmp_path / "elsewhere"})
    with running(place.settings, place.gallery.engine) as one, running(elsewhere, place.gallery.engine) as two:
        place.searched()
        for person in range(8):
            place.see(person, f"lobby:1:{person}")
        place.decided("lobby:1:7")
        answers = [place.get("/sightings/lobby:1:0/similar?limit=10") for _ in range(12)]
        assert all(answer == answers[0] for answer in answers)
        assert len(answers[0]["items"]) == 7
        wait_until(lambda: len(one.index) == len(two.index) == 24, "both to have all", PATIENCE)
        assert one.index.search(np.eye(1, 64, dtype=np.float32), 5)[0].tolist() == (
            two.index.search(np.eye(1, 64, dtype=np.float32), 5)[0].tolist()
        )


def test_a_gallery_tells_prometheus_how_it_does(place: Place) -> None:
    """Given a gallery that follows, decides and answers, its figures say so, and how long a search took."""
    with running(place.settings, place.gallery.engine) as service:
        for person in range(4):
            place.see(person, f"lobby:1:{person}")
        place.decided("lobby:1:3")
        place.searched()
        assert len(place.get("/sightings/lobby:1:0/similar")["items"]) == 3
        registry = CollectorRegistry()
        registry.register(service.collector())
        figures = {
            "farm_gallery_embeddings": 12.0,
            "farm_gallery_segments": 1.0,
            "farm_gallery_added_total": 12.0,
            "farm_gallery_behind": 0.0,
            "farm_gallery_decides": 1.0,
            "farm_gallery_identities": 4.0,
            "farm_gallery_undecided": 0.0,
        }
        wait_until(lambda: registry.get_sample_value("farm_gallery_undecided") == 0.0, "all to be decided on", PATIENCE)
        assert {name: registry.get_sample_value(name) for name in figures} == figures
        # Each track was searched for, and one by people.
        assert (registry.get_sample_value("farm_gallery_search_seconds_count") or 0.0) >= 5.0
        assert (registry.get_sample_value("farm_gallery_search_seconds_sum") or 0.0) > 0.0


def test_when_the_writer_dies_another_one_goes_on(place: Place, tmp_path: Path) -> None:
    """Given two processes, when the one that decides ends, the other one decides what comes then."""
    elsewhere = place.settings.model_copy(update={"data_dir": tmp_path / "elsewhere"})
    with running(place.settings, place.gallery.engine):
        place.see(1, "lobby:1:1")
        place.decided("lobby:1:1")
        with running(elsewhere, place.gallery.engine):
            place.see(2, "lobby:1:2")
            place.decided("lobby:1:2")
            # As if the process had been killed: its lease runs out, nothing is given back.
            place.gallery.client.set(keys.gallery_writer_lease(), "somebody who is dead", px=500)
            place.see(1, "yard:1:1", "yard", MINUTE_MS)
            place.decided("yard:1:1")
    assert place.gallery.identity_of("yard:1:1") == place.gallery.identity_of("lobby:1:1") is not None


def test_a_watched_identity_is_told_of_once_and_in_time(any_place: Place) -> None:
    """Given somebody on the watch list, with each track comes one event within two seconds, however long it lasts."""
    place = any_place
    with running(place.settings, place.gallery.engine):
        place.see(1, "lobby:1:1")
        place.see(2, "lobby:1:2")
        place.decided("lobby:1:1", "lobby:1:2")
        identity = place.get("/sightings/lobby:1:1")["identity"]
        answer = place.api.post("/api/v1/watch-list", json={"identity": identity, "note": "call the desk"})
        assert answer.status_code == 201, answer.text
        assert answer.json is not None
        watch = answer.json["watch"]
        assert place.get("/watch-list")["items"][0]["watch"] == watch

        began = time.monotonic()
        place.see(1, "yard:1:1", "yard", MINUTE_MS)
        wait_until(lambda: len(_told(place)) == 1, "an event", PATIENCE)
        assert time.monotonic() - began < 2.0
        place.see(2, "yard:1:2", "yard", MINUTE_MS)
        place.decided("yard:1:2")
        time.sleep(0.5)
    (told,) = _told(place)
    assert told["event_id"] == f"watch:{watch}:yard:1:1"
    assert (told["identity"], told["camera_id"], told["track"], told["number"]) == (identity, "yard", "yard:1:1", 0)
    assert told["similarity"] > 0.4
    page = place.get("/events?kind=identity_seen")
    assert [each["event_id"] for each in page["items"]] == [f"watch:{watch}:yard:1:1"]
    stored = StoredEvents(place.gallery.engine, place.gallery.client)
    settle(stored.writer())
    place.gallery.client.delete(keys.events())
    (kept,) = place.get("/events?kind=identity_seen")["items"]
    assert (kept["event_id"], kept["identity"], kept["watch"]) == (told["event_id"], identity, watch)
    assert place.api.delete(f"/api/v1/watch-list/{watch}").status_code == 204
    assert place.get("/watch-list")["items"] == []


def _told(place: Place) -> list[dict[str, Any]]:
    entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", place.gallery.client.xrange(keys.events()))
    events = [json.loads(fields[b"event"]) for _, fields in entries]
    return [each for each in events if each["kind"] == EventKind.IDENTITY_SEEN]


def test_what_cannot_be_answered_says_why(place: Place) -> None:
    """Given unknown tracks and identities, pictures that are none, too large or empty, and nobody who answers."""
    assert place.get("/identities/id-nobody/similar", 404)["type"] == "urn:camfarm:problem:identity-not-found"
    assert place.get("/sightings/lobby:1:99/similar", 404)["type"] == "urn:camfarm:problem:sighting-not-found"
    for data, problem in (
        (b"no picture", "is no picture"),
        (b"", "is no picture"),
        (_black_png(8_000, 5_001), "8000x5001 pixels"),
        (jpeg(portrait(1))[:50], "is no picture"),
    ):
        answer = place.api.post("/api/v1/searches/picture", data=data, content_type="image/jpeg")
        assert answer.status_code == 422, answer.text
        assert answer.json is not None
        assert problem in answer.json["detail"]
    wrong = place.api.post("/api/v1/searches/picture", data=b"x", content_type="text/plain")
    assert wrong.status_code == 415
    limit = services_of(place.api.application).settings.api_max_body_bytes
    large = place.api.post("/api/v1/searches/picture", data=bytes(limit + 1), content_type="image/jpeg")
    assert large.status_code == 413
    with pytest.raises(UnusablePictureError, match="bytes"):
        check_picture(bytes(MAX_PICTURE_BYTES + 1))
    away = place.api.post("/api/v1/searches/picture", data=jpeg(portrait(1)), content_type="image/jpeg")
    assert away.status_code == 503
    assert away.json is not None
    assert "python -m reid" in away.json["detail"]


def test_a_picture_that_is_none_is_refused_where_ultralytics_has_changed_pillow_too() -> None:
    """Given a process in which Ultralytics is loaded, whose Pillow asks for a package that is not installed."""
    importlib.import_module("ultralytics.utils.patches")
    with pytest.raises(UnusablePictureError, match="is no picture"):
        check_picture(b"no picture")


def test_a_picture_without_a_person_is_refused_and_others_are_answered_after_it(place: Place) -> None:
    """Given a picture of nobody and one cut short, each says so, and the next search is answered."""
    yolo11n()
    place.see(1, "lobby:1:1")
    see_portrait(place.gallery, 1, "lobby:1:2", camera="lobby", at_ms=place.now_ms + MINUTE_MS, version="other")
    with running(place.settings, place.gallery.engine):
        place.decided("lobby:1:1")
        place.searched()
        wide = np.full((200, 300, 3), 90, np.uint8)
        answer = place.api.post("/api/v1/searches/picture", data=jpeg(wide), content_type="image/jpeg")
        assert answer.status_code == 422
        assert "nobody is seen in this picture of 300x200" in answer.text
        cut = place.api.post("/api/v1/searches/picture", data=jpeg(portrait(1))[:600], content_type="image/jpeg")
        assert cut.status_code in {200, 422}, cut.text
        assert place.get("/sightings/lobby:1:1/similar")["items"] == []
        assert not place.gallery.client.keys("farm:gallery:picture:*")


@pytest.mark.shared_data
def test_the_person_in_a_picture_is_found() -> None:
    """Given a frame of a plaza, the largest person of several is found; given a car alone, nobody."""
    finder = PersonFinder("yolo11n", yolo11n().path.parent)
    capture = cv2.VideoCapture(str(SHARED_DATA / "videos" / "multicam_caesar" / "cam1.mp4"))
    capture.set(cv2.CAP_PROP_POS_FRAMES, 100)
    done, frame = capture.read()
    capture.release()
    assert done
    person = finder.find(np.asarray(frame, np.uint8))
    assert person is not None
    assert person.persons >= 2
    left, top, right, bottom = person.xyxy
    assert 0 <= left < right <= frame.shape[1]
    assert bottom - top > right - left
    assert person.image.shape[0] >= bottom - top


def _black_png(width: int, height: int) -> bytes:
    """Return a small file of a large picture: a bit a pixel, all of them black."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + bytes(width // 8)) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_gallery_is_embedded_anew_for_another_model_and_goes_on_where_it_was(place: Place) -> None:
    """Given embeddings of a former model, the new one embeds their crops again, without those that are gone."""
    for person in range(5):
        place.see(person, f"lobby:1:{person}")
    with running(place.settings, place.gallery.engine):
        place.decided("lobby:1:4")
    before = place.gallery.identity_of("lobby:1:2")
    with place.gallery.engine.connect() as connection:
        paths = EmbeddingRows("test-1", 64).of_tracks(connection, ["lobby:1:0"]).crop_paths
    place.gallery.crops.delete(paths[0])
    with running(place.settings, place.gallery.engine, "test-2"):
        wait_until(lambda: len(place.get("/galleries")["items"]) == 2, "the new gallery", PATIENCE)
        services_of(place.api.application).identities.wishes.reembed()
        wait_until(lambda: place.get("/galleries")["items"][0]["reembedded"] == 14, "all to be embedded", PATIENCE)
        wait_until(lambda: not place.get("/galleries")["items"][0]["reembedding_from"], "the end", PATIENCE)
        newest, former = place.get("/galleries")["items"]
        assert (newest["version"], newest["embeddings"], newest["reembed_lost"]) == ("test-2", 14, 1)
        assert (former["version"], former["embeddings"]) == ("test-1", 15)
        place.searched()
        found = place.get("/sightings/lobby:1:2/similar?limit=10")
        assert (found["version"], len(found["items"])) == ("test-2", 4)
    assert place.gallery.identity_of("lobby:1:2") == before
