"""The farm's metrics, in Prometheus text format, made anew for every scrape from what Redis and registry say."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

import redis
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from camera_ctrler.api.event_metrics import event_metrics
from camera_ctrler.api.farm_view import living
from camera_ctrler.api.farm_watch import FarmLook
from camera_ctrler.api.footage_metrics import footage_metrics
from camera_ctrler.api.recognition_metrics import recognition_metrics
from camera_ctrler.api.services import Services
from camera_ctrler.api.status_view import count_states
from contract.errors import StatusReason
from contract.moves import MoveReason
from contract.plan import PlanReport
from contract.workers import WorkerStatus

#: Reasons why cameras have no worker that are always shown, as 0 where there are none, so that alerts can rely on them.
_USUAL_REASONS: Final = (
    StatusReason.NO_WORKER,
    StatusReason.NO_CAPACITY,
    StatusReason.NO_LABELS,
    StatusReason.HOST_BUSY,
)
_Family = GaugeMetricFamily | CounterMetricFamily


class _Snapshot(Collector):
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families


def farm_metrics(services: Services) -> bytes:
    """Return all metrics; while Redis or the database is away, only those that are known without."""
    families: list[Metric] = [
        GaugeMetricFamily("farm_api_live_viewers", "Open live views", services.live.viewers()),
        GaugeMetricFamily("farm_api_event_listeners", "Open streams of events", services.event_hub.listeners()),
    ]
    away = {"redis": 0, "database": 0}
    try:
        families += [*_farm(look := services.farm.look()), *_cameras(look), *_workers(look), *_plan(look)]
        families += footage_metrics(look.footage)
        if look.events is not None:
            families += event_metrics(*look.events, look.now_ms)
        if look.recognitions is not None:
            families += recognition_metrics(*look.recognitions)
    except redis.RedisError:
        away["redis"] = 1
    except SQLAlchemyError:
        away["database"] = 1
    up = GaugeMetricFamily("farm_dependency_up", "Whether the API reached it for this scrape", labels=["name"])
    for name, is_away in away.items():
        up.add_metric([name], 1 - is_away)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Snapshot([*families, up]))
    return generate_latest(registry)


def _farm(look: FarmLook) -> Iterator[Metric]:
    cameras = GaugeMetricFamily("farm_cameras", "Registered cameras by state", labels=["state"])
    for state, count in count_states(look.statuses.values()).items():
        cameras.add_metric([state], count)
    yield cameras
    yield GaugeMetricFamily("farm_objects_in_view", "Objects in the newest frames", look.objects_in_view)


def _cameras(look: FarmLook) -> Iterator[Metric]:
    age = GaugeMetricFamily(
        "farm_camera_last_frame_age_seconds", "Seconds since the last frame arrived", labels=["camera"]
    )
    result_age = GaugeMetricFamily(
        "farm_camera_result_age_seconds", "Capture to published result, median of the last seconds", labels=["camera"]
    )
    stream = GaugeMetricFamily("farm_camera_stream_fps", "Frames received per second", labels=["camera"])
    analysed_fps = GaugeMetricFamily("farm_camera_analysed_fps", "Frames analysed per second", labels=["camera"])
    analysed = CounterMetricFamily(
        "farm_camera_frames_analysed", "Frames analysed by the worker that holds it", labels=["camera"]
    )
    saved = CounterMetricFamily(
        "farm_camera_frames_saved", "Frames saved by the worker that holds it", labels=["camera"]
    )
    dropped = CounterMetricFamily(
        "farm_camera_frames_dropped", "Frames due and without a result", labels=["camera", "reason"]
    )
    unsaved = CounterMetricFamily(
        "farm_camera_frames_unsaved", "Analysed frames that could not be saved", labels=["camera", "reason"]
    )
    cropped = CounterMetricFamily("farm_camera_crops_saved", "Crops of tracked objects saved", labels=["camera"])
    uncropped = CounterMetricFamily(
        "farm_camera_crops_unsaved", "Crops of tracked objects that were not saved", labels=["camera", "reason"]
    )
    reconnects = CounterMetricFamily("farm_camera_reconnects", "Times the stream was opened again", labels=["camera"])
    epoch = GaugeMetricFamily(
        "farm_camera_epoch", "Round in which it is watched; rises when it moves", labels=["camera"]
    )
    for name, status in look.statuses.items():
        if status.last_frame_age_ms is not None:
            age.add_metric([name], status.last_frame_age_ms / 1000)
        if status.updated_at_ms is None:
            continue
        epoch.add_metric([name], status.epoch or 0)
        result_age.add_metric([name], status.age_ms / 1000)
        stream.add_metric([name], status.stream_fps)
        analysed_fps.add_metric([name], status.analysed_fps)
        analysed.add_metric([name], status.frames_analysed)
        saved.add_metric([name], status.frames_saved)
        reconnects.add_metric([name], status.reconnects)
        for reason, count in status.frames_dropped.items():
            dropped.add_metric([name, reason], count)
        for reason, count in status.frames_unsaved.items():
            unsaved.add_metric([name, reason], count)
        cropped.add_metric([name], status.crops_saved)
        for reason, count in status.crops_unsaved.items():
            uncropped.add_metric([name, reason], count)
    yield from (age, result_age, stream, analysed_fps, analysed, saved, dropped, unsaved, cropped, uncropped)
    yield from (reconnects, epoch)


#: Name, kind, help and value of what every live worker says of itself.
_WORKER_FIGURES: Final[tuple[tuple[str, type[_Family], str, Callable[[WorkerStatus], float]], ...]] = (
    ("farm_worker_max_cameras", GaugeMetricFamily, "Cameras it takes at most", lambda status: status.max_cameras),
    ("farm_worker_cameras", GaugeMetricFamily, "Cameras it holds", lambda status: len(status.holdings)),
    ("farm_worker_draining", GaugeMetricFamily, "Whether it hands over and leaves", lambda status: status.draining),
    ("farm_worker_detect_seconds", GaugeMetricFamily, "Detection per frame", lambda status: status.detect_ms / 1000),
    ("farm_worker_resident_bytes", GaugeMetricFamily, "Memory", lambda status: status.rss_bytes),
    ("farm_worker_cpu_seconds", CounterMetricFamily, "CPU time", lambda status: status.cpu_seconds),
    ("farm_worker_frames_analysed", CounterMetricFamily, "Frames analysed", lambda status: status.frames_analysed),
    ("farm_worker_frames_dropped", CounterMetricFamily, "Frames dropped", lambda status: status.frames_dropped),
    (
        "farm_worker_refused_writes",
        CounterMetricFamily,
        "Writes refused because a newer epoch exists",
        lambda status: status.refused_writes,
    ),
    (
        "farm_worker_spool_records",
        GaugeMetricFamily,
        "Results and events that wait on its disk for Redis",
        lambda status: status.spool_records,
    ),
    ("farm_worker_spool_bytes", GaugeMetricFamily, "Size of what waits there", lambda status: status.spool_bytes),
    (
        "farm_worker_spool_lost",
        CounterMetricFamily,
        "Results and events lost because its spool was full or could not be written",
        lambda status: status.spool_lost,
    ),
)


def _workers(look: FarmLook) -> Iterator[Metric]:
    yield GaugeMetricFamily("farm_workers", "Workers whose lease is held", look.workers_alive)
    statuses = living(look.workers)
    for name, kind, text, value in _WORKER_FIGURES:
        family = kind(name, text, labels=["worker"])
        for status in statuses:
            family.add_metric([status.worker_id], value(status))
        yield family


def _plan(look: FarmLook) -> Iterator[Metric]:
    plan = look.plan
    yield GaugeMetricFamily("farm_plan_led", "Whether a manager leads", int(plan is not None))
    if plan is None:  # what nobody knows is left out: an autoscaler then does nothing
        return
    yield GaugeMetricFamily("farm_controllers", "Controllers that run", len(plan.controllers))
    yield GaugeMetricFamily(
        "farm_required_workers",
        "Workers that would carry all cameras without any of them being over capacity",
        plan.required_workers,
    )
    yield GaugeMetricFamily("farm_load_cores", "CPU-seconds a second that all cameras cost", plan.load_cores)
    yield GaugeMetricFamily("farm_capacity_cores", "CPU-seconds a second that they may cost", plan.capacity_cores)
    load = GaugeMetricFamily(
        "farm_worker_load_ratio", "What its cameras cost divided by what they may cost", labels=["worker"]
    )
    for worker, ratio in sorted(plan.load.items()):
        load.add_metric([worker], ratio)
    yield load
    yield from _plan_counts(plan)


def _plan_counts(plan: PlanReport) -> Iterator[Metric]:
    """Yield counts of the manager that leads: they begin at 0 with each change of leader, as counters may."""
    for name, text, value in (
        ("placed", "Cameras given to a worker for the first time", plan.placed_total),
        ("moved", "Cameras moved between workers", plan.moved_total),
        ("withdrawn", "Cameras taken from workers", plan.withdrawn_total),
        ("refused", "Plans refused because another manager led", plan.refused_plans),
    ):
        yield CounterMetricFamily(f"farm_plan_{name}", text, value)
    moves = CounterMetricFamily("farm_moves", "Cameras given out, moved or taken away, by reason", labels=["reason"])
    for reason in MoveReason:  # all of them, so that a rate can be made of the first one
        moves.add_metric([reason], plan.moves_by_reason.get(reason, 0))
    yield moves
    unplaced = GaugeMetricFamily(
        "farm_plan_unplaced_cameras", "Cameras that no worker has, by reason", labels=["reason"]
    )
    found = Counter(plan.unplaced.values())
    for why in sorted({*_USUAL_REASONS, *found}):
        unplaced.add_metric([why], found[why])
    yield unplaced
