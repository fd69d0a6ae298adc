"""What `./farm profile` shows of workers."""

from dataclasses import replace

from rich.console import Console

from camera_ctrler.api.farm_watch import FarmLook
from camera_ctrler.api.worker_profile import worker_profiles
from camera_ctrler.planning.remedies import Limit
from cli.profile_tables import ProfileTables
from contract.workers import Stage, StageFigures
from tests.support.looks import led_look

STAGES = {
    Stage.DETECT: StageFigures(
        cpu_cores=0.3, busy=0.4, items_per_second=7, wall_ms=57.14, wait_p95_ms=1_500, wait_max_ms=2_000
    ),
    Stage.RECEIVE: StageFigures(cpu_cores=0.125, items_per_second=175),
}


def profiled(look: FarmLook, **said: object) -> FarmLook:
    """Return the farm with stages at its first worker."""
    first, *others = look.workers
    assert first.status is not None
    figures = {"stages": STAGES, "cpu_cores": 0.5, "host_busy_cores": 0.6, "host_cores": 4}
    status = first.status.model_copy(update=figures | said)
    return replace(look, workers=[replace(first, status=status), *others])


def shown(tables: ProfileTables, width: int = 160) -> list[str]:
    """Return the lines of the tables."""
    console = Console(width=width, legacy_windows=False)
    with console.capture() as capture:
        console.print(tables)
    return [line.rstrip() for line in capture.get().splitlines()]


def line_of(lines: list[str], start: str) -> list[str]:
    """Return the words of the line that begins so."""
    return next(line for line in lines if line.startswith(start)).split()


def test_stages_are_shown_in_the_order_of_the_work_with_what_none_counts() -> None:
    """Given two stages of a worker, then both stand in order, then the rest, all together and its host."""
    lines = shown(ProfileTables(profiled(led_look(workers=1), drops_per_second={"overload": 0.5, "given_up": 2.0})))
    assert line_of(lines, "receive") == ["receive", "0.125", "175.0"]
    assert line_of(lines, "detect ") == ["detect", "0.300", "40%", "7.0", "57.14", "1500", "ms", "2000", "ms"]
    assert line_of(lines, "other") == ["other", "0.075"]
    assert line_of(lines, "all") == ["all", "0.500", "of", "2.00"]
    assert line_of(lines, "host") == ["host", "0.600", "of", "4"]
    firsts = [line.split()[0] for line in lines if line]
    assert firsts.index("receive") < firsts.index("detect") < firsts.index("other")
    assert "dropped  given_up 2.00/s, overload 0.50/s" in lines


def test_the_verdict_stands_above_the_figures_with_its_remedies() -> None:
    """Given frames that wait for a second and a half, then the detector is named, and below it what to set."""
    lines = shown(ProfileTables(profiled(led_look(workers=1))))
    number = next(number for number, line in enumerate(lines) if line.startswith("detector-bound: "))
    assert lines[number + 1].startswith("  → lower analyse_fps on cam-0000000000000000, cam-0000000000000001")
    assert number < next(number for number, line in enumerate(lines) if line.startswith("stage"))


def test_the_dearest_cameras_are_shown_and_the_rest_counted() -> None:
    """Given seven cameras of which one costs more, then it stands first and two are counted."""
    look = profiled(led_look(cameras=7, workers=1))
    status = look.workers[0].status
    assert status is not None
    dear = status.holdings["cam-0000000000000004"].model_copy(update={"stream_cores": 0.5})
    status.holdings["cam-0000000000000004"] = dear
    lines = shown(ProfileTables(look))
    cameras = [line.split() for line in lines if line.startswith("cam-")]
    assert cameras[0][:5] == ["cam-0000000000000004", "0.590", "0.500", "1.0/1", "25"]
    assert len(cameras) == 5
    assert "… and 2 that cost less" in lines


def test_a_worker_that_says_nothing_of_its_stages_is_shown_all_the_same() -> None:
    """Given an older worker beside a new one, then it has a line that says why there are no figures."""
    look = profiled(led_look(workers=2))
    assert [each.bottleneck.limit for each in worker_profiles(look)] == [Limit.DETECT, Limit.UNKNOWN]
    lines = shown(ProfileTables(look))
    assert sum(line.startswith("stage") for line in lines) == 1
    assert any(line.startswith("not known: version 0 does not say what its stages do") for line in lines)


def test_one_worker_can_be_chosen_and_a_short_screen_counts_the_others() -> None:
    """Given three workers, then --worker shows one; in few lines the first is shown and the others are counted."""
    look = led_look(workers=3)
    chosen = look.workers[1].worker_id
    lines = shown(ProfileTables(look, worker_id=chosen))
    assert [line.split()[0] for line in lines if " · " in line] == [chosen]
    lines = shown(ProfileTables(look, lines=14))
    assert sum(" · " in line for line in lines) < 3
    assert any(line.startswith("… and ") and line.endswith("choose one with --worker") for line in lines)


def test_a_farm_without_workers_says_how_to_see_why() -> None:
    """Given no worker, and a look that is an old one, then both are said."""
    lines = shown(ProfileTables(replace(led_look(), workers=[]), trouble="Redis does not answer"))
    assert lines[0] == "Redis does not answer"
    assert "./farm workers list" in lines[1]


def test_a_camera_that_is_anothers_meanwhile_is_not_judged_by_its_figures() -> None:
    """Given a camera that moves, what the new worker says of it is not taken for the old one's."""
    look = profiled(led_look(cameras=1, workers=1))
    (view,) = look.statuses.values()
    look.statuses[view.camera_id] = view.model_copy(update={"worker_id": "another"})
    (camera,) = worker_profiles(look)[0].cameras
    assert (camera.is_online, camera.stream_fps, camera.asked_fps) == (False, 0.0, 1.0)
