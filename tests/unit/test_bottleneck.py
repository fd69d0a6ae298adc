"""What limits a worker, in words: one table for each limit, and nothing said where nothing is known."""

from dataclasses import replace
from typing import Any

import pytest

from camera_ctrler.planning.bottleneck import Bottleneck, find_bottleneck
from camera_ctrler.planning.remedies import Limit, WatchedCamera
from contract.cameras import SaveMode
from contract.recordings import RecordMode
from contract.workers import Stage, StageFigures, WorkerStatus

CAMERA = WatchedCamera(
    camera_id="cam-1",
    is_online=True,
    asked_fps=1.0,
    analysed_fps=1.0,
    stream_fps=25.0,
    frames_analysed=10_000,
    decode_mode="keyframes",
    width=640,
    height=360,
    has_main_url=False,
    save_frames=SaveMode.DETECTIONS,
    record=RecordMode.OFF,
    stream_cores=0.02,
    cost_cores=0.1,
)
#: A worker with room: half of two cores in use, on a host of four with nobody else.
STAGES = {
    Stage.RECEIVE: StageFigures(cpu_cores=0.08, items_per_second=250),
    Stage.RECORD: StageFigures(cpu_cores=0.02, busy=0.03, items_per_second=250, wall_ms=0.1),
    Stage.DECODE: StageFigures(cpu_cores=0.2, busy=0.25, items_per_second=10, wall_ms=25),
    Stage.GATE: StageFigures(cpu_cores=0.05, busy=0.06, items_per_second=10, wall_ms=6),
    Stage.DETECT: StageFigures(cpu_cores=0.4, busy=0.3, items_per_second=10, wall_ms=30, wait_p95_ms=20),
    Stage.TRACK: StageFigures(cpu_cores=0.05, busy=0.06, items_per_second=10, wall_ms=6),
    Stage.SAVE: StageFigures(cpu_cores=0.1, busy=0.12, items_per_second=10, wall_ms=12, wait_p95_ms=2),
    Stage.CROP: StageFigures(cpu_cores=0.01, busy=0.01, items_per_second=10, wall_ms=1),
    Stage.PUBLISH: StageFigures(cpu_cores=0.02, busy=0.03, items_per_second=10, wall_ms=3, wait_p95_ms=2),
}
STATUS = WorkerStatus(
    worker_id="one",
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
    cpu_cores=1.0,
    host_busy_cores=1.1,
    host_cores=4,
    stages=STAGES,
)


def seen(*cameras: WatchedCamera, figures: dict[Stage, dict[str, float]] | None = None, **said: Any) -> Bottleneck:
    """Return what limits the worker, with some figures changed."""
    changed = {stage: each.model_copy(update=(figures or {}).get(stage, {})) for stage, each in STAGES.items()}
    return find_bottleneck(STATUS.model_copy(update={"stages": changed} | said), 2.0, cameras or (CAMERA,))


def settings_of(found: Bottleneck) -> list[str]:
    """Return the settings that are named, in their order."""
    return [remedy.setting for remedy in found.remedies]


def test_where_nothing_limits_the_room_that_is_left_is_told() -> None:
    """Given a worker with half its cores in use by ten cameras, then about eight more fit, and nothing is to be set."""
    cameras = [replace(CAMERA, camera_id=f"cam-{number}") for number in range(10)]
    found = seen(*cameras)
    assert (found.limit, found.is_felt, found.remedies, found.room_cameras) == (Limit.NONE, False, (), 8)
    assert found.text == (
        "nothing limits it: 1.00 of 2.00 cores are in use and its detector is busy 30% of the time; "
        "most goes to detect (0.40); room for about 8 more cameras like these"
    )


def test_room_ends_where_the_detector_or_the_count_of_cameras_does() -> None:
    """Given cores that are idle beside a busy GPU, or a worker that takes no more cameras, that is the room."""
    cameras = [replace(CAMERA, camera_id=f"cam-{number}") for number in range(10)]
    assert seen(*cameras, figures={Stage.DETECT: {"busy": 0.6}}).room_cameras == 5
    assert seen(*cameras, max_cameras=11).room_cameras == 1
    assert seen(replace(CAMERA, is_online=False)).room_cameras is None


