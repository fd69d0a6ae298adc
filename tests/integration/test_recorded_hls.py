"""Timeline and HLS of recorded footage over the API, on real files, and what is wrong with some of them."""

import io
import re
from functools import partial
from pathlib import Path
from urllib.parse import urljoin

import av
import pytest
import redis
from flask.testing import FlaskClient
from sqlalchemy import text

from camera_ctrler.api.app import create_app
from camera_ctrler.api.services import services_of
from camera_ctrler.playback.fragments import read_layout
from camera_ctrler.playback.hls import iso_time
from contract import keys
from tests.support.farm_state import FarmState, now_ms, settings_for
from tests.support.footage import Look, cut_into_last_fragment, read_time, remove_moov, write_segment
from tests.support.recorded_camera import SMALL, START, RecordedCamera
from tests.support.valkey_server import free_port

#: Times that are the same in every process that collects these tests, Unix ms UTC.
IN_2023 = 1_700_000_000_000
IN_2096 = 4_000_000_000_000
REORDERED = Look(size=(480, 270), gop=50, b_frames=2, sound=True)
CAMERA = "/api/v1/cameras/lobby"


def playlist(api: FlaskClient, path: str) -> list[tuple[list[str], str]]:
    """Return the parts of a playlist: the tags in front, and the address."""
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "application/vnd.apple.mpegurl"
    parts, tags = [], []
    for line in answer.text.splitlines():
        if line.startswith("#"):
            tags.append(line)
        else:
            parts.append((tags, urljoin(path, line)))
            tags = []
    return parts


def played(api: FlaskClient, path: str) -> list[tuple[float, int | None]]:
    """Return time (Unix s) and burnt-in time (Unix ms) of all pictures of a playlist, part by part."""
    found: list[tuple[float, int | None]] = []
    init = b""
    for tags, address in playlist(api, path):
        for tag in tags:
            if tag.startswith("#EXT-X-MAP"):
                init = api.get(urljoin(path, re.findall('"(.*)"', tag)[0])).data
        answer = api.get(address)
        assert answer.status_code == 200, answer.text
        with av.open(io.BytesIO(init + answer.data), "r", format="mp4") as container:
            found += [
                (float(frame.pts * frame.time_base), read_time(frame.to_ndarray(format="gray")))
                for frame in container.decode(video=0)
                if frame.pts is not None and frame.time_base is not None
            ]
    return found


