"""What one camera's recording writes: which packets, into which files, and what cannot be recorded."""

import errno
import os
import shutil
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from contract.errors import StatusReason
from contract.recording_paths import segment_path
from contract.recordings import RecordingSettings, RecordingState, RecordMode
from tests.support.fed_recording import FPS, PLAIN, ZERO_MS, Encoded, FedRecording, files, files_on, recorded
from tests.support.live_recording import packet_times
from workers.recording.media_clock import JUMP_SECONDS

# --- files -----------------------------------------------------------------------------------------------------------


def test_every_packet_is_in_one_file_of_ten_seconds_and_the_index_agrees_with_the_disk(tmp_path: Path) -> None:
    """Given 35 s of packets, then files of ten seconds follow each other without gap, each from keyframe on."""
    recording = recorded(tmp_path, RecordMode.CONTINUOUS)
    recording.play(35)
    recording.end()
    found = files(recording)
    assert [len(each.shown) for each in found] == [100, 100, 100, 50]
    assert all(each.begins_with_keyframe and each.decoded[0] == 0 for each in found)
    assert recording.lengths == [10.0, 10.0, 10.0, 5.0]
    assert all(before.end_ms == after.start_ms for before, after in pairwise(recording.segments))
    for segment, each in zip(recording.segments, found, strict=True):
        assert each.path == tmp_path / segment_path("cam", segment.start_ms, segment.epoch)
        assert segment.size_bytes == each.path.stat().st_size
        assert (segment.codec, segment.width, segment.height, segment.audio) == ("h264", 160, 120, "")
    times = packet_times(found)
    assert times == pytest.approx([ZERO_MS / 1000 + (number + 1) / FPS for number in range(350)], abs=0.002)
    assert recording.status.packets_lost == {}
    assert recording.status.seconds == 35


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="this system has no files without names")
def test_a_worker_that_is_killed_before_the_first_fragment_leaves_no_file(tmp_path: Path) -> None:
    """Given a file that was begun, Until a fragment of it is whole it has no name, and goes with its worker."""
    recording = recorded(tmp_path, RecordMode.CONTINUOUS)
    recording.play(10.6)
    assert (recording.status.seconds, len(list(tmp_path.rglob("*.mp4")))) == (10.0, 1)
    recording.play(1.4)
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.mp4")) == recording.status.size_bytes
    assert (recording.status.seconds, len(list(tmp_path.rglob("*.mp4")))) == (11.0, 2)


def test_a_folder_that_retention_found_empty_is_made_again_for_the_file_begun_in_it(tmp_path: Path) -> None:
    """Given a file without a name, When its folder was removed, Then it has its name all the same, with all packets."""
    recording = recorded(tmp_path, RecordMode.CONTINUOUS)
    recording.play(10.6)
    shutil.rmtree(tmp_path / "cam")
    recording.play(4.4)
    recording.end()
    (only,) = files(recording)
    assert (len(only.shown), recording.status.packets_lost) == (50, {})


def test_a_volume_without_nameless_files_has_files_from_their_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a file system that knows no files without names, Then a file has its name as soon as it is begun."""
    real = os.open

    def refusing(path: str | Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", refusing)
    recording = recorded(tmp_path, RecordMode.CONTINUOUS)
    recording.play(10.6)
    assert len(list(tmp_path.rglob("*.mp4"))) == 2
    recording.play(4.4)
    recording.end()
    assert [len(each.shown) for each in files(recording)] == [100, 50]


@pytest.mark.parametrize(
    ("codec", "container"), [("hevc", "nut"), ("h264", "mp4"), ("hevc", "mp4"), ("h264", "mpegts")]
)
def test_both_codecs_are_recorded_from_every_container(tmp_path: Path, codec: str, container: str) -> None:
    """Given H.264 and H.265 with start codes or lengths, then the file decodes, in full, with the browsers' tag."""
    recording = FedRecording(tmp_path)
    recording.open(Encoded(codec=codec, container=container))
    recording.play(4)
    recording.end()
    (only,) = files(recording)
    assert (only.codec, len(only.shown)) == (codec, 40)
    assert (b"hvc1" in only.path.read_bytes()) is (codec == "hevc")


@pytest.mark.parametrize(("gop", "seconds"), [(5, 10.0), (40, 12.0), (100, 10.0), (150, 15.0)])
def test_a_file_ends_with_the_first_keyframe_after_ten_seconds(tmp_path: Path, gop: int, seconds: float) -> None:
    """Given keyframes every half second up to every 15 s, then the first file ends with one of them."""
    recording = FedRecording(tmp_path)
    recording.open(Encoded(gop=gop))
    recording.play(32)
    recording.end()
    assert recording.lengths[0] == seconds
    assert all(each.begins_with_keyframe for each in files(recording))


