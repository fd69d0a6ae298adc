"""Clips of recorded footage: times, exact cuts, gaps, changes of the stream, digests, ranges, metadata."""

import base64
import hashlib
import io
import re
import threading
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest
from flask.testing import FlaskClient

from camera_ctrler.api.resources import exports
from camera_ctrler.playback.clip_writer import ClipWriter
from camera_ctrler.playback.errors import ClipInterruptedError
from camera_ctrler.playback.exporter import Exporter
from camera_ctrler.playback.recorded_files import FootageGoneError, RecordedFiles
from camera_ctrler.recordings.files import FootageFiles
from tests.support.footage import Look, cut_into_last_fragment, read_time, remove_moov
from tests.support.recorded_camera import SMALL, START, RecordedCamera

CAMERA = "/api/v1/cameras/lobby"
REORDERED = Look(size=(320, 180), gop=50, b_frames=2)
#: Fragments end within groups of pictures, before pictures that others are decoded for first.
LATE = Look(size=(320, 180), fps=30, gop=60, b_frames=2)
LOUD = Look(size=(320, 180), gop=25, sound=True)


@dataclass
class Clip:
    """A clip that was decoded."""

    headers: Any
    data: bytes
    #: Time in the clip (ms), time burnt in (Unix ms).
    pictures: list[tuple[int, int | None]]
    metadata: dict[str, str]
    sound_seconds: float
    size: tuple[int, int]

    @property
    def burnt(self) -> list[int | None]:
        """Times burnt into the pictures."""
        return [burnt for _, burnt in self.pictures]


def decoded(data: bytes, headers: Any = None) -> Clip:
    """Decode a clip entirely; a damaged one raises."""
    with av.open(io.BytesIO(data), "r", format="mp4") as container:
        video = container.streams.video[0]
        video.codec_context.thread_count = 1
        pictures = [
            (round(frame.pts * video.time_base * 1000), read_time(frame.to_ndarray(format="gray")))
            for frame in container.decode(video)
            if frame.pts is not None and video.time_base is not None
        ]
        metadata, size = dict(container.metadata), (video.width, video.height)
    heard = 0.0
    with av.open(io.BytesIO(data), "r", format="mp4") as container:
        if container.streams.audio:
            heard = sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))
    return Clip(headers, data, pictures, metadata, heard, size)


def clip(api: FlaskClient, from_ms: int, to_ms: int, query: str = "") -> Clip:
    """Ask for a clip and decode it."""
    answer = api.get(f"{CAMERA}/clip.mp4?from_ms={from_ms}&to_ms={to_ms}{query}")
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "video/mp4"
    return decoded(answer.data, answer.headers)


def assert_in_step(found: Clip) -> None:
    """Assert that the time in the clip and the time burnt in go on together from the first picture on."""
    assert found.pictures[0][0] == 0
    for (before, burnt_before), (after, burnt_after) in pairwise(found.pictures):
        assert burnt_before is not None
        assert burnt_after is not None
        assert abs((after - before) - (burnt_after - burnt_before)) <= 1


