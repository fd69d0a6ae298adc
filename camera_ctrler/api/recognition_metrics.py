"""Metrics of recognition, made anew for every scrape from what database and ReID workers say."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from contract.recognition import RecognitionQueue, RecognitionState
from runtime.reid_reader import ReidWorkerView


def recognition_metrics(counts: Mapping[RecognitionState, int], workers: Sequence[ReidWorkerView]) -> Iterator[Metric]:
    """Yield them."""
    rows = GaugeMetricFamily(
        "farm_recognitions", "Recognitions that are not done, up to 100,000 of a state", labels=["state"]
    )
    for state, count in counts.items():
        rows.add_metric([state.value], count)
    yield rows
    alive = [each.status for each in workers if each.alive and each.status is not None]
    yield GaugeMetricFamily(
        "farm_reid_workers", "ReID workers whose lease is held", sum(each.alive for each in workers)
    )
    queued = GaugeMetricFamily("farm_reid_queued", "Recognitions on a queue, those being done too", labels=["queue"])
    left_out = 0
    for figures in (status.dispatcher for status in alive):
        if figures is not None:
            left_out += figures.crops_left_out
            for queue in RecognitionQueue:
                queued.add_metric([queue.value], figures.queued.get(queue.value, 0))
    yield queued
    yield CounterMetricFamily("farm_reid_crops_left_out", "Crops not looked at for want of time", left_out)
    done: Counter[str] = Counter()
    dead: Counter[str] = Counter()
    for status in alive:
        done.update(status.done)
        dead.update(status.dead)
    for name, what, counted in (
        ("done", "Recognitions done by living ReID workers", done),
        ("dead", "Recognitions that they gave up", dead),
    ):
        family = CounterMetricFamily(f"farm_reid_recognitions_{name}", what, labels=["recogniser"])
        for recogniser, count in sorted(counted.items()):
            family.add_metric([recogniser], count)
        yield family
