"""A ReID worker's figures for Prometheus, read when they are asked for."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from contract.errors import FarmError
from contract.reid_workers import ReidWorkerStatus


class ReidCollector(Collector):
    """Turns a ReID worker's own status into metrics: one source of figures for people and for Prometheus."""

    def __init__(self, status: Callable[[], ReidWorkerStatus]) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of this moment."""
        status = self._status()
        for name, what, counts in (
            ("done", "Recognitions done", status.done),
            ("failed", "Recognitions tried in vain", status.failed),
            ("dead", "Recognitions given up", status.dead),
        ):
            family = CounterMetricFamily(f"farm_reid_recognitions_{name}", what, labels=["recogniser"])
            for recogniser in status.recognisers:
                family.add_metric([recogniser], counts.get(recogniser, 0))
            yield family
        yield CounterMetricFamily("farm_reid_crops", "Crops looked at", status.crops)
        yield CounterMetricFamily("farm_reid_batches", "Batches recognised", status.batches)
        yield CounterMetricFamily("farm_reid_busy_seconds", "Time that recognisers took", status.busy_seconds)
        yield GaugeMetricFamily("farm_reid_in_hand", "Recognitions in its hands", status.in_hand)
        yield GaugeMetricFamily(
            "farm_reid_waits", "1 while something keeps it from working", float(bool(status.problem))
        )
        yield GaugeMetricFamily("farm_reid_dispatches", "1 while it fills the queues", float(bool(status.dispatcher)))
        if status.dispatcher is not None:
            figures = status.dispatcher
            yield GaugeMetricFamily("farm_reid_waiting", "Recognitions without a place on a queue", figures.waiting)
            queued = GaugeMetricFamily("farm_reid_queued", "Recognitions on a queue", labels=["queue"])
            for name, count in figures.queued.items():
                queued.add_metric([name], count)
            yield queued
            yield CounterMetricFamily("farm_reid_asked", "Recognitions made of events", figures.asked)
            yield CounterMetricFamily(
                "farm_reid_crops_left_out", "Crops not looked at for want of time", figures.crops_left_out
            )
            yield CounterMetricFamily("farm_reid_requeued", "Recognitions that no queue had", figures.requeued)
            yield CounterMetricFamily("farm_reid_taken_back", "Recognitions that dead workers had", figures.taken_back)


def serve_figures(host: str, port: int, collectors: Iterable[Collector]) -> int:
    """Serve the metrics on a thread; return the port, which was chosen if `port` is 0.

    Raises:
        FarmError: The address cannot be listened on.
    """
    registry = CollectorRegistry()
    for collector in collectors:
        registry.register(collector)
    try:
        server, _ = start_http_server(port, host, registry)
    except OSError as error:
        raise FarmError(f"ReID metrics cannot listen on {host}:{port} ({error}); set FARM_REID_METRICS_PORT") from error
    return int(server.server_port)