def test_a_stream_whose_keyframes_stop_is_recorded_on_and_cut_before_ten_minutes(tmp_path: Path) -> None:
    """Given no keyframe for eleven minutes, then nothing is lost and no file is longer than players look back."""
    stream = Encoded()
    stream.video = [stream.video[0], *stream.video[1:10] * 700]
    recording = FedRecording(tmp_path)
    recording.open(stream)
    recording.play(620, step_every=5)
    recording.end()
    assert len(recording.segments) == 2
    assert recording.lengths[0] < 600
    assert sum(recording.lengths) == pytest.approx(620, abs=0.2)
    assert recording.status.packets_lost == {}


def test_packets_before_the_first_keyframe_are_left_out_and_counted(tmp_path: Path) -> None:
    """Given a stream that begins inside a GOP, then the file begins with the next keyframe."""
    recording = FedRecording(tmp_path)
    recording.open(PLAIN, skip=4)
    recording.play(5)
    recording.end()
    (only,) = files(recording)
    assert only.begins_with_keyframe
    assert len(only.shown) == 50 - 6
    assert recording.status.packets_lost == {"before_keyframe": 6}


def test_a_new_size_inside_the_stream_begins_a_new_file(tmp_path: Path) -> None:
    """Given keyframes that suddenly bring other parameter sets, then each file has one size and decodes."""
    small, large = Encoded(container="mpegts"), Encoded(container="mpegts", size=(320, 240))
    stream = Encoded(container="mpegts")
    stream.video = small.video * 2 + large.video * 2
    recording = FedRecording(tmp_path)
    recording.open(stream)
    recording.play(8)
    recording.end()
    found = files(recording)
    assert [(each.size, len(each.shown)) for each in found] == [((160, 120), 40), ((320, 240), 40)]
    assert [(segment.width, segment.height) for segment in recording.segments] == [(160, 120), (320, 240)]


def test_a_new_size_inside_a_stream_of_mp4_begins_a_new_file_too(tmp_path: Path) -> None:
    """Given packets with lengths whose parameter sets change, then the new file decodes."""
    stream = Encoded(container="mp4")
    large = Encoded(size=(320, 240), container="mpegts").video
    stream.video = stream.video + [type(sent)(_with_lengths(sent.data), sent.is_keyframe) for sent in large]
    recording = FedRecording(tmp_path)
    recording.open(stream)
    recording.play(4)
    recording.end()
    assert [(each.size, len(each.shown)) for each in files(recording)] == [((160, 120), 20), ((320, 240), 20)]


def _with_lengths(data: bytes) -> bytes:
    units = [unit for unit in data.replace(b"\x00\x00\x00\x01", b"\x00\x00\x01").split(b"\x00\x00\x01") if unit]
    return b"".join(len(unit).to_bytes(4) + unit for unit in units)


def test_a_stream_that_is_opened_again_begins_a_new_file_and_shows_the_gap(tmp_path: Path) -> None:
    """Given a camera that is away for five seconds, then its files have that between them."""
    recording = recorded(tmp_path, RecordMode.CONTINUOUS)
    recording.play(4)
    recording.end()
    recording.silence(5)
    recording.open(PLAIN)
    recording.play(4)
    recording.end()
    before, after = recording.segments
    assert after.start_ms - before.end_ms == pytest.approx(5_000, abs=110)


def test_a_newer_epoch_goes_into_the_name_of_the_next_file_and_nothing_is_lost(tmp_path: Path) -> None:
    """Given an epoch that rises in the middle of a file, then that file ends at the next keyframe."""
    recording = recorded(tmp_path, RecordMode.CONTINUOUS)
    recording.play(4.5)
    recording.change(epoch=7)
    recording.play(5.5)
    recording.end()
    assert [(segment.epoch, length) for segment, length in zip(recording.segments, recording.lengths, strict=True)] == [
        (1, 5.0),
        (7, 5.0),
    ]
    assert sum(len(each.shown) for each in files(recording)) == 100


def test_a_camera_whose_clock_is_set_two_hours_loses_nothing_and_keeps_the_right_time(tmp_path: Path) -> None:
    """Given stamps that jump by two hours, then a new file begins, at the right time, without a gap."""
    recording = recorded(tmp_path, RecordMode.CONTINUOUS)
    recording.play(4.5)
    recording.stamp_shift = 7_200
    recording.play(5.5)
    recording.stamp_shift = -7_200
    recording.play(5)
    recording.end()
    times = packet_times(files(recording))
    assert times == pytest.approx([ZERO_MS / 1000 + (number + 1) / FPS for number in range(150)], abs=0.15)
    assert len(recording.segments) == 3


