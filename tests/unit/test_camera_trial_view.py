"""What `./farm cameras test` says of a camera."""

from cli.camera_trial_view import lines_of
from contract.camera_trials import CameraTrialReply, TrialWarning
from contract.errors import REMEDIES, StatusReason


def test_a_camera_that_can_be_watched_is_told_in_a_line_and_its_troubles_in_one_each() -> None:
    """Given what was found, then size, codec, rate, keyframes, latency and worker are said, and every warning."""
    reply = CameraTrialReply(
        request_id="r",
        worker_id="w-1",
        codec="hevc",
        width=1920,
        height=1080,
        fps=25,
        gop_seconds=2,
        latency_ms=312.4,
        warnings=[TrialWarning.H265],
    )
    found, note = lines_of(reply)
    assert found == (
        "watchable: 1920x1080 hevc, 25 frames a second, a keyframe every 2 s, first picture after 312 ms, by w-1"
    )
    assert note.startswith("note: The stream is H.265")


def test_one_that_cannot_is_told_with_reason_detail_and_remedy() -> None:
    """Given a reason, then it, what was seen and what helps are said, and nothing empty."""
    reply = CameraTrialReply(request_id="r", reason=StatusReason.REFUSED, detail="rtsp://h: nothing listens")
    assert lines_of(reply) == [
        "not watchable: refused",
        "rtsp://h: nothing listens",
        REMEDIES[StatusReason.REFUSED],
    ]
    assert len(lines_of(CameraTrialReply(request_id="r", reason=StatusReason.NO_WORKER))) == 2