def test_a_clip_is_the_cameras_own_stream_from_the_keyframe_before(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given two files, then a clip over their border has every picture once and not one byte of them is changed."""
    lobby.record(START, 2, seconds=4.0, look=LOUD)
    found = clip(api, START + 2_300, START + 6_500)
    assert found.burnt == list(range(START + 2_000, START + 6_500, 40))
    assert_in_step(found)
    assert found.sound_seconds == pytest.approx(4.5, abs=0.15)
    assert found.headers["X-Begin-Ms"] == str(START + 2_000)
    assert found.headers["X-End-Ms"] == str(START + 6_520)
    assert (found.headers["X-Encoded-Ms"], found.headers["X-Gap-Count"]) == ("0", "0")
    sent = packets_of(found.data)
    kept = [each for segment in lobby.segments for each in packets_of(lobby.file(segment).read_bytes())]
    assert sent == kept[50:163]


def packets_of(data: bytes) -> list[bytes]:
    """Return the bytes of all pictures."""
    with av.open(io.BytesIO(data), "r", format="mp4") as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.dts is not None]


def test_the_index_of_a_clip_comes_first(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given a clip, then ``moov`` stands before ``mdat``, so that a player begins before it has all."""
    lobby.record(START, seconds=4.0)
    data = clip(api, START, START + 4_000).data
    assert 0 < data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("look", [SMALL, REORDERED], ids=["plain", "b-frames"])
def test_an_exact_clip_begins_and_ends_with_the_very_picture(
    api: FlaskClient, lobby: RecordedCamera, look: Look
) -> None:
    """Given a range between keyframes, then every picture of it is there and no other, and the middle is copied."""
    lobby.record(START, 2, seconds=6.0, look=look)
    found = clip(api, START + 1_310, START + 9_930, "&exact=true")
    assert found.burnt == list(range(START + 1_320, START + 9_930, 40))
    assert_in_step(found)
    assert int(found.headers["X-Encoded-Ms"]) < 3_000
    kept = {packet for segment in lobby.segments for packet in packets_of(lobby.file(segment).read_bytes())}
    copied = [packet in kept for packet in packets_of(found.data)]
    assert sum(copied) * 40 >= 8_600 - int(found.headers["X-Encoded-Ms"]) - 100
    assert not copied[0]


def test_an_exact_clip_within_one_group_of_pictures_is_made_too(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given a fifth of a second between two keyframes, then it is encoded as a whole."""
    lobby.record(START, seconds=4.0, look=REORDERED)
    found = clip(api, START + 500, START + 700, "&exact=true")
    assert found.burnt == list(range(START + 520, START + 700, 40))
    assert "everything was encoded anew" in found.headers["X-Notes"]


def test_hevc_is_copied_and_encoded_where_it_must_be_cut(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given H.265, then a plain clip is a copy, and an exact one becomes H.264 and says so."""
    lobby.record(START, 2, seconds=2.0, look=Look(size=(320, 180), gop=25, codec="hevc"))
    assert clip(api, START, START + 4_000).burnt == list(range(START, START + 4_000, 40))
    found = clip(api, START + 510, START + 3_200, "&exact=true")
    assert found.burnt == list(range(START + 520, START + 3_200, 40))
    assert found.headers["X-Notes"].startswith("everything was encoded anew as H.264")


def test_a_gap_is_closed_and_named(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given a gap of a minute, then the clip goes on without it, and headers and metadata say so."""
    lobby.record(START, seconds=4.0, look=LOUD)
    lobby.record(START + 64_000, seconds=4.0, look=LOUD)
    found = clip(api, START, START + 70_000)
    assert [time for time, _ in found.pictures] == list(range(0, 8_000, 40))
    assert found.burnt[99:101] == [START + 3_960, START + 64_000]
    assert found.headers["X-Gaps"] == f"{START + 4_000}-{START + 64_000}"
    assert "not recorded, the clip goes on without it: 2026-09-21T14:15:04.000Z to" in found.headers["X-Notes"]
    assert found.metadata["comment"].endswith("1 gaps")


def test_another_resolution_in_the_middle_is_fitted_into_the_first(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given a camera that changes its resolution, then that part alone is encoded anew, and all pictures are there."""
    lobby.record(START, seconds=4.0)
    lobby.record(START + 4_000, seconds=2.0, look=Look(size=(640, 360), gop=25, b_frames=2))
    lobby.record(START + 6_000, seconds=4.0)
    found = clip(api, START, START + 10_000)
    assert found.size == (320, 180)
    assert found.burnt == list(range(START, START + 10_000, 40))
    assert found.headers["X-Encoded-Ms"] == "2000"


def test_a_change_that_takes_too_much_encoding_is_refused(
    api: FlaskClient, lobby: RecordedCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given more of another stream than may be encoded, then the answer says where it changes."""
    monkeypatch.setattr("camera_ctrler.playback.export_plan.MAX_ENCODED_MS", 1_000)
    lobby.record(START, seconds=4.0)
    lobby.record(START + 4_000, seconds=4.0, look=Look(size=(160, 96)))
    answer = api.get(f"{CAMERA}/clip.mp4?from_ms={START}&to_ms={START + 8_000}")
    assert answer.status_code == 400
    assert "the stream changes at 2026-09-21T14:15:04.000Z" in answer.text


def test_a_clip_states_camera_and_times(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given a clip, then its metadata names camera and exact range, and the file gets a name with the time."""
    lobby.record(START, seconds=4.0)
    found = clip(api, START + 1_000, START + 3_000)
    assert found.metadata["title"] == "Lobby"
    assert found.metadata["artist"] == "CamFarm camera lobby"
    assert found.metadata["creation_time"].startswith("2026-09-21T14:15:01")
    assert found.metadata["comment"].startswith("camera lobby, 2026-09-21T14:15:01.000Z to 2026-09-21T14:15:03.000Z")
    assert found.headers["Content-Disposition"] == 'inline; filename="lobby-20260921T141501Z.mp4"'


def test_a_clip_has_its_digest_and_can_be_had_in_ranges(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given a clip, then digest, JSON answer and bytes agree, pieces of it can be asked for, and it is made once."""
    lobby.record(START, seconds=4.0)
    path = f"{CAMERA}/clip.mp4?from_ms={START}&to_ms={START + 4_000}"
    told = api.get(path.replace("clip.mp4", "export")).json
    whole = api.get(told["url"] if told else path)
    digest = hashlib.sha256(whole.data)
    assert told is not None
    assert (told["sha256"], told["size_bytes"]) == (digest.hexdigest(), len(whole.data))
    assert whole.headers["X-SHA256"] == digest.hexdigest()
    assert whole.headers["Repr-Digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    piece = api.get(path, headers={"Range": "bytes=100-299"})
    assert (piece.status_code, piece.data) == (206, whole.data[100:300])
    assert api.get(path, headers={"Range": f"bytes={len(whole.data)}-"}).status_code == 416
    assert api.get(path, headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304


def test_the_same_range_gives_the_same_bytes(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given a clip made twice, also an exact one, then its digest is the same: it can be checked later."""
    lobby.record(START, 2, seconds=4.0, look=REORDERED)
    path = f"{CAMERA}/export?from_ms={START + 300}&to_ms={START + 7_100}&exact=true"
    first = api.get(path).json
    lobby.services.recorded.exports.close()
    second = api.get(path).json
    assert first == second


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "made-anew"])
@pytest.mark.parametrize("exact", ["", "&exact=true"], ids=["plain", "exact"])
@pytest.mark.parametrize(
    "look", [SMALL, REORDERED, LATE, LOUD], ids=["plain", "b-frames", "b-frames-within-fragments", "sound"]
)
def test_a_link_is_to_the_file_that_was_made_though_footage_comes(
    api: FlaskClient, lobby: RecordedCamera, look: Look, exact: str, kept: bool
) -> None:
    """Given a clip to the end of a file that is being written, then its link gives that clip when more is written."""
    lobby.tell(lobby.record(START, seconds=4.0, look=look), None)
    growing = lobby.open(START + 4_000, seconds=6.0, look=look)
    file = lobby.file(growing)
    written = file.read_bytes()
    third = [found.start() - 4 for found in re.finditer(b"moof", written)][3 if look is LATE else 2]
    file.write_bytes(written[:third])
    told = api.get(f"{CAMERA}/export?from_ms={START + 1_300}&to_ms={START + 30_000}{exact}").json
    assert isinstance(told, dict)
    end_ms = START + 4_000 + (3_000 if look is LATE else 2_000)
    assert end_ms - 200 <= told["end_ms"] <= told["to_ms"] + 41 <= end_ms + 41
    file.write_bytes(written)
    if not kept:
        lobby.services.recorded.exports.close()
    answer = api.get(told["url"])
    assert answer.status_code == 200, answer.text
    assert hashlib.sha256(answer.data).hexdigest() == told["sha256"] == answer.headers["X-SHA256"]


@pytest.mark.parametrize("exact", ["", "&exact=true"], ids=["plain", "exact"])
@pytest.mark.parametrize("look", [SMALL, REORDERED], ids=["plain", "b-frames"])
def test_a_link_is_to_the_file_that_was_made_though_a_file_follows(
    api: FlaskClient, lobby: RecordedCamera, look: Look, exact: str
) -> None:
    """Given a clip beyond the last file, while none is being written yet, then its link gives that clip later on."""
    lobby.record(START, seconds=4.0, look=look)
    told = api.get(f"{CAMERA}/export?from_ms={START + 1_300}&to_ms={START + 30_000}{exact}").json
    assert isinstance(told, dict)
    assert (told["to_ms"], told["end_ms"]) == (START + 4_000, START + 4_000)
    assert told["encoded_ms"] < 1_000
    lobby.record(START + 4_000, seconds=4.0, look=look)
    lobby.services.recorded.exports.close()
    answer = api.get(told["url"])
    assert answer.status_code == 200, answer.text
    assert hashlib.sha256(answer.data).hexdigest() == told["sha256"]


def test_a_link_is_refused_when_its_footage_has_changed(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given a clip that is not kept and whose footage is gone in part, then no other file is sent in its place."""
    segments = lobby.record(START, 3, seconds=2.0)
    told = api.get(f"{CAMERA}/export?from_ms={START}&to_ms={START + 6_000}").json
    assert isinstance(told, dict)
    lobby.file(segments[1]).unlink()
    assert api.get(told["url"]).status_code == 200
    lobby.services.recorded.exports.close()
    answer = api.get(told["url"])
    assert (answer.status_code, answer.json and answer.json["type"]) == (409, "urn:camfarm:problem:footage-changed")
    assert answer.json is not None
    assert told["sha256"] in answer.json["detail"]
    assert "leave out sha256" in answer.json["detail"]
    assert len(clip(api, START, START + 6_000).pictures) == 100


@pytest.mark.parametrize("digest", ["", "12", "G" * 64, "0" * 65])
def test_a_digest_that_is_none_is_refused(api: FlaskClient, lobby: RecordedCamera, digest: str) -> None:
    """Given a digest that is none, then the answer names the field."""
    lobby.record(START, seconds=2.0)
    answer = api.get(f"{CAMERA}/clip.mp4?from_ms={START}&to_ms={START + 2_000}&sha256={digest}")
    assert answer.status_code == 400
    assert "sha256" in answer.text


def test_a_digest_gives_nobody_the_clip_of_another_camera(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given the digest of another camera's clip that is kept, then it is not sent."""
    RecordedCamera(lobby.services, "yard").register()
    lobby.record(START, seconds=2.0)
    told = api.get(f"{CAMERA}/export?from_ms={START}&to_ms={START + 2_000}").json
    assert isinstance(told, dict)
    assert api.get(told["url"].replace("lobby", "yard")).status_code == 404


def test_damaged_files_are_left_out_of_a_clip_and_named(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given a cut fragment, a file without moov and one that is gone, then the rest is the clip, and it says so."""
    segments = lobby.record(START, 4, seconds=4.0)
    cut_into_last_fragment(lobby.file(segments[0]))
    remove_moov(lobby.file(segments[1]))
    lobby.file(segments[2]).unlink()
    found = clip(api, START, START + 16_000)
    assert found.burnt == [*range(START, START + 3_000, 40), *range(START + 12_000, START + 16_000, 40)]
    assert "2 damaged or deleted files are left out" in found.headers["X-Notes"]
    assert found.headers["X-Gaps"] == f"{START + 3_000}-{START + 12_000}"


def test_a_file_deleted_while_a_clip_is_made_is_named(
    api: FlaskClient, lobby: RecordedCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a file that retention deletes between plan and copy, then the answer is 404 and nothing is kept."""
    segments = lobby.record(START, 3, seconds=2.0)
    write = ClipWriter.write

    def write_and_delete(self: ClipWriter, *arguments: Any) -> None:
        write(self, *arguments)
        lobby.file(segments[1]).unlink(missing_ok=True)

    monkeypatch.setattr(ClipWriter, "write", write_and_delete)
    answer = api.get(f"{CAMERA}/clip.mp4?from_ms={START}&to_ms={START + 6_000}")
    assert (answer.status_code, answer.json and answer.json["type"]) == (404, "urn:camfarm:problem:footage-gone")


def test_a_clip_ends_when_the_server_stops(lobby: RecordedCamera, tmp_path: Path) -> None:
    """Given a server that stops, then no further piece is written."""
    lobby.record(START, 2, seconds=2.0)
    footage, stopping = lobby.services.recorded.footage, threading.Event()
    exporter = Exporter(footage, RecordedFiles(FootageFiles(footage.store), footage.store), stopping)
    export = exporter.prepare("lobby", "Lobby", START, START + 4_000, exact=False)
    stopping.set()
    with pytest.raises(ClipInterruptedError):
        exporter.make(export, tmp_path / "clip.mp4")


def test_a_clip_for_which_there_is_no_room_is_refused(
    api: FlaskClient, lobby: RecordedCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a temporary folder without room, then the answer names the setting before anything is written."""
    lobby.record(START, seconds=2.0)
    monkeypatch.setattr(exports, "_ROOM", 10**12)
    answer = api.get(f"{CAMERA}/clip.mp4?from_ms={START}&to_ms={START + 2_000}")
    assert (answer.status_code, answer.json and answer.json["type"]) == (503, "urn:camfarm:problem:no-room-for-clip")
    assert "TMPDIR" in answer.text


def test_a_range_without_footage_has_no_clip(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given nothing recorded then, then the answer names the footage nearby; of ten years it asks for less."""
    lobby.record(START, seconds=2.0)
    answer = api.get(f"{CAMERA}/clip.mp4?from_ms={START + 60_000}&to_ms={START + 61_000}")
    assert (answer.status_code, "2026-09-21T14:15:00.000Z to" in answer.text) == (404, True)
    long = api.get(f"{CAMERA}/clip.mp4?from_ms={START - 315_360_000_000}&to_ms={START}")
    assert (long.status_code, "at most 6 h" in long.text) == (400, True)


def test_what_is_being_written_can_be_cut_already(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given a file that is still written, then its whole fragments are in the clip."""
    growing = lobby.open(START, seconds=4.0, look=SMALL)
    cut_into_last_fragment(lobby.file(growing))
    assert clip(api, START, START + 4_000).burnt == list(range(START, START + 3_000, 40))


def test_footage_of_a_worker_whose_clock_was_off_is_found_where_it_was_written(
    api: FlaskClient, lobby: RecordedCamera
) -> None:
    """Given a worker whose clock was two hours behind, then its footage is found at that time, the rest at its own."""
    lobby.record(START, seconds=4.0)
    lobby.record(START - 7_200_000, seconds=4.0, epoch=2)
    assert clip(api, START, START + 4_000).burnt == list(range(START, START + 4_000, 40))
    late = clip(api, START - 7_200_000, START - 7_196_000)
    assert late.burnt == list(range(START - 7_200_000, START - 7_196_000, 40))


def test_a_gone_file_is_named_when_asked_for_by_itself(lobby: RecordedCamera) -> None:
    """Given a key of the index without a file, then opening it names the file and the remedy."""
    segment = lobby.record(START, seconds=2.0)[0]
    lobby.file(segment).unlink()
    footage = lobby.services.recorded.footage
    files = RecordedFiles(FootageFiles(footage.store), footage.store)
    (found,) = footage.find("lobby", START, START + 1)
    with pytest.raises(FootageGoneError, match="recordings check"):
        files.layout_of(found)