def test_two_recordings_of_one_camera_that_begin_in_the_same_millisecond_keep_both(tmp_path: Path) -> None:
    """Given a name that is taken, then the file gets the next millisecond, and neither is touched."""
    first, second = recorded(tmp_path, RecordMode.CONTINUOUS), recorded(tmp_path, RecordMode.CONTINUOUS)
    for recording in (first, second):
        recording.play(3)
        recording.end()
    assert second.segments[0].start_ms == first.segments[0].start_ms + 1
    assert [len(each.shown) for each in files(first)] == [30, 30]


# --- sound -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sound", "note"), [("aac", ""), ("pcm_mulaw", "its sound (G.711) is recorded as AAC")])
def test_sound_is_recorded_as_aac_beside_the_picture(tmp_path: Path, sound: str, note: str) -> None:
    """Given AAC or G.711, then every file has AAC that goes on beside its pictures, and the change is told."""
    recording = FedRecording(tmp_path)
    recording.open(Encoded(sound=sound))
    recording.play(14)
    recording.end()
    assert recording.status.sound == note
    assert [segment.audio for segment in recording.segments] == ["aac", "aac"]
    for each in files(recording):
        assert each.sound_codec == "aac"
        # The encoder keeps the last quarter of a second to itself when the stream ends.
        assert each.heard[-1] == pytest.approx(each.decoded[-1], abs=0.5)
        gaps = [after - before for before, after in pairwise(each.heard[1:])]
        assert max(gaps) < 0.2
    assert sum(len(each.shown) for each in files(recording)) == 140
    # Nothing of the sound is missing where one file ends and the next begins.
    before, after = files(recording)
    silence = after.start_ms / 1000 + after.heard[0] - (before.start_ms / 1000 + before.heard[-1])
    assert silence == pytest.approx(0.128, abs=0.13)


def test_a_file_that_waits_for_its_sound_is_told_of_all_the_while(tmp_path: Path) -> None:
    """Given files with sound, then at every moment all footage on the disk is told of, as finished or as open."""
    recording = FedRecording(tmp_path)
    recording.open(Encoded(sound="aac"))
    for _ in range(150):
        recording.play(0.2, step_every=0.1)
        news = recording.recorder.news()
        told = {each.start_ms: each.end_ms for each in (*recording.segments, *news.finished)}
        opened = {} if news.opened is None else {news.opened.start_ms: news.opened.end_ms}
        seconds = sum(end_ms - start_ms for start_ms, end_ms in (told | opened).items()) / 1000
        assert seconds >= recording.status.seconds - 1.3


def test_sound_that_stops_does_not_hold_up_the_picture(tmp_path: Path) -> None:
    """Given a microphone that dies, then what is on the disk is behind by a fragment, as before."""
    recording = FedRecording(tmp_path)
    recording.open(Encoded(sound="aac"))
    recording.play(4)
    recording.is_mute = True
    recording.play(4)
    assert recording.now - recording.status.seconds < 1.5


def test_sound_that_nobody_wants_is_left_out(tmp_path: Path) -> None:
    """Given sound and a camera that is recorded without, then the file has none."""
    recording = FedRecording(tmp_path, settings=RecordingSettings(record=RecordMode.CONTINUOUS, record_audio=False))
    assert not recording.recorder.wants_audio
    recording.open(Encoded(sound="aac"))
    recording.play(3)
    recording.end()
    assert [each.sound_codec for each in files(recording)] == [""]


def test_sound_of_another_codec_is_left_out_with_a_note(tmp_path: Path) -> None:
    """Given MP3, then the picture is recorded and the note names the codec."""
    recording = FedRecording(tmp_path)
    recording.open(Encoded(sound="libmp3lame"))
    recording.play(3)
    recording.end()
    assert "mp3" in recording.status.sound
    assert [(len(each.shown), each.sound_codec) for each in files(recording)] == [(30, "")]


# --- what cannot be recorded -----------------------------------------------------------------------------------------


def test_another_codec_is_named_with_its_remedy(tmp_path: Path) -> None:
    """Given MJPEG, then nothing is written and the status says which codecs are recorded."""
    recording = FedRecording(tmp_path)
    recording.open(Encoded(codec="mjpeg"))
    recording.play(3)
    assert (recording.status.state, recording.status.reason) == (RecordingState.FAILING, StatusReason.NOT_RECORDABLE)
    assert recording.status.detail == "its codec is mjpeg"
    assert recording.status.packets_lost == {"not_recordable": 27}
    assert files_on(tmp_path) == 0


