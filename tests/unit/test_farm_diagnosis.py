"""What people are told is wrong with the farm: one trouble a test, in a sentence with what to do."""

from typing import Any

import pytest

from camera_ctrler.api.diagnosis.diagnosis import diagnose, diagnose_some, health, seen
from camera_ctrler.api.diagnosis.history import CountHistory, Counts, Past
from camera_ctrler.api.farm_view import farm_totals
from camera_ctrler.api.farm_watch import FarmLook
from camera_ctrler.api.health_schemas import CameraCounts, FarmHealth, FarmState, Finding, Severity
from camera_ctrler.api.status_view import Surroundings, status_view
from camera_ctrler.event_store.store import Totals
from contract.camera_specs import Camera
from contract.cameras import CameraState, CameraStatus
from contract.errors import StatusReason
from contract.footage_report import FootageReport
from contract.plan import PlanReport
from contract.recognition import RecognitionState
from contract.recordings import RecordingStatus
from contract.reid_workers import ReidWorkerStatus
from contract.workers import Holding, Stage, StageFigures, WorkerStatus
from runtime.event_feed import Backlog
from runtime.farm_reader import Heard, WorkerView
from runtime.reid_reader import ReidWorkerView
from tests.support.clocks import SetClock

NOW = 1_790_000_000_000
FLOOR = 2_000_000_000


def _camera(name: str, *, enabled: bool = True) -> Camera:
    return Camera(
        id=name,
        name=name,
        url="rtsp://192.0.2.10/s",
        has_credentials=False,
        enabled=enabled,
        origin="farm",
        created_at_ms=0,
        updated_at_ms=0,
    )


def _status(name: str, reason: StatusReason | None = None, **more: Any) -> CameraStatus:
    state = CameraState.ONLINE if reason is None else CameraState.OFFLINE
    return CameraStatus(camera_id=name, worker_id="w1", epoch=1, state=state, reason=reason, updated_at_ms=NOW, **more)


def _worker(**said: Any) -> WorkerView:
    status = WorkerStatus(
        worker_id="w1",
        host="north",
        pid=1,
        version="0",
        started_at_ms=0,
        updated_at_ms=600_000,
        device="cpu",
        detector="openvino",
        model="yolo11n",
        cores=2,
        max_cameras=64,
        holdings={"lobby": Holding(epoch=1), "yard": Holding(epoch=1)},
        cpu_cores=0.5,
        host_busy_cores=0.6,
        host_cores=4,
        stages={Stage.DETECT: StageFigures(cpu_cores=0.3, busy=0.3)},
    )
    return WorkerView("w1", alive=True, lease_ms=3_000, status=status.model_copy(update=said))


def _plan(**fields: Any) -> PlanReport:
    report = PlanReport(controller_id="c", updated_at_ms=NOW, leading_since_ms=0, cameras=2, workers=1)
    return report.model_copy(update={"required_workers": 1} | fields)


_STORED_BY_ONE = Backlog(writers=1)
_ONE_WORKER = (_worker(),)
_LED = _plan()


def look(
    *statuses: CameraStatus,
    workers: tuple[WorkerView, ...] = _ONE_WORKER,
    plan: PlanReport | None = _LED,
    events: Backlog = _STORED_BY_ONE,
    waiting: int = 0,
    dead: int = 0,
    reid: tuple[ReidWorkerView, ...] = (),
    footage: FootageReport | None = None,
    disabled: frozenset[str] = frozenset(),
) -> FarmLook:
    """Return a farm of the cameras lobby and yard; those that no status is given of are online."""
    said = {"lobby": _status("lobby"), "yard": _status("yard")} | {status.camera_id: status for status in statuses}
    if not workers:
        said = {}
    around = Surroundings(None if plan is None else Heard(plan, 0), len(workers))
    cameras = {name: _camera(name, enabled=name not in disabled) for name in ("lobby", "yard")}
    heard = {name: Heard(status, 0) for name, status in said.items()}
    return FarmLook(
        now_ms=NOW,
        cameras=cameras,
        statuses={name: status_view(camera, heard.get(name), None, around) for name, camera in cameras.items()},
        workers=list(workers),
        plan=plan,
        moves_last_hour={},
        footage=footage,
        events=(Totals(stored=5, dead_letters=0), events),
        recognitions=(
            {RecognitionState.WAITING: waiting, RecognitionState.QUEUED: 0, RecognitionState.DEAD: dead},
            list(reid),
        ),
    )


