"""What people are told of a camera, from what registry, worker and manager say."""

import pytest

from camera_ctrler.api.status_view import STALE_MS, Surroundings, count_states, judge, status_view, summary
from contract.camera_specs import Camera
from contract.cameras import CameraState, CameraStatus
from contract.detections import AnalysisResult, TrackedDetection
from contract.errors import REMEDIES, StatusReason
from contract.plan import PlanReport
from contract.recordings import RecordingState, RecordingStatus
from runtime.farm_reader import Heard

NOW = 1_790_000_000_000
#: The worker's clock is an hour off, which changes nothing.
WORKER_NOW = NOW - 3_600_000


def _camera(*, enabled: bool = True) -> Camera:
    return Camera(
        id="lobby",
        name="Lobby",
        url="rtsp://192.0.2.10/s",
        has_credentials=False,
        enabled=enabled,
        origin="farm",
        created_at_ms=0,
        updated_at_ms=0,
    )


def _status(
    state: CameraState = CameraState.ONLINE, reason: StatusReason | None = None, *, age_ms: int = 500
) -> Heard[CameraStatus]:
    status = CameraStatus(
        camera_id="lobby",
        worker_id="w1",
        epoch=3,
        state=state,
        reason=reason,
        updated_at_ms=WORKER_NOW,
        last_frame_at_ms=WORKER_NOW - 40,
        stream_fps=25,
        analysed_fps=1,
    )
    return Heard(status, age_ms)


def _around(unplaced: dict[str, StatusReason] | None = None, *, plan_age_ms: int = 0, workers: int = 1) -> Surroundings:
    plan = PlanReport(
        controller_id="c",
        updated_at_ms=NOW,
        leading_since_ms=0,
        cameras=1,
        workers=workers,
        unplaced=unplaced or {},
    )
    return Surroundings(Heard(plan, plan_age_ms), workers)


def _seen(*names: str) -> AnalysisResult:
    boxes = [TrackedDetection(xyxy=(0, 0, 1, 1), confidence=0.5, class_id=0, class_name=name) for name in names]
    return AnalysisResult(
        camera_id="lobby",
        epoch=3,
        seq=7,
        worker_id="w1",
        captured_at_ms=NOW,
        published_at_ms=NOW,
        width=1,
        height=1,
        detections=boxes,
    )


def test_a_fresh_status_is_believed() -> None:
    """Given a worker that reported just now, then its word is shown."""
    verdict = judge(_camera(), _status(CameraState.OFFLINE, StatusReason.TIMEOUT), _around())
    assert (verdict.state, verdict.reason, verdict.stale) == (CameraState.OFFLINE, StatusReason.TIMEOUT, False)


def test_a_camera_that_is_switched_off_is_disabled_whatever_its_worker_still_says() -> None:
    """Given a disabled camera with a fresh status, then it is disabled."""
    assert judge(_camera(enabled=False), _status(), _around()).state is CameraState.DISABLED


@pytest.mark.parametrize("age_ms", [STALE_MS + 1, 50_000])
def test_a_status_that_is_too_old_is_shown_as_offline_with_its_worker_named(age_ms: int) -> None:
    """Given a worker that fell silent, then the camera is offline and stale, whatever the worker said last."""
    verdict = judge(_camera(), _status(age_ms=age_ms), _around())
    assert (verdict.state, verdict.reason, verdict.stale) == (CameraState.OFFLINE, StatusReason.WORKER_SILENT, True)
    assert "w1" in verdict.detail


def test_a_status_is_believed_up_to_the_very_limit() -> None:
    """Given a status exactly as old as is believed, then it stands."""
    assert judge(_camera(), _status(age_ms=STALE_MS), _around()).state is CameraState.ONLINE