def test_decoding_of_every_frame_is_named_with_its_camera() -> None:
    """Given cores that go into decoding every frame of one camera, then that one is to be looked at less often."""
    dear = replace(CAMERA, camera_id="cam-7", decode_mode="all", stream_cores=0.9, cost_cores=1.1)
    found = seen(
        CAMERA,
        dear,
        figures={Stage.DECODE: {"cpu_cores": 1.1, "busy": 1.2}},
        cpu_cores=1.95,
        host_busy_cores=2.0,
        drops_per_second={"overload": 3.25},
    )
    assert (found.limit, found.is_felt, found.room_cameras) == (Limit.DECODE, True, 0)
    assert found.text == (
        "decode-bound: 1.95 of 2.00 cores are in use, 1.10 of them to decode; 3.2 frames a second are lost"
    )
    assert settings_of(found) == ["analyse_fps", "./farm worker"]
    assert found.remedies[0].cameras == ("cam-7",)
    assert found.remedies[0].text.startswith("lower analyse_fps on cam-7, or give it a keyframe")


def test_decoding_of_large_pictures_asks_for_a_sub_stream() -> None:
    """Given large pictures, those with one URL are to get a second, those with two a smaller one; dearest first."""
    one = replace(CAMERA, camera_id="one-url", width=1920, height=1080, stream_cores=0.3)
    two = replace(CAMERA, camera_id="two-urls", width=2560, height=1440, stream_cores=0.2, has_main_url=True)
    found = seen(CAMERA, two, one, figures={Stage.DECODE: {"cpu_cores": 1.2}}, cpu_cores=1.9)
    assert (found.limit, found.is_felt) == (Limit.DECODE, False)
    assert found.text.endswith("; nothing is lost by it yet")
    assert [(remedy.setting, remedy.cameras) for remedy in found.remedies[:2]] == [
        ("main_url", ("one-url",)),
        ("url", ("two-urls",)),
    ]
    assert "1920x1080" in found.remedies[0].text
    assert "2560x1440" in found.remedies[1].text


def test_a_busy_detector_is_the_limit_although_cores_are_left() -> None:
    """Given a detector thread that is always busy (a GPU, or few threads), it is the limit; quick cameras are named."""
    quick = replace(CAMERA, camera_id="quick", asked_fps=15.0, analysed_fps=15.0)
    figures = {Stage.DETECT: {"busy": 0.97, "items_per_second": 32.0, "wall_ms": 30.0}}
    found = seen(CAMERA, quick, figures=figures)
    assert (found.limit, found.is_felt) == (Limit.DETECT, False)
    assert found.text.startswith(
        "detector-bound: its one thread is busy 97% of the time with 32.0 frames a second at 30.0 ms"
    )
    assert settings_of(found) == ["analyse_fps", "FARM_MODEL", "FARM_DETECT_SIZE", "FARM_DEVICE", "./farm worker"]
    assert found.remedies[0].cameras == ("quick",)
    assert "up to 15 a second" in found.remedies[0].text
    assert "FARM_DEVICE" not in settings_of(seen(figures=figures, device="cuda:0"))


def test_a_detector_that_takes_the_cores_is_the_limit() -> None:
    """Given cores that are full and mostly the detector's, then it is."""
    found = seen(figures={Stage.DETECT: {"cpu_cores": 1.4, "busy": 0.8}}, cpu_cores=1.99)
    assert found.limit is Limit.DETECT
    assert "1.40 of them to detect" in found.text


def test_a_detector_that_is_behind_is_the_limit_also_when_it_is_not_always_busy() -> None:
    """Given frames that are pushed out before they are taken, then what takes them too slowly is named."""
    found = seen(drops_per_second={"overload": 1.0}, figures={Stage.DETECT: {"wait_p95_ms": 2_500.0, "busy": 0.7}})
    assert (found.limit, found.is_felt) == (Limit.DETECT, True)
    assert "frames wait 2.5 s" in found.text


