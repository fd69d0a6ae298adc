"""The farm as tables for a terminal: what matters at 80 columns, and more where there is room."""

from collections.abc import Iterable
from typing import Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from camera_ctrler.api.farm_schemas import EventTotals, FarmTotals, HeldCamera, RecognitionTotals, WorkerInfo
from camera_ctrler.api.farm_view import farm_totals, worker_infos
from camera_ctrler.api.farm_watch import FarmLook
from camera_ctrler.api.schemas import CameraStatusView
from cli.table_text import Cell, Column, bar, bytes_text, counted, duration, short, table_of
from contract.cameras import CameraState
from contract.recordings import RecordingState, RecordingStatus

#: Columns from which on there is room for what is only sometimes looked for.
WIDE: Final = 110
#: Seconds after which an event that is not stored is late.
_LATE_SECONDS: Final = 5.0
#: Unplaced cameras that are named in the head.
_NAMED: Final = 4

_STATE_STYLES: Final = {
    CameraState.ONLINE: "green",
    CameraState.CONNECTING: "yellow",
    CameraState.PENDING: "yellow",
    CameraState.OFFLINE: "red",
    CameraState.DISABLED: "dim",
}
#: What a person looks for comes first.
_ORDER: Final = (
    CameraState.OFFLINE,
    CameraState.PENDING,
    CameraState.CONNECTING,
    CameraState.ONLINE,
    CameraState.DISABLED,
)

_MINUTE_MS: Final = 60_000