def told(farm: FarmLook, past: Past | None = None) -> list[Finding]:
    """Return what is said of it to who may see everything."""
    return diagnose(farm, farm_totals(farm), past, FLOOR)


def only(farm: FarmLook, past: Past | None = None) -> Finding:
    """Return the one thing that is said of it."""
    (finding,) = told(farm, past)
    return finding


def _whole(farm: FarmLook) -> FarmHealth:
    return health(NOW, told(farm), farm.statuses.values())


def test_of_a_farm_in_order_nothing_is_said_but_that_it_is() -> None:
    """Given two cameras that are watched, then there is no finding and the sentence says so."""
    said = _whole(look())
    assert (said.state, said.findings) == (FarmState.OK, [])
    assert said.sentence == "All is well: all 2 cameras are watched."
    assert said.cameras == CameraCounts(registered=2, enabled=2, connecting=0)


def test_cameras_that_are_switched_off_are_no_trouble() -> None:
    """Given no camera that is switched on, and no worker, then nobody is told to start one."""
    said = _whole(look(workers=(), disabled=frozenset({"lobby", "yard"})))
    assert (said.state, said.sentence) == (FarmState.OK, "No camera is switched on.")
    assert said.cameras == CameraCounts(registered=2, enabled=0, connecting=0)


def test_without_a_worker_that_is_said_once_with_the_command_and_not_again_for_each_camera() -> None:
    """Given no worker, then one finding says how many cameras are not watched and how to start one."""
    finding = only(look(workers=(), plan=_plan(unplaced=dict.fromkeys(("lobby", "yard"), StatusReason.NO_WORKER))))
    assert (finding.code, finding.severity, finding.setting) == ("no_worker", Severity.BROKEN, "./farm worker")
    assert finding.text == "No worker is running, so 2 cameras are not watched."
    assert finding.remedy == "Start one with: ./farm worker"


def test_without_a_manager_that_is_said_once_with_the_command() -> None:
    """Given workers and no manager, then what that means is said and how to start one."""
    finding = only(look(plan=None))
    assert (finding.code, finding.severity) == ("no_manager", Severity.BROKEN)
    assert "./farm controller" in finding.remedy


def test_cameras_that_are_offline_for_the_same_reason_are_told_of_together_with_its_remedy() -> None:
    """Given two cameras whose passwords are wrong, then one sentence names both, and the remedy is the reason's."""
    finding = only(look(*(_status(name, StatusReason.AUTH_FAILED) for name in ("lobby", "yard"))))
    assert (finding.code, finding.cameras, finding.count) == ("cameras_offline", ["lobby", "yard"], 2)
    assert finding.text == "lobby and yard are offline: the camera refused the user name or password."
    assert finding.remedy == "Set the right ones on this camera."


def test_cameras_that_are_offline_for_different_reasons_are_told_of_apart() -> None:
    """Given a camera without a route and one with the wrong port, then there are two findings."""
    farm = look(_status("lobby", StatusReason.UNREACHABLE), _status("yard", StatusReason.REFUSED))
    assert [(finding.reason, finding.cameras) for finding in told(farm)] == [
        (StatusReason.UNREACHABLE, ["lobby"]),
        (StatusReason.REFUSED, ["yard"]),
    ]