def test_every_picture_of_a_range_is_played_at_its_own_time(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given two files and one after a gap, then all pictures come once, and their times are Unix time."""
    lobby.record(START, 2, seconds=4.0)
    lobby.record(START + 60_000, seconds=4.0)
    found = played(api, f"{CAMERA}/recordings.m3u8?from_ms={START}&to_ms={START + 70_000}")
    wanted = [begin + 40 * number for begin in (START, START + 4_000, START + 60_000) for number in range(100)]
    assert [burnt for _, burnt in found] == wanted
    assert [round(at * 1000) for at, _ in found] == wanted


def test_a_range_takes_the_files_that_have_something_of_it(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given a range within the second of three files, then it is listed from the part on in which the range begins."""
    lobby.record(START, 3, seconds=4.0)
    answer = api.get(f"{CAMERA}/recordings.m3u8?from_ms={START + 5_500}&to_ms={START + 7_000}")
    folder = f"recordings/{START + 4_000}-1"
    assert re.findall(r"^recordings.*m4s$", answer.text, re.M) == [f"{folder}/0-1.m4s", f"{folder}/2-3.m4s"]
    assert "#EXT-X-START:TIME-OFFSET=1.500,PRECISE=YES" in answer.text
    late = api.get(f"{CAMERA}/recordings.m3u8?from_ms={START + 2_500}&to_ms={START + 7_000}")
    folders = [f"recordings/{START}-1/2-3.m4s", f"recordings/{START + 4_000}-1/0-9999.m4s"]
    assert re.findall(r"^recordings.*m4s$", late.text, re.M) == folders
    assert "#EXT-X-START:TIME-OFFSET=0.500,PRECISE=YES" in late.text
    assert f"#EXT-X-PROGRAM-DATE-TIME:{iso_time(START + 2_000)}" in late.text
    ten = lobby.record(START + 60_000, seconds=10.0)[0]
    parts = re.findall(
        r"/(\d+-\d+)\.m4s$",
        api.get(f"{CAMERA}/recordings.m3u8?from_ms={ten.start_ms + 4_700}&to_ms={ten.end_ms}").text,
        re.M,
    )
    assert parts == ["4-5", "6-9"], "a short part to begin with, and the rest of the file"


def test_a_handover_is_played_once(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given files of two workers that overlap by five seconds, then the newer one's show, and little comes twice."""
    lobby.record(START, 2, seconds=6.0)
    lobby.record(START + 7_000, seconds=6.0, epoch=2)
    found = [burnt for _, burnt in played(api, f"{CAMERA}/recordings.m3u8?from_ms={START}&to_ms={START + 20_000}")]
    assert set(found) == {START + 40 * number for number in range(325)}
    assert len(found) - len(set(found)) <= 50, "no more than the rest of one part"


def test_a_part_can_be_kept_and_one_that_may_grow_cannot(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given a part, then it has a mark and may be kept; asked for with the mark it is not sent again."""
    lobby.record(START, seconds=4.0)
    path = f"{CAMERA}/recordings/{START}-1/0-1.m4s"
    first = api.get(path)
    assert "immutable" in first.headers["Cache-Control"]
    assert api.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    assert "no-cache" in api.get(f"{CAMERA}/recordings/{START}-1/0-9999.m4s").headers["Cache-Control"]
    assert api.get(f"{CAMERA}/recordings/{START}-1/init.mp4").status_code == 200


def test_a_file_that_was_deleted_is_404_and_leaves_the_playlist(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given a file deleted behind the index, then its parts are gone by name, and the rest is played."""
    segments = lobby.record(START, 3, seconds=4.0)
    lobby.file(segments[1]).unlink()
    gone = api.get(f"{CAMERA}/recordings/{segments[1].start_ms}-1/0-9999.m4s")
    assert (gone.status_code, gone.json and gone.json["type"]) == (404, "urn:camfarm:problem:footage-gone")
    assert "recordings check" in (gone.json or {})["detail"]
    path = f"{CAMERA}/recordings.m3u8?from_ms={START}&to_ms={START + 12_000}"
    assert "# 1 damaged or deleted files are left out" in api.get(path).text
    assert len(played(api, path)) == 200
    for segment in (segments[0], segments[2]):
        lobby.file(segment).unlink()
    again = api.get(path)
    assert again.status_code == 404


def test_damaged_files_are_played_as_far_as_they_can_be(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given a last fragment that is cut and a file without moov, then what is whole is played, and the rest named."""
    segments = lobby.record(START, 3, seconds=4.0)
    cut_into_last_fragment(lobby.file(segments[0]))
    remove_moov(lobby.file(segments[1]))
    found = [burnt for _, burnt in played(api, f"{CAMERA}/recordings.m3u8?from_ms={START}&to_ms={START + 12_000}")]
    wanted = [*range(START, START + 3_000, 40), *range(START + 8_000, START + 12_000, 40)]
    assert found == wanted
    damaged = api.get(f"{CAMERA}/recordings/{segments[1].start_ms}-1/init.mp4")
    assert (damaged.status_code, damaged.json and damaged.json["type"]) == (404, "urn:camfarm:problem:footage-damaged")
    assert "no init section (moov)" in (damaged.json or {})["detail"]


def test_a_range_without_footage_names_what_is_nearby(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given footage before and after, when the time between is asked for, then the answer names both."""
    lobby.record(START, seconds=4.0)
    lobby.record(START + 600_000, seconds=4.0)
    answer = api.get(f"{CAMERA}/recordings.m3u8?from_ms={START + 100_000}&to_ms={START + 200_000}")
    assert answer.status_code == 404
    assert "from 2026-09-21T14:15:00.000Z to 2026-09-21T14:15:04.000Z and from 2026-09-21T14:25:00" in answer.text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("from_ms=2000&to_ms=1000", "must be before to_ms"),
        (f"from_ms={IN_2096}&to_ms={IN_2096 + 100_000}", "in the future: the controller's clock says"),
        (f"from_ms={IN_2096}", "in the future"),
        (f"from_ms={START - 315_360_000_000}&to_ms={START}", "87600.0 h after from_ms; ask for at most 24 h"),
        (f"from_ms={IN_2023}", "more than 24 h ago; name to_ms too"),
        ("from_ms=abc", "whole number"),
    ],
)
def test_a_range_that_cannot_be_played_is_refused_with_the_remedy(
    api: FlaskClient, lobby: RecordedCamera, query: str, said: str
) -> None:
    """Given an impossible range, then the answer is 400 and says what to do."""
    answer = api.get(f"/api/v1/cameras/{lobby.camera_id}/recordings.m3u8?{query}")
    assert answer.status_code == 400
    assert said in answer.text


def test_a_live_playlist_follows_the_file_that_is_written(
    api: FlaskClient, lobby: RecordedCamera, redis_client: redis.Redis
) -> None:
    """Given a file that grows, then parts appear when the next keyframe is there, and keep their numbers and bytes."""
    assert redis_client.ping()
    start_ms = now_ms() - 20_000
    done = lobby.record(start_ms, seconds=4.0)[0]
    growing = lobby.open(done.end_ms, seconds=10.0, look=SMALL)
    file = lobby.file(growing)
    whole = file.read_bytes()
    places = [match.start() - 4 for match in re.finditer(b"moof", whole)]
    entrance = api.get(f"{CAMERA}/recordings.m3u8").text
    from_ms = int(re.findall(r"from_ms=(\d+)", entrance)[0])
    assert 19_000 <= now_ms() - from_ms <= 40_000
    path = f"{CAMERA}/recordings.m3u8?from_ms={start_ms}"
    seen: dict[int, str] = {}
    counts = []
    for end in [*places[1:], len(whole)]:
        file.write_bytes(whole[:end])
        answer = api.get(path)
        assert "ENDLIST" not in answer.text
        parts = [address for _, address in playlist(api, path)]
        counts.append(len(parts))
        for number, address in enumerate(parts):
            assert seen.setdefault(number, address) == address
    assert counts == [2, 2, 3, 3, 4, 4, 5, 5, 6, 6]  # two of the first file; one more with every other keyframe
    lobby.tell([growing], None)
    last = [address for _, address in playlist(api, path)]
    assert last[: counts[-1]] == [seen[number] for number in range(counts[-1])]
    assert len(played(api, path)) == 350


def test_a_camera_that_is_not_recorded_has_no_live_playlist(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given old footage only, then the live playlist is refused with the newest footage there is."""
    lobby.record(START, seconds=4.0)
    for query in ("", f"?from_ms={now_ms() - 1_000}"):
        answer = api.get(f"{CAMERA}/recordings.m3u8{query}")
        assert (answer.status_code, answer.json and answer.json["type"]) == (404, "urn:camfarm:problem:nothing-to-play")


def test_a_timeline_says_what_is_there_and_what_happened(
    api: FlaskClient, lobby: RecordedCamera, farm_state: FarmState
) -> None:
    """Given footage, events and a file that is written, then spans, gaps, buckets, events and the live edge fit."""
    base = now_ms() // 1000 * 1000 - 120_000
    segments = [
        each.model_copy(update={"motion": 0.5, "seen": {"person": 2}}) for each in lobby.record(base, 2, seconds=4.0)
    ]
    lobby.add(segments)
    growing = lobby.open(base + 60_000, seconds=4.0, look=SMALL)
    farm_state.client.set(keys.camera_epoch("lobby"), 1)
    farm_state.event("lobby", 1, at_ms=base + 1_000)
    farm_state.event("lobby", 2, at_ms=base - 1)
    answer = api.get(f"{CAMERA}/timeline?from_ms={base}&to_ms={base + 120_000}&buckets=200")
    told = answer.json
    assert answer.status_code == 200
    assert told is not None
    assert told["spans"] == [
        {"start_ms": base, "end_ms": base + 8_000},
        {"start_ms": base + 60_000, "end_ms": growing.end_ms},
    ]
    assert told["gaps"] == [{"start_ms": base + 8_000, "end_ms": base + 60_000}]
    assert told["live_edge_ms"] == growing.end_ms
    assert told["bucket_ms"] == 1_000
    assert sum(bucket["recorded_seconds"] for bucket in told["buckets"]) == pytest.approx(12)
    moving = [bucket for bucket in told["buckets"] if bucket["start_ms"] < base + 8_000]
    assert {(bucket["motion"], bucket["seen"]["person"]) for bucket in moving} == {(0.5, 2)}
    assert [event["event_id"] for event in told["events"]] == ["lobby:1:1"]
    assert told["events_complete"]


def test_a_timeline_without_redis_has_everything_but_the_newest(tmp_path: Path) -> None:
    """Given Redis away, then what is in the index is there, and the answer says that events are not."""
    app = create_app(settings_for(tmp_path, f"redis://127.0.0.1:{free_port()}/0"))
    services_of(app).registry.migrate()
    RecordedCamera(services_of(app)).register().record(START, seconds=4.0)
    told = app.test_client().get(f"{CAMERA}/timeline?from_ms={START}&to_ms={START + 10_000}").json
    assert len(played(app.test_client(), f"{CAMERA}/recordings.m3u8?from_ms={START}&to_ms={START + 10_000}")) == 100
    services_of(app).close()
    assert told is not None
    assert told["spans"] == [{"start_ms": START, "end_ms": START + 4_000}]
    assert (told["events"], told["events_complete"]) == ([], False)


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        (f"from_ms={START - 315_360_000_000}&to_ms={START}", 400, "ask for at most 9600 h"),
        (f"from_ms={START - 300 * 86_400_000}&to_ms={START}", 200, ""),
        (f"from_ms={IN_2096}", 400, "in the future"),
        ("buckets=0", 400, "buckets"),
        ("buckets=2001", 400, "buckets"),
    ],
)
def test_a_timeline_of_any_zoom_is_given_or_refused(
    api: FlaskClient, lobby: RecordedCamera, query: str, status: int, said: str
) -> None:
    """Given ranges from nothing to ten years, then there is a timeline or the remedy."""
    lobby.record(START, seconds=4.0)
    answer = api.get(f"{CAMERA}/timeline?{query}")
    assert answer.status_code == status, answer.text
    assert said in answer.text
    if status == 200:
        assert len((answer.json or {})["buckets"]) == 1


def test_several_cameras_get_playlists_for_the_same_time(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given two cameras, of which one began later, then both playlists are for one range and tell what is there."""
    dock = RecordedCamera(lobby.services, "dock").register(name="Dock")
    lobby.record(START, 2, seconds=4.0)
    dock.record(START + 4_000, seconds=4.0)
    told = api.get(f"/api/v1/playback/together?cameras=lobby,dock&from_ms={START}&to_ms={START + 8_000}").json
    assert told is not None
    assert [camera["spans"] for camera in told["cameras"]] == [
        [{"start_ms": START, "end_ms": START + 8_000}],
        [{"start_ms": START + 4_000, "end_ms": START + 8_000}],
    ]
    for camera, count in zip(told["cameras"], (200, 100), strict=True):
        assert len(played(api, camera["playlist"])) == count
    following = api.get(told["next"]).json
    assert following is not None
    assert (following["from_ms"], following["to_ms"]) == (START + 8_000, START + 608_000)


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("", 400, "name 1 to 16"),
        ("cameras=lobby,..", 400, "'..' is no camera id"),
        ("cameras=lobby,nobody", 404, "nobody"),
        ("cameras=" + ",".join(f"c{number}" for number in range(17)), 400, "names 17 cameras"),
        (f"cameras=lobby&from_ms={IN_2096}", 400, "in the future"),
    ],
)
def test_cameras_that_cannot_be_played_together_are_named(
    api: FlaskClient, lobby: RecordedCamera, query: str, status: int, said: str
) -> None:
    """Given no camera, a wrong id, an unknown one or too many, then the answer says which."""
    assert services_of(api.application) is lobby.services
    answer = api.get(f"/api/v1/playback/together?{query}")
    assert answer.status_code == status
    assert said in answer.text


def _piece(data: bytes, offset: int, size: int) -> bytes:
    return data[offset : offset + size]


def test_footage_with_b_frames_and_sound_is_served_with_both(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given B-frames and sound, then the first picture is shown at its time, and sound keeps its place beside it."""
    lobby.record(START, seconds=4.0, look=REORDERED)
    init = api.get(f"{CAMERA}/recordings/{START}-1/init.mp4").data
    for part, begin_ms in (("0-1", START), ("2-3", START + 2_000)):
        data = init + api.get(f"{CAMERA}/recordings/{START}-1/{part}.m4s").data
        layout = read_layout(partial(_piece, data), len(data))
        assert layout.first_picture == begin_ms * 90
        assert layout.fragments[0].decode_time == begin_ms * 90
        with av.open(io.BytesIO(data), "r", format="mp4") as container:
            first_sound = next(container.decode(audio=0))
        at = float(first_sound.pts * first_sound.time_base)  # type: ignore[operator]  # decoded frames have both
        assert -0.081 <= at - begin_ms / 1000 <= 0.065


@pytest.mark.parametrize(
    "path", ["recordings.m3u8?{0}", "clip.mp4?{0}", "recorded.jpg?at_ms={1}", "thumbnails.jpg?{0}"]
)
def test_a_volume_that_cannot_be_read_is_named(api: FlaskClient, lobby: RecordedCamera, path: str) -> None:
    """Given a frames volume that answers with errors, then that is 503 with the remedy, and the timeline stays."""
    lobby.record(START, seconds=2.0)
    footage = lobby.root / "lobby"
    footage.rename(lobby.root / "elsewhere")
    footage.symlink_to(footage)
    whole = f"from_ms={START}&to_ms={START + 2_000}"
    answer = api.get(f"{CAMERA}/{path.format(whole, START + 500)}")
    assert (answer.status_code, answer.json and answer.json["type"]) == (503, "urn:camfarm:problem:volume-away")
    assert "FARM_FRAMES_DIR" in answer.text
    assert (api.get(f"{CAMERA}/timeline?{whole}").json or {})["spans"]


def test_a_database_that_is_away_is_named(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given the table of the index gone, then the answer is 503 and names the database."""
    lobby.record(START, seconds=2.0)
    with lobby.services.registry.engine.begin() as connection:
        connection.execute(text("DROP TABLE segments"))
    answer = api.get(f"{CAMERA}/recordings.m3u8?from_ms={START}&to_ms={START + 2_000}")
    assert (answer.status_code, answer.json and answer.json["type"]) == (503, "urn:camfarm:problem:database-away")


def test_parts_are_served_without_the_index(api: FlaskClient, lobby: RecordedCamera) -> None:
    """Given a playlist that was loaded, when the index is gone, then what it names is played: the key is the path."""
    lobby.record(START, seconds=2.0)
    with lobby.services.registry.engine.begin() as connection:
        connection.execute(text("DROP TABLE segments"))
    assert api.get(f"{CAMERA}/recordings/{START}-1/init.mp4").status_code == 200
    assert api.get(f"{CAMERA}/recordings/{START}-1/0-1.m4s").status_code == 200


def test_a_file_too_large_for_one_part_is_played_in_several(
    api: FlaskClient, lobby: RecordedCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a file larger than a part may be, as with rare keyframes, then its runs are parts, and all is played."""
    monkeypatch.setattr("camera_ctrler.playback.playlists.MAX_PART_BYTES", 10_000)
    lobby.record(START, seconds=10.0)
    path = f"{CAMERA}/recordings.m3u8?from_ms={START}&to_ms={START + 10_000}"
    assert len(playlist(api, path)) == 5
    assert [burnt for _, burnt in played(api, path)] == list(range(START, START + 10_000, 40))


def test_a_handover_keeps_the_live_playlist_whole(
    api: FlaskClient, lobby: RecordedCamera, redis_client: redis.Redis
) -> None:
    """Given two workers that write at once, of which Redis names one at a time, then no part leaves the playlist."""
    assert redis_client.ping()
    start_ms = now_ms() - 30_000
    old, new = (
        write_segment(lobby.root, "lobby", start_ms + offset, seconds=10.0, epoch=epoch, look=SMALL)
        for epoch, offset in ((1, 0), (2, 6_000))
    )
    path = f"{CAMERA}/recordings.m3u8?from_ms={start_ms}"
    lobby.tell([], old)
    listed = [address for _, address in playlist(api, path)]
    assert len(listed) == 4
    lobby.tell([], new)
    both = [address for _, address in playlist(api, path)]
    lobby.tell([], old)
    again = [address for _, address in playlist(api, path)]
    assert both[:3] == listed[:3]
    assert again == both
    lobby.tell([old], new)
    assert [address for _, address in playlist(api, path)] == both
    found = [burnt for _, burnt in played(api, path)]
    assert set(found) == set(range(start_ms, start_ms + 14_000, 40))