class FarmTables:
    """Renders one look at the farm in the width that there is.

    Args:
        look: The farm.
        lines: Lines that there are; what does not fit is counted instead of shown. None: all is shown.
        trouble: Why the look is not a new one; empty: it is.
    """

    def __init__(self, look: FarmLook, *, lines: int | None = None, trouble: str = "") -> None:
        self._look = look
        self._lines = lines
        self._trouble = trouble

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the head, the workers and the cameras."""
        wide = options.max_width >= WIDE
        workers = worker_infos(self._look.workers, self._look.cameras, self._look.plan)
        head = list(head_lines(farm_totals(self._look), ascii_only=options.ascii_only))
        if self._trouble:
            head.append(Text(self._trouble, style="bold red"))
        yield from (_cut(line, options.max_width) for line in head)
        yield Text()
        left = None if self._lines is None else max(4, self._lines - len(head) - 6)
        shown = len(workers) if left is None else max(2, min(len(workers), left // 3))
        yield worker_table(workers[:shown], wide=wide, ascii_only=options.ascii_only)
        yield from _rest(len(workers) - shown, "worker")
        yield Text()
        views = sorted(self._look.statuses.values(), key=lambda view: (_ORDER.index(view.state), view.camera_id))
        room = len(views) if left is None else max(2, left - shown)
        yield camera_table(views[:room], _costs(workers), wide=wide)
        yield from _rest(len(views) - room, "camera")


def _rest(count: int, noun: str) -> Iterable[Text]:
    if count > 0:
        yield Text(f"… and {counted(count, noun)} more", style="dim")


def _cut(line: Text, width: int) -> Text:
    line.truncate(width, overflow="ellipsis")
    return line


def head_lines(totals: FarmTotals, *, ascii_only: bool = False) -> Iterable[Text]:
    """Return what holds for the farm as a whole, a line for each matter."""
    yield Text(totals.summary, style="bold")
    yield _leader_line(totals)
    if totals.load_cores is not None and totals.capacity_cores is not None:
        ratio = totals.load_cores / totals.capacity_cores if totals.capacity_cores else 0.0
        required = f"required workers {totals.required_workers}, live {totals.workers_alive}"
        short = (totals.required_workers or 0) > totals.workers_alive
        yield (
            _labelled("load")
            .append(bar(ratio, ascii_only=ascii_only))
            .append(f"  {totals.load_cores:.2f} of {totals.capacity_cores:.2f} cores · ")
            .append(required, style="yellow" if short else "")
        )
    moves = ", ".join(
        f"{count} {reason.value}" for reason, count in sorted(totals.moves_last_hour.items(), key=lambda item: -item[1])
    )
    yield _labelled("moves").append(f"last hour: {moves or 'none'}")
    if totals.unplaced_total:
        yield _unplaced_line(totals)
    lost = totals.spool.lost
    yield (
        _labelled("spool")
        .append(f"{counted(totals.spool.records, 'record')}, {bytes_text(totals.spool.size_bytes)}")
        .append(f", {lost} lost", style="red" if lost else "")
        .append(f" · refused: {counted(totals.refused_writes, 'late write')}, {counted(totals.refused_plans, 'plan')}")
    )
    if totals.events is not None:
        yield _events_line(totals.events)
    if totals.recognitions is not None:
        yield _recognitions_line(totals.recognitions)
    if totals.volume is not None:
        for name, text in totals.volume.conditions.items():
            yield _labelled("volume").append(f"{name}: {text}", style="red")


def _labelled(label: str) -> Text:
    return Text(f"{label:<9}", style="dim").append("", style="not dim")


def _leader_line(totals: FarmTotals) -> Text:
    leader = totals.leader
    if leader is None:
        return Text("no manager leads; is the controller running?", style="red")
    since = duration(max(0, totals.now_ms - leader.leading_since_ms))
    others = f" · {counted(len(leader.controllers), 'controller')}" if leader.controllers else ""
    return _labelled("leader").append(f"{leader.controller_id}, for {since}{others}")


def _events_line(events: EventTotals) -> Text:
    late = events.waiting and events.waiting_seconds >= _LATE_SECONDS
    waiting = f", {events.waiting} waiting" + (f" for {duration(round(events.waiting_seconds * 1000))}" if late else "")
    line = _labelled("events").append(f"{events.stored} stored").append(waiting, style="yellow" if late else "")
    line.append(f", {events.lost} lost", style="red" if events.lost else "")
    if events.dead_letters:
        line.append(f", {counted(events.dead_letters, 'dead letter')}", style="yellow")
    if not events.writers:
        line.append(" · no event writer runs", style="yellow")
    return line


def _recognitions_line(totals: RecognitionTotals) -> Text:
    line = _labelled("reid").append(f"{counted(totals.workers, 'worker')}, {totals.queued} queued")
    line.append(f", {totals.waiting} waiting", style="yellow" if totals.waiting and not totals.workers else "")
    if totals.dead:
        line.append(f", {counted(totals.dead, 'dead letter')}", style="yellow")
    for problem in totals.problems:
        line.append(f" · waits for {problem}", style="yellow")
    return line


def _unplaced_line(totals: FarmTotals) -> Text:
    named = ", ".join(f"{one.camera_id} {one.reason.value}" for one in totals.unplaced[:_NAMED])
    more = ", …" if totals.unplaced_total > _NAMED else ""
    return _labelled("unplaced").append(f"{totals.unplaced_total}: {named}{more}", style="yellow")


# --- workers -------------------------------------------------------------------------------------------------------


def worker_table(workers: Iterable[WorkerInfo], *, wide: bool, ascii_only: bool = False) -> Table:
    """Return the workers with their load, cameras, lease and spool."""
    columns = [
        Column("worker", shrinks=True),
        Column("state"),
        Column("load"),
        *(Column(heading, right=True) for heading in ("cores", "cameras", "lease", "spool")),
    ]
    if wide:
        columns += [Column("refused", right=True), Column("ms/frame", right=True)]
        columns += [Column("device"), Column("labels", shrinks=True)]
    rows = [
        [*_worker_cells(worker, ascii_only=ascii_only), *(_more_worker_cells(worker) if wide else [])]
        for worker in workers
    ]
    return table_of(columns, rows)


def _worker_cells(worker: WorkerInfo, *, ascii_only: bool) -> list[Cell]:
    known = worker.status
    load = bar(worker.load, ascii_only=ascii_only) if worker.load is not None and worker.alive else Text()
    spent = f"{worker.load * worker.capacity_cores:.2f}/" if worker.load is not None and worker.alive else ""
    return [
        short(worker.worker_id, 40),
        worker_state(worker),
        load,
        f"{spent}{worker.capacity_cores:g}" if worker.alive and known else "",
        f"{len(worker.holdings)}/{known.max_cameras}" if known else "",
        f"{worker.lease_ms / 1000:.1f} s" if worker.alive else Text("lost", style="red"),
        _spool_cell(worker),
    ]


def worker_state(worker: WorkerInfo) -> Text:
    """Return what a worker is doing, in one word."""
    if not worker.alive:
        return Text("gone", style="red")
    if worker.status is None:
        return Text("silent", style="yellow")
    if worker.status.draining:
        return Text("leaving", style="yellow")
    return Text("asked", style="yellow") if worker.drain_asked else Text("working", style="green")


def _spool_cell(worker: WorkerInfo) -> Cell:
    known = worker.status
    if known is None:
        return ""
    if known.spool_lost:
        return Text(f"{known.spool_records} (-{known.spool_lost})", style="red")
    return Text(str(known.spool_records), style="yellow" if known.spool_records else "")


def _more_worker_cells(worker: WorkerInfo) -> list[Cell]:
    known = worker.status
    if known is None:
        return [""] * 4
    return [
        str(known.refused_writes),
        f"{known.detect_ms:.1f}",
        known.device,
        ", ".join(worker.labels),
    ]


# --- cameras -------------------------------------------------------------------------------------------------------


def _costs(workers: Iterable[WorkerInfo]) -> dict[tuple[str, str], HeldCamera]:
    """Return (worker id, camera id) -> what it costs there."""
    return {(worker.worker_id, name): held for worker in workers for name, held in worker.holdings.items()}


def camera_table(views: Iterable[CameraStatusView], costs: dict[tuple[str, str], HeldCamera], *, wide: bool) -> Table:
    """Return the cameras with state, worker, round, cost and rates; where it is narrow a reason replaces the state."""
    columns = [
        Column("camera"),
        *([Column("name", shrinks=True)] if wide else []),
        Column("state"),
        Column("worker"),
        *(Column(heading, right=True) for heading in ("epoch", "cores", "fps", "seen")),
        Column("rec"),
        *([Column("reason", shrinks=True)] if wide else []),
    ]
    return table_of(columns, [_camera_cells(view, costs, wide=wide) for view in views])


def _camera_cells(view: CameraStatusView, costs: dict[tuple[str, str], HeldCamera], *, wide: bool) -> list[Cell]:
    held = costs.get((view.worker_id or "", view.camera_id))
    reason = view.reason.value if view.reason else ""
    age = view.last_frame_age_ms
    return [
        short(view.camera_id, 32 if wide else 20),
        *([view.name] if wide else []),
        Text(view.state.value if wide else reason or view.state.value, style=_STATE_STYLES[view.state]),
        short(view.worker_id or "", 24 if wide else 14),
        str(view.epoch or ""),
        f"{held.cost_cores:.2f}" if held is not None and held.cost_cores is not None else "",
        f"{view.analysed_fps:.1f}/{view.stream_fps:.0f}",
        "" if age is None else f"{age / 1000:.1f} s" if age < _MINUTE_MS else duration(age),
        recording_cell(view.recording),
        *([" ".join(filter(None, [reason, view.detail, _recording_trouble(view.recording)]))] if wide else []),
    ]


def recording_cell(recording: RecordingStatus) -> Text:
    """Return what a camera's recording is doing, in one short word."""
    if recording.state is RecordingState.FAILING:
        return Text("fails", style="red")
    if recording.state is RecordingState.RECORDING:
        return Text("on", style="green")
    return Text("waits" if recording.state is RecordingState.WAITING else "")


def _recording_trouble(recording: RecordingStatus) -> str:
    if recording.state is not RecordingState.FAILING or recording.reason is None:
        return ""
    return f"not recorded: {recording.reason.value} {recording.detail}".rstrip()