def test_a_stream_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    """Given a main stream that refuses, then the recording waits and has the reason."""
    recording = FedRecording(tmp_path)
    recording.recorder.failed(StatusReason.AUTH_FAILED, "401")
    recording.step()
    assert (recording.status.state, recording.status.reason) == (RecordingState.WAITING, StatusReason.AUTH_FAILED)


def test_a_recorder_that_was_stuck_loses_the_oldest_and_goes_on_with_a_new_file(tmp_path: Path) -> None:
    """Given a disk that blocks for long, then what did not fit is counted and the file after the hole begins anew."""
    recording = FedRecording(tmp_path, buffer_bytes=40_000)
    recording.open(PLAIN)
    recording.play(5)
    recording.play(40, step_every=100)
    recording.play(5)
    recording.end()
    lost = recording.status.packets_lost["memory"]
    assert lost > 0
    assert sum(len(each.shown) for each in files(recording)) == 500 - lost
    before, after = recording.segments[:2]
    assert after.start_ms - before.end_ms > 1_000


def test_a_disk_that_does_not_answer_is_named_while_the_recorder_waits_for_it(tmp_path: Path) -> None:
    """Given a recorder that has not come round for seven seconds, then the status says so, until it does."""
    recording = recorded(tmp_path, RecordMode.CONTINUOUS)
    recording.play(5)
    recording.play(7, step_every=100)
    assert (recording.status.state, recording.status.reason) == (RecordingState.FAILING, StatusReason.DISK_FAILED)
    assert "has not answered for 7 s" in recording.status.detail
    recording.play(1)
    recording.end()
    assert recording.status.reason is None
    assert sum(len(each.shown) for each in files(recording)) == 130


@pytest.mark.parametrize("seconds", [1, 12])
def test_a_stream_without_times_is_recorded_by_arrival(tmp_path: Path, seconds: int) -> None:
    """Given packets that have no times, also a stream so short that it was still waited for them, then all is there."""
    recording = FedRecording(tmp_path)
    recording.is_stamped = False
    recording.open(PLAIN)
    recording.play(seconds)
    recording.end()
    times = packet_times(files(recording))
    assert times == pytest.approx([ZERO_MS / 1000 + (number + 1) / FPS for number in range(seconds * 10)], abs=0.01)


_STEPS = st.one_of(
    st.tuples(st.just("play"), st.integers(1, 70)),
    st.tuples(st.just("stuck"), st.integers(1, 70)),
    st.tuples(st.just("reconnect"), st.integers(0, 9)),
    st.tuples(st.just("clock"), st.integers(-9_000, 9_000)),
    st.tuples(st.just("epoch"), st.integers(1, 3)),
    st.tuples(st.just("resize"), st.integers(0, 1)),
)
_SIZES = (PLAIN, Encoded(size=(320, 240)))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_STEPS, min_size=2, max_size=10))
@example([("clock", 1), ("play", 37), ("epoch", 1)])
def test_whatever_happens_every_picture_is_in_one_file_or_counted_as_lost(
    tmp_path: Path, steps: list[tuple[str, int]]
) -> None:
    """Given any order of reconnections, clock jumps, epochs, sizes and a slow recorder, then the sums are right."""
    recording = FedRecording(Path(tempfile.mkdtemp(dir=tmp_path)), buffer_bytes=120_000)
    recording.open(PLAIN)
    epoch = sent = 0
    shifts: list[float] = []
    for step, value in [("play", 25), *steps]:
        if step in {"play", "stuck"}:
            recording.play(value / FPS, step_every=100 if step == "stuck" else 0.3)
            sent += value
            shifts.append(recording.stamp_shift)
        elif step == "clock":
            recording.stamp_shift = value
        elif step == "epoch":
            epoch += value
            recording.change(epoch=1 + epoch)
        else:
            recording.end()
            recording.silence(1)
            recording.open(_SIZES[value % 2], skip=value if step == "reconnect" else 0)
    recording.end()
    found = files(recording)
    assert sum(len(each.shown) for each in found) + sum(recording.status.packets_lost.values()) == sent
    assert all(each.begins_with_keyframe and each.decoded[0] == 0 for each in found)
    assert [each.path.name for each in found] == [f"{each.start_ms}-{each.epoch}.mp4" for each in recording.segments]
    # Small steps of the camera's clock are not taken for jumps at once: files may lie over each other by about as much.
    steps_taken = [abs(after - before) for before, after in pairwise(shifts)]
    allowed_ms = 150 + 1_500 * sum(each for each in steps_taken if each <= JUMP_SECONDS)
    assert all(before.end_ms <= after.start_ms + allowed_ms for before, after in pairwise(recording.segments))