@pytest.mark.parametrize(
    ("reason", "severity"),
    [
        (StatusReason.NO_CAPACITY, Severity.BROKEN),
        (StatusReason.NO_LABELS, Severity.BROKEN),
        (StatusReason.HOST_BUSY, Severity.NOTE),
    ],
)
def test_a_camera_that_no_worker_may_have_is_told_of_with_the_reason(reason: StatusReason, severity: Severity) -> None:
    """Given a camera that the plan leaves out, then it says why; what passes by itself is only noted."""
    farm = look(plan=_plan(unplaced={"yard": reason}))
    around = Surroundings(Heard(_plan(unplaced={"yard": reason}), 0), 1)
    farm.statuses["yard"] = status_view(farm.cameras["yard"], None, None, around)
    finding = only(farm)
    assert (finding.code, finding.reason, finding.severity) == ("cameras_waiting", reason, severity)
    assert finding.text.startswith("yard is not watched yet: ")


def test_a_camera_that_is_watched_and_not_recorded_is_told_of() -> None:
    """Given a volume that is full, then the cameras whose footage is lost are named, though they are online."""
    farm = look(_status("yard", recording=RecordingStatus(reason=StatusReason.DISK_FULL)))
    finding = only(farm)
    assert (finding.code, finding.cameras, finding.severity) == ("cameras_unrecorded", ["yard"], Severity.BROKEN)


def test_an_overloaded_worker_is_told_of_with_the_setting_that_would_move_it() -> None:
    """Given a detector that is busy all the time and loses frames, then what helps most is named."""
    stages = {Stage.DETECT: StageFigures(cpu_cores=1.9, busy=0.99, items_per_second=20, wall_ms=49)}
    worker = _worker(stages=stages, cpu_cores=1.95, drops_per_second={"overload": 3.0})
    finding = only(look(workers=(worker,)))
    assert (finding.code, finding.workers, finding.setting) == ("worker_overloaded", ["w1"], "analyse_fps")
    assert finding.remedy.startswith("What would help most: lower analyse_fps on lobby")
    assert "3.0 frames a second are lost" in finding.detail


def test_too_few_workers_are_told_of_where_none_of_them_is_behind_yet() -> None:
    """Given cameras that need three workers and one that runs, then that is a warning with both figures."""
    finding = only(look(plan=_plan(required_workers=3)))
    assert (finding.code, finding.severity) == ("too_few_workers", Severity.WARNING)
    assert finding.figures == {"required": 3, "running": 1}


def test_a_spool_that_shrinks_is_a_note_and_one_that_grows_a_warning() -> None:
    """Given records on a worker's disk, then whether they become more decides how bad that is."""
    farm = look(workers=(_worker(spool_records=50, spool_bytes=9_000, stages={}),))
    more, fewer = (Past(Counts(spool_records=count), Counts()) for count in (40, 60))
    kinds = {finding.code: finding for past in (more, fewer, None) for finding in told(farm, past)}
    assert kinds["spool_grows"].severity is Severity.WARNING
    assert kinds["spool_waits"].severity is Severity.NOTE
    assert "w1" in kinds["spool_grows"].text


def test_what_was_lost_minutes_ago_is_told_of_and_what_was_lost_before_that_is_not() -> None:
    """Given counts since the processes began, then only their growth within the last minutes is trouble."""
    farm = look(workers=(_worker(spool_lost=7),), events=Backlog(writers=1, lost=9))
    assert told(farm, Past(Counts(), Counts(spool_lost=7, events_lost=9))) == []
    lost = told(farm, Past(Counts(), Counts(spool_lost=5, events_lost=8)))
    assert [(finding.code, finding.count) for finding in lost] == [("spool_lost", 2), ("events_lost", 1)]
    assert all(finding.severity is Severity.BROKEN for finding in lost)


def test_what_the_keeper_of_the_volume_says_is_told_with_its_remedy() -> None:
    """Given evidence that fills the volume, then its sentence and its remedy are told apart."""
    text = "Footage of events fills the volume. Give it a larger one."
    report = FootageReport(controller_id="c", updated_at_ms=NOW, conditions={"evidence_fills_the_volume": text})
    finding = only(look(footage=report))
    assert (finding.code, finding.severity) == ("volume_evidence_fills_the_volume", Severity.BROKEN)
    assert (finding.text, finding.remedy) == ("Footage of events fills the volume.", "Give it a larger one.")


