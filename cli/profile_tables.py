"""Where the time of workers goes, as tables for a terminal."""

from collections.abc import Iterable
from typing import Final

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from camera_ctrler.api.farm_watch import FarmLook
from camera_ctrler.api.worker_profile import WorkerProfile, worker_profiles
from camera_ctrler.planning.remedies import Limit, WatchedCamera
from cli.table_text import Cell, Column, counted, short, table_of
from contract.workers import Stage, StageFigures, WorkerStatus

#: Cameras that are shown of each worker: those that cost most.
SHOWN_CAMERAS: Final = 5
#: Milliseconds of waiting from which on a queue is marked.
_LATE_MS: Final = 1_000.0


class ProfileTables:
    """Renders one look at the farm.

    Args:
        look: The farm.
        worker_id: The only worker that is shown; None: all.
        lines: Lines that there are; None: as many as it takes. Workers come in the order of their ids, and what does
            not fit is cut.
        trouble: Why the look is not a new one; empty: it is.
    """

    def __init__(
        self, look: FarmLook, *, worker_id: str | None = None, lines: int | None = None, trouble: str = ""
    ) -> None:
        self._profiles = [each for each in worker_profiles(look) if worker_id in (None, each.info.worker_id)]
        self._lines = lines
        self._trouble = trouble

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the workers, one below the other."""
        if self._trouble:
            yield Text(self._trouble, style="bold red")
        if not self._profiles:
            yield Text("no worker says how it does; see which there are with: ./farm workers list")
        left = self._lines
        for number, profile in enumerate(self._profiles):
            parts = list(_worker(profile))
            if left is not None:
                left -= sum(len(console.render_lines(part, options)) for part in parts) + 1
                if left < 0 and number:
                    rest = len(self._profiles) - number
                    yield Text(f"… and {counted(rest, 'worker')} more; choose one with --worker", style="dim")
                    return
            yield from parts
            yield Text()


def _worker(profile: WorkerProfile) -> Iterable[RenderableType]:
    status = profile.status
    runs = f"{status.model} on {status.device} ({status.detector})"
    yield Text(f"{profile.info.worker_id} · {runs} · {counted(len(status.holdings), 'camera')}", style="bold")
    yield from _verdict(profile)
    if status.stages is not None:
        yield Text()
        yield stage_table(status, profile.info.capacity_cores)
        yield _drops(status)
    if profile.cameras:
        yield Text()
        yield camera_table(profile.cameras[:SHOWN_CAMERAS])
        if len(profile.cameras) > SHOWN_CAMERAS:
            yield Text(f"… and {len(profile.cameras) - SHOWN_CAMERAS} that cost less", style="dim")


def _verdict(profile: WorkerProfile) -> Iterable[Text]:
    found = profile.bottleneck
    style = "green" if found.limit is Limit.NONE else "red" if found.is_felt else "yellow"
    yield Text(found.text, style=style)
    for remedy in found.remedies:
        yield Text(f"  → {remedy.text}")


def stage_table(status: WorkerStatus, capacity_cores: float) -> Table:
    """Return the stages of one worker, with what no stage counts, and all together."""
    columns = [
        Column("stage"),
        *(Column(heading, right=True) for heading in ("cores", "busy", "items/s", "ms each", "wait p95", "wait max")),
    ]
    stages = status.stages or {}
    rows: list[list[Cell]] = [_stage_cells(stage, stages[stage]) for stage in Stage if stage in stages]
    if status.cpu_cores is not None:
        counted_cores = sum(figures.cpu_cores for figures in stages.values())
        rows.append(["other", f"{max(0.0, status.cpu_cores - counted_cores):.3f}", *[""] * 5])
        rows.append([Text("all", style="bold"), f"{status.cpu_cores:.3f}", f"of {capacity_cores:.2f}", *[""] * 4])
    if status.host_busy_cores is not None and status.host_cores is not None:
        host = f"{status.host_busy_cores:.3f}"
        rows.append([Text("host", style="dim"), host, f"of {status.host_cores}", *[""] * 4])
    return table_of(columns, rows)


def _stage_cells(stage: Stage, figures: StageFigures) -> list[Cell]:
    waits = bool(figures.wait_max_ms)
    return [
        stage.value,
        f"{figures.cpu_cores:.3f}",
        f"{figures.busy:.0%}" if figures.busy else "",
        f"{figures.items_per_second:.1f}",
        f"{figures.wall_ms:.2f}" if figures.wall_ms else "",
        Text(f"{figures.wait_p95_ms:.0f} ms", style="red" if figures.wait_p95_ms >= _LATE_MS else "") if waits else "",
        f"{figures.wait_max_ms:.0f} ms" if waits else "",
    ]


def _drops(status: WorkerStatus) -> Text:
    told = ", ".join(
        f"{reason} {rate:.2f}/s" for reason, rate in sorted(status.drops_per_second.items(), key=lambda item: -item[1])
    )
    return Text("dropped  ", style="dim").append(told or "nothing", style="yellow" if told else "not dim")


def camera_table(cameras: Iterable[WatchedCamera]) -> Table:
    """Return cameras with what they cost and why."""
    columns = [
        Column("camera"),
        *(Column(heading, right=True) for heading in ("cores", "stream", "seen/asked fps", "fps")),
        Column("decodes"),
        Column("size"),
        Column("saves"),
    ]
    return table_of(columns, [_camera_cells(camera) for camera in cameras])


def _camera_cells(camera: WatchedCamera) -> list[Cell]:
    return [
        short(camera.camera_id, 32),
        _cores(camera.cost_cores),
        _cores(camera.stream_cores),
        f"{camera.analysed_fps:.1f}/{camera.asked_fps:g}",
        f"{camera.stream_fps:.0f}",
        camera.decode_mode if camera.is_online else "offline",
        f"{camera.width}x{camera.height}" if camera.width else "",
        camera.save_frames.value,
    ]


def _cores(cores: float | None) -> str:
    return "" if cores is None else f"{cores:.3f}"