@pytest.mark.parametrize("reason", [StatusReason.NO_WORKER, StatusReason.NO_CAPACITY])
def test_a_camera_without_a_place_says_why_the_manager_found_none(reason: StatusReason) -> None:
    """Given a camera that the plan leaves out, then it is pending with the plan's reason, stale status or none."""
    assert judge(_camera(), None, _around({"lobby": reason})).reason is reason
    stale = judge(_camera(), _status(age_ms=60_000), _around({"lobby": reason}))
    assert (stale.state, stale.reason) == (CameraState.PENDING, reason)


def test_without_a_manager_a_new_camera_says_that_none_runs() -> None:
    """Given no plan, or one that nobody renews, then a camera without status says so."""
    assert judge(_camera(), None, Surroundings(None, 1)).reason is StatusReason.NO_MANAGER
    old = _around({"lobby": StatusReason.NO_CAPACITY}, plan_age_ms=STALE_MS + 1)
    assert judge(_camera(), None, old).reason is StatusReason.NO_MANAGER


def test_a_camera_that_was_just_placed_waits_without_a_reason() -> None:
    """Given a camera that has a worker which did not report yet, then nothing is wrong with it."""
    verdict = judge(_camera(), None, _around())
    assert (verdict.state, verdict.reason) == (CameraState.PENDING, None)
    assert verdict.detail


def test_the_age_of_the_last_frame_does_not_depend_on_the_workers_clock() -> None:
    """Given a worker whose clock is an hour off, then the last frame is as old as worker and Redis together say."""
    assert status_view(_camera(), _status(age_ms=700), None, _around()).last_frame_age_ms == 740


def test_every_reason_comes_with_its_remedy() -> None:
    """Given any reason, then the view has the sentence that says what to do."""
    for reason in StatusReason:
        view = status_view(_camera(), _status(CameraState.OFFLINE, reason), None, _around())
        assert view.remedy == REMEDIES[reason] != ""


def test_objects_are_counted_by_class_only_while_the_camera_is_online() -> None:
    """Given a result with three boxes, then they are shown online, and not once the camera is offline."""
    result = _seen("person", "car", "person")
    assert status_view(_camera(), _status(), result, _around()).objects == {"car": 1, "person": 2}
    offline = status_view(_camera(), _status(CameraState.OFFLINE, StatusReason.TIMEOUT), result, _around())
    assert offline.objects == {}
    assert (offline.stream_fps, offline.analysed_fps) == (0, 0)


def test_states_without_cameras_are_counted_as_none() -> None:
    """Given one camera online, then every other state is there with 0."""
    counts = count_states([status_view(_camera(), _status(), None, _around())])
    assert counts == {"pending": 0, "connecting": 0, "online": 1, "offline": 0, "disabled": 0}


@pytest.mark.parametrize(
    ("figures", "sentence"),
    [
        ((6, 6, 2, 11), "6 of 6 cameras online · 2 workers · 11 objects in view"),
        ((0, 1, 1, 1), "0 of 1 camera online · 1 worker · 1 object in view"),
        ((0, 0, 0, 0), "No camera is switched on · 0 workers"),
    ],
)
def test_the_farm_is_summed_up_in_a_sentence(figures: tuple[int, int, int, int], sentence: str) -> None:
    """Given counts, then they read as English."""
    assert summary(*figures) == sentence


def test_a_recording_that_fails_is_shown_with_its_remedy() -> None:
    """Given a worker whose volume is full, then people see the reason and what to do, apart from the camera's own."""
    heard = _status()
    heard.message.recording = RecordingStatus(
        state=RecordingState.FAILING, reason=StatusReason.DISK_FULL, packets_lost={"disk_full": 7}
    )
    view = status_view(_camera(), heard, None, _around())
    assert (view.state, view.reason) == (CameraState.ONLINE, None)
    assert view.recording.remedy == REMEDIES[StatusReason.DISK_FULL]
    assert view.recording.packets_lost == {"disk_full": 7}


def test_a_camera_nobody_has_is_not_recorded() -> None:
    """Given no worker's word, then the recording is off and has nothing."""
    view = status_view(_camera(), None, None, _around())
    assert (view.recording.state, view.recording.seconds, view.recording.remedy) == (RecordingState.OFF, 0.0, "")