@pytest.mark.parametrize(("free_bytes", "codes"), [(FLOOR // 2, []), (FLOOR // 2 - 1, ["disk_nearly_full"])])
def test_a_disk_that_others_fill_is_told_of(free_bytes: int, codes: list[str]) -> None:
    """Given less room than the manager keeps free, then somebody else took it."""
    report = FootageReport(controller_id="c", updated_at_ms=NOW, free_bytes=free_bytes, total_bytes=10**12)
    assert [finding.code for finding in told(look(footage=report))] == codes


def test_events_that_wait_too_long_are_told_of_and_who_should_have_stored_them() -> None:
    """Given events that wait, then it is the database that is late, or nobody is there to store them."""
    late = Backlog(waiting=12, oldest_ms=NOW - 30_000, writers=1)
    assert only(look(events=late)).code == "events_late"
    assert only(look(events=Backlog(waiting=12, oldest_ms=NOW - 30_000))).code == "no_event_writer"
    assert told(look(events=Backlog(waiting=12, oldest_ms=NOW - 1_000, writers=1))) == []


def _reid(problem: str = "") -> ReidWorkerView:
    status = ReidWorkerStatus(
        worker_id="r1", host="h", pid=1, version="0", started_at_ms=0, updated_at_ms=0, problem=problem
    )
    return ReidWorkerView("r1", alive=True, status=status)


def test_recognisers_that_fall_behind_wait_or_are_missing_are_told_apart() -> None:
    """Given sightings to be recognised, then it is said whether nobody does it, somebody waits, or it is too much."""
    grows = Past(Counts(recognitions_waiting=900), Counts())
    assert only(look(waiting=3)).code == "no_reid_worker"
    assert only(look(waiting=1_000, reid=(_reid(),)), grows).code == "recognisers_behind"
    assert told(look(waiting=800, reid=(_reid(),)), grows) == [], "it catches up"
    assert only(look(reid=(_reid("the database: gone"),))).text == "ReID workers wait: the database: gone."


def test_dead_letters_are_told_of() -> None:
    """Given recognitions that were given up, then a person is asked to look at them."""
    finding = only(look(dead=2, reid=(_reid(),)))
    assert (finding.code, finding.count) == ("dead_letters", 2)
    assert "replay" in finding.remedy


def test_the_worst_comes_first_and_is_the_sentence() -> None:
    """Given dead letters and a camera that is offline, then the sentence is about the camera."""
    said = _whole(look(_status("yard", StatusReason.TIMEOUT), dead=2, reid=(_reid(),)))
    assert [finding.code for finding in said.findings] == ["cameras_offline", "dead_letters"]
    assert said.state is FarmState.BROKEN
    assert said.sentence.startswith("yard is offline: the camera did not answer in time. Check its power")


def test_who_may_see_one_camera_is_told_of_that_one_alone() -> None:
    """Given trouble with two cameras and the farm, then a viewer of one hears nothing of the rest, nor its name."""
    farm = look(_status("lobby", StatusReason.TIMEOUT), _status("yard", StatusReason.TIMEOUT), plan=None, dead=3)
    findings = diagnose_some(farm, lambda name: name == "lobby")
    said = health(NOW, findings, seen(farm, lambda name: name == "lobby"))
    assert [(finding.code, finding.cameras, finding.count) for finding in findings] == [
        ("cameras_offline", ["lobby"], 1)
    ]
    assert "yard" not in said.model_dump_json()


def test_counts_are_compared_with_those_of_a_moment_and_of_some_minutes_ago() -> None:
    """Given somebody who looks every five seconds, then growth is told from what was ten seconds and minutes ago."""
    clock = SetClock()
    history = CountHistory(clock)
    assert history.compare(Counts(spool_records=1)) is None
    for number in range(2, 100):
        clock.advance(5)
        past = history.compare(Counts(spool_records=number))
        if past is not None:
            assert number - 4 <= past.recent.spool_records <= number - 2
            assert past.oldest.spool_records >= number - 60
    clock.advance(301)
    assert history.compare(Counts()) is None, "nobody looked for too long to say what grows"