@pytest.mark.parametrize(
    ("stage", "limit", "setting"),
    [
        (Stage.RECEIVE, Limit.RECEIVE, "url"),
        (Stage.RECORD, Limit.RECORD, "FARM_FRAMES_DIR"),
        (Stage.GATE, Limit.GATE, "analyse_fps"),
        (Stage.TRACK, Limit.TRACK, "FARM_TRACKER"),
        (Stage.CROP, Limit.CROP, "FARM_CROPS"),
        (Stage.SAVE, Limit.SAVE, "FARM_JPEG_QUALITY"),
        (Stage.PUBLISH, Limit.PUBLISH, "FARM_REDIS_URL"),
    ],
)
def test_whichever_stage_takes_most_of_full_cores_is_named(stage: Stage, limit: Limit, setting: str) -> None:
    """Given cores that are full, the stage with most of them is the limit, with a setting that moves it."""
    found = seen(figures={stage: {"cpu_cores": 1.2, "busy": 1.2}}, cpu_cores=1.98)
    assert found.limit is limit
    assert found.text.startswith(f"{limit.value}-bound: ")
    assert setting in settings_of(found)


def test_main_streams_that_are_only_recorded_are_named_where_receiving_is_the_limit() -> None:
    """Given cameras with two streams of which one is recorded, then not recording it would help."""
    recorded = replace(CAMERA, camera_id="two", has_main_url=True, record=RecordMode.CONTINUOUS)
    found = seen(CAMERA, recorded, figures={Stage.RECEIVE: {"cpu_cores": 1.5}}, cpu_cores=1.98)
    assert {remedy.setting: remedy.cameras for remedy in found.remedies}["record"] == ("two",)


def test_cameras_that_are_always_recorded_are_named_where_writing_is_the_limit() -> None:
    """Given cores that go to writing footage, then recording around motion would help, on those that record always."""
    always = replace(CAMERA, camera_id="always", record=RecordMode.CONTINUOUS)
    found = seen(CAMERA, always, figures={Stage.RECORD: {"cpu_cores": 1.5, "busy": 0.99}}, cpu_cores=1.98)
    assert found.limit is Limit.RECORD
    assert {remedy.setting: remedy.cameras for remedy in found.remedies}["record"] == ("always",)


def test_saving_that_is_behind_names_the_cameras_that_save_every_frame_and_the_slow_volume() -> None:
    """Given frames dropped before they were saved, and time that goes by without CPU, then the volume is slow."""
    all_frames = [replace(CAMERA, camera_id=f"all-{number}", save_frames=SaveMode.ALL) for number in range(6)]
    slow = {Stage.SAVE: {"busy": 1.9, "wall_ms": 190.0, "wait_p95_ms": 3_000.0}}
    found = seen(CAMERA, *all_frames, figures=slow, drops_per_second={"saving_backlog": 2.0})
    assert (found.limit, found.is_felt) == (Limit.SAVE, True)
    assert settings_of(found)[:3] == ["save_frames", "FARM_FRAMES_DIR", "FARM_JPEG_QUALITY"]
    assert found.remedies[0].text == "save_frames=detections, or none, on all-0, all-1, all-2, all-3 and 2 more"
    assert len(found.remedies[0].cameras) == 6
    assert "FARM_FRAMES_DIR" not in settings_of(seen(drops_per_second={"saving_backlog": 2.0}))


def test_a_slow_redis_is_the_limit_and_not_the_cores() -> None:
    """Given a publisher that does nothing but wait, then the time of one exchange is told, and whose it is."""
    figures = {Stage.PUBLISH: {"busy": 0.99, "cpu_cores": 0.05, "wall_ms": 80.0, "wait_p95_ms": 4_000.0}}
    found = seen(figures=figures, drops_per_second={"publish_backlog": 1.0}, cpu_cores=1.95)
    assert (found.limit, found.is_felt) == (Limit.PUBLISH, True)
    assert "a record takes 80.0 ms, 76.0 of them waiting for Redis" in found.text
    assert settings_of(found)[0] == "FARM_REDIS_URL"


def test_records_on_disk_mean_that_redis_is_away_or_slow() -> None:
    """Given records in the spool, then publishing is the limit, whatever else is busy."""
    found = seen(spool_records=40)
    assert (found.limit, found.is_felt) == (Limit.PUBLISH, True)
    assert "40 records wait on disk" in found.text


