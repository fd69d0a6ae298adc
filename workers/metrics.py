"""One worker's figures for Prometheus, read when they are asked for."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from contract.cameras import CameraState, CameraStatus
from contract.errors import FarmError
from contract.recordings import RecordingState
from contract.workers import WorkerStatus

#: Labels of figures that belong to one camera.
_CAMERA: Final = ["camera"]
_STAGE: Final = ["stage"]


class WorkerCollector(Collector):
    """Turns a worker's own status messages into metrics: one source of figures for people and for Prometheus."""

    def __init__(self, worker: Callable[[], WorkerStatus], cameras: Callable[[], Iterable[CameraStatus]]) -> None:
        self._worker = worker
        self._cameras = cameras

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of this moment."""
        worker = self._worker()
        yield GaugeMetricFamily("farm_worker_cameras", "Cameras this worker watches", len(worker.camera_ids))
        yield GaugeMetricFamily("farm_worker_max_cameras", "Cameras this worker takes at most", worker.max_cameras)
        yield GaugeMetricFamily("farm_worker_detect_seconds", "Detection time per frame", worker.detect_ms / 1000)
        if worker.detect_seconds is not None:
            yield GaugeMetricFamily(
                "farm_worker_detect_cpu_seconds", "CPU time of detection per frame", worker.detect_seconds
            )
        yield GaugeMetricFamily("farm_worker_spool_records", "Records that wait for Redis", worker.spool_records)
        yield GaugeMetricFamily("farm_worker_spool_bytes", "Size of what waits for Redis", worker.spool_bytes)
        yield CounterMetricFamily(
            "farm_worker_spool_lost", "Records that could not be kept until Redis takes them", worker.spool_lost
        )
        yield GaugeMetricFamily(
            "farm_worker_segments_waiting",
            "Finished files of footage that Redis was not told of",
            worker.segments_waiting,
        )
        yield CounterMetricFamily(
            "farm_worker_segments_untold", "Files of footage that Redis is never told of", worker.segments_untold
        )
        yield GaugeMetricFamily("farm_worker_resident_bytes", "Largest resident memory", worker.rss_bytes)
        yield CounterMetricFamily("farm_worker_cpu_seconds", "CPU time used", worker.cpu_seconds)
        if worker.host_busy_cores is not None:
            yield GaugeMetricFamily(
                "farm_worker_host_busy_cores",
                "CPU-seconds a second used on its host, by whomever",
                worker.host_busy_cores,
            )
        yield from _stages(worker)
        yield CounterMetricFamily("farm_worker_frames_analysed", "Frames analysed", worker.frames_analysed)
        yield CounterMetricFamily("farm_worker_frames_dropped", "Frames due and not analysed", worker.frames_dropped)
        yield CounterMetricFamily(
            "farm_worker_refused_writes", "Writes refused because of a newer epoch", worker.refused_writes
        )
        online = GaugeMetricFamily("farm_worker_camera_online", "1 while frames come", labels=_CAMERA)
        age = GaugeMetricFamily("farm_worker_camera_age_seconds", "Capture to published result", labels=_CAMERA)
        rate = GaugeMetricFamily("farm_worker_camera_analysed_fps", "Frames analysed per second", labels=_CAMERA)
        stream = GaugeMetricFamily(
            "farm_worker_camera_stream_cores", "CPU-seconds a second of its stream", labels=_CAMERA
        )
        frame = GaugeMetricFamily(
            "farm_worker_camera_frame_seconds", "CPU time per analysed frame, apart from detection", labels=_CAMERA
        )
        for camera_id, holding in worker.holdings.items():
            if holding.stream_cores is not None:
                stream.add_metric([camera_id], holding.stream_cores)
            if holding.frame_seconds is not None:
                frame.add_metric([camera_id], holding.frame_seconds)
        cameras = list(self._cameras())
        for camera in cameras:
            online.add_metric([camera.camera_id], float(camera.state is CameraState.ONLINE))
            age.add_metric([camera.camera_id], camera.age_ms / 1000)
            rate.add_metric([camera.camera_id], camera.analysed_fps)
        yield from (online, age, rate, stream, frame)
        yield from _recordings(cameras)


def _stages(worker: WorkerStatus) -> Iterator[Metric]:
    cores = GaugeMetricFamily("farm_worker_stage_cores", "CPU-seconds a second of a stage", labels=_STAGE)
    busy = GaugeMetricFamily("farm_worker_stage_busy", "Seconds a second that threads are in a stage", labels=_STAGE)
    items = GaugeMetricFamily("farm_worker_stage_items_per_second", "Items that a stage is done with", labels=_STAGE)
    waits = GaugeMetricFamily(
        "farm_worker_stage_wait_seconds", "Wait before a stage, 95th percentile of ten seconds", labels=_STAGE
    )
    for stage, figures in (worker.stages or {}).items():
        cores.add_metric([stage.value], figures.cpu_cores)
        busy.add_metric([stage.value], figures.busy)
        items.add_metric([stage.value], figures.items_per_second)
        waits.add_metric([stage.value], figures.wait_p95_ms / 1000)
    drops = GaugeMetricFamily(
        "farm_worker_drops_per_second", "Frames that were due and have no result", labels=["reason"]
    )
    for reason, rate in worker.drops_per_second.items():
        drops.add_metric([reason], rate)
    yield from (cores, busy, items, waits, drops)


def _recordings(cameras: Iterable[CameraStatus]) -> Iterator[Metric]:
    failing = GaugeMetricFamily("farm_worker_camera_recording_failing", "1 while it cannot be recorded", labels=_CAMERA)
    seconds = CounterMetricFamily("farm_worker_camera_recorded_seconds", "Footage on the volume", labels=_CAMERA)
    size = CounterMetricFamily("farm_worker_camera_recorded_bytes", "Size of footage on the volume", labels=_CAMERA)
    lost = CounterMetricFamily(
        "farm_worker_camera_packets_lost", "Packets that were to be recorded and are not", labels=[*_CAMERA, "reason"]
    )
    for camera in cameras:
        recording = camera.recording
        if recording.state is RecordingState.OFF:
            continue
        failing.add_metric([camera.camera_id], float(recording.state is RecordingState.FAILING))
        seconds.add_metric([camera.camera_id], recording.seconds)
        size.add_metric([camera.camera_id], recording.size_bytes)
        for reason, count in recording.packets_lost.items():
            lost.add_metric([camera.camera_id, reason], count)
    yield from (failing, seconds, size, lost)


def serve_metrics(host: str, port: int, collector: WorkerCollector) -> int:
    """Serve the metrics on a thread; return the port, which was chosen if `port` is 0.

    Raises:
        FarmError: The address cannot be listened on.
    """
    registry = CollectorRegistry()
    registry.register(collector)
    try:
        server, _ = start_http_server(port, host, registry)
    except OSError as error:
        raise FarmError(f"worker metrics cannot listen on {host}:{port} ({error}); set FARM_METRICS_PORT") from error
    return int(server.server_port)
