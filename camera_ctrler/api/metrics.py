"""The farm's metrics, in Prometheus text format, made anew for every scrape from what Redis and registry say."""

from collections.abc import Iterator

import redis
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from camera_ctrler.api.farm_watch import FarmLook
from camera_ctrler.api.services import Services
from camera_ctrler.api.status_view import count_states


class _Snapshot(Collector):
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families


def farm_metrics(services: Services) -> bytes:
    """Return all metrics; while Redis or the database is away, only those that are known without."""
    families: list[Metric] = [
        GaugeMetricFamily("farm_api_live_viewers", "Open live views", services.live.viewers()),
    ]
    away = {"redis": 0, "database": 0}
    try:
        families += [*_farm(look := services.farm.look()), *_cameras(look), *_workers(look), *_plan(look)]
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
        "farm_camera_frames_dropped", "Frames due and not analysed or saved", labels=["camera", "reason"]
    )
    reconnects = CounterMetricFamily("farm_camera_reconnects", "Times the stream was opened again", labels=["camera"])
    for name, status in look.statuses.items():
        if status.last_frame_age_ms is not None:
            age.add_metric([name], status.last_frame_age_ms / 1000)
        if status.updated_at_ms is None:
            continue
        result_age.add_metric([name], status.age_ms / 1000)
        stream.add_metric([name], status.stream_fps)
        analysed_fps.add_metric([name], status.analysed_fps)
        analysed.add_metric([name], status.frames_analysed)
        saved.add_metric([name], status.frames_saved)
        reconnects.add_metric([name], status.reconnects)
        for reason, count in status.frames_dropped.items():
            dropped.add_metric([name, reason], count)
    yield from (age, result_age, stream, analysed_fps, analysed, saved, dropped, reconnects)


def _workers(look: FarmLook) -> Iterator[Metric]:
    yield GaugeMetricFamily("farm_workers", "Workers whose lease is held", look.workers_alive)
    limit = GaugeMetricFamily("farm_worker_max_cameras", "Cameras it takes at most", labels=["worker"])
    cameras = GaugeMetricFamily("farm_worker_cameras", "Cameras it holds", labels=["worker"])
    detect = GaugeMetricFamily("farm_worker_detect_seconds", "Detection per frame, mean", labels=["worker"])
    memory = GaugeMetricFamily("farm_worker_resident_bytes", "Memory", labels=["worker"])
    cpu = CounterMetricFamily("farm_worker_cpu_seconds", "CPU time", labels=["worker"])
    analysed = CounterMetricFamily("farm_worker_frames_analysed", "Frames analysed", labels=["worker"])
    dropped = CounterMetricFamily("farm_worker_frames_dropped", "Frames dropped", labels=["worker"])
    refused = CounterMetricFamily(
        "farm_worker_refused_writes", "Writes refused because a newer epoch exists", labels=["worker"]
    )
    for worker in look.workers:
        status = worker.status
        if status is None or not worker.alive:
            continue
        for family, value in (
            (limit, status.max_cameras),
            (cameras, len(status.camera_ids)),
            (detect, status.detect_ms / 1000),
            (memory, status.rss_bytes),
            (cpu, status.cpu_seconds),
            (analysed, status.frames_analysed),
            (dropped, status.frames_dropped),
            (refused, status.refused_writes),
        ):
            family.add_metric([worker.worker_id], value)
    yield from (limit, cameras, detect, memory, cpu, analysed, dropped, refused)


def _plan(look: FarmLook) -> Iterator[Metric]:
    yield GaugeMetricFamily("farm_plan_led", "Whether a manager leads", int(look.plan is not None))
    if look.plan is None:
        return
    for name, text, value in (
        ("placed", "Cameras given to a worker for the first time", look.plan.placed_total),
        ("moved", "Cameras moved between workers", look.plan.moved_total),
        ("withdrawn", "Cameras taken from workers", look.plan.withdrawn_total),
        ("refused", "Plans refused because another manager led", look.plan.refused_plans),
    ):
        yield CounterMetricFamily(f"farm_plan_{name}", text, value)
    unplaced = GaugeMetricFamily("farm_plan_unplaced_cameras", "Cameras that no worker has", len(look.plan.unplaced))
    yield unplaced