def test_a_worker_whose_host_is_used_by_others_is_starved() -> None:
    """Given a full host and a worker that gets less than it counts on, then it is starved, once that is felt."""
    starved: dict[str, Any] = {"cpu_cores": 0.8, "host_busy_cores": 4.0, "drops_per_second": {"overload": 2.0}}
    found = seen(**starved, figures={Stage.DETECT: {"busy": 0.95}})
    assert (found.limit, found.is_felt) == (Limit.HOST, True)
    assert "others on north use 3.2 of its 4 cores" in found.text
    assert "0.80 of the 2.00 that it counts on" in found.text
    assert settings_of(found) == ["FARM_WORKER_CORES", "./farm worker"]
    unfelt = seen(**starved | {"drops_per_second": {}})
    assert (unfelt.limit, unfelt.room_cameras) == (Limit.NONE, 0)
    assert unfelt.text.endswith("others on north use 3.2 of its 4 cores, so that there is no room")


def test_threads_that_wait_for_each_other_ask_for_more_processes() -> None:
    """Given stages that need only a core and take four times their CPU time although cores are idle, it is the lock."""
    slow = {Stage.DECODE: {"busy": 1.0}, Stage.TRACK: {"busy": 0.5}}
    found = seen(figures=slow, drops_per_second={"overload": 2.0})
    assert (found.limit, found.is_felt) == (Limit.INTERPRETER, True)
    assert settings_of(found) == ["FARM_WORKERS", "./farm profile --trace"]


def test_cores_that_no_stage_counts_are_not_blamed_on_one() -> None:
    """Given full cores that stages do not explain, then that is said and a trace is the way to find out."""
    found = seen(figures={stage: {"cpu_cores": 0.05} for stage in Stage}, cpu_cores=1.95)
    assert found.limit is Limit.OTHER_WORK
    assert "1.50 of them by what no stage counts" in found.text
    assert settings_of(found)[0] == "./farm profile --trace"
    assert seen(stages={}, cpu_cores=1.95).limit is Limit.OTHER_WORK


def test_a_camera_that_gets_too_little_although_nothing_is_full_is_not_explained_away() -> None:
    """Given a camera with half its frames, then it is named; not so one that just began, or is slow by itself."""
    found = seen(CAMERA, replace(CAMERA, camera_id="short", analysed_fps=0.5))
    assert (found.limit, found.is_felt) == (Limit.UNCLEAR, True)
    assert "short gets fewer frames looked at than asked for" in found.text
    for camera in (
        replace(CAMERA, analysed_fps=0.5, frames_analysed=5),
        replace(CAMERA, asked_fps=20.0, analysed_fps=9.8, stream_fps=10.0),
        replace(CAMERA, asked_fps=0.2, analysed_fps=0.1),
        replace(CAMERA, analysed_fps=0.0, is_online=False),
    ):
        assert seen(camera).limit is Limit.NONE


def test_drops_that_are_no_ones_fault_are_no_symptom() -> None:
    """Given frames dropped because cameras moved to other workers, then nothing limits it."""
    assert seen(drops_per_second={"given_up": 5.0, "overload": 0.01}).limit is Limit.NONE


def test_an_older_worker_is_not_judged() -> None:
    """Given a worker that says nothing of its stages, then that is said with the remedy; a new one has a moment."""
    older = seen(stages=None)
    assert (older.limit, older.is_felt, older.remedies, older.room_cameras) == (Limit.UNKNOWN, False, (), None)
    assert "version 0 does not say what its stages do; bring it to the version of this command" in older.text
    assert "it has just begun" in seen(cpu_cores=None, started_at_ms=STATUS.updated_at_ms - 3_000).text


def test_every_stage_may_be_what_limits_a_worker() -> None:
    """Given full cores that go to any one stage, a verdict names it: none is unknown to the rules."""
    for stage in Stage:
        assert seen(figures={stage: {"cpu_cores": 1.9}}, cpu_cores=1.98).limit.value == stage.value
