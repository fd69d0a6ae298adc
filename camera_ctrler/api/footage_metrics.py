"""Metrics of the volumes of footage, made anew for every scrape from what the leading manager says of them."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from camera_ctrler.recordings.retention import Condition
from contract.footage_report import FootageReport


def footage_metrics(report: FootageReport | None) -> Iterator[Metric]:
    """Yield them; nothing while nobody says how the volumes are."""
    if report is None:
        return
    yield GaugeMetricFamily("farm_recordings_free_bytes", "Free bytes of the frames volume", report.free_bytes)
    yield GaugeMetricFamily("farm_recordings_volume_bytes", "Size of the frames volume", report.total_bytes)
    yield GaugeMetricFamily(
        "farm_recordings_fill_bytes_per_second", "What is written to the frames volume", report.fill_bytes_per_second
    )
    held = GaugeMetricFamily(
        "farm_recordings_bytes", "Footage by the reason it is kept for and where it is", labels=["kept_for", "tier"]
    )
    for tier, sizes in (("volume", report.bytes), ("archive", report.archive_bytes)):
        for kept_for, size in sizes.items():
            held.add_metric([kept_for, tier], size)
    yield held
    yield from _deleted(report)
    oldest = GaugeMetricFamily(
        "farm_recordings_oldest_age_seconds", "Age of a camera's oldest footage on the volume", labels=["camera"]
    )
    for camera_id, at_ms in report.oldest_ms.items():
        oldest.add_metric([camera_id], max(0, report.updated_at_ms - at_ms) / 1000)
    yield oldest
    conditions = GaugeMetricFamily("farm_recordings_condition", "Whether something is wrong", labels=["name"])
    for name in Condition:  # all of them, so that alerts can rely on them
        conditions.add_metric([name], int(name in report.conditions))
    yield conditions


def _deleted(report: FootageReport) -> Iterator[Metric]:
    """Yield counts of the manager that leads: they begin at 0 with each change of leader, as counters may."""
    sizes = CounterMetricFamily(
        "farm_recordings_deleted_bytes", "Footage and frames deleted, by reason and place", labels=["reason", "tier"]
    )
    for tier, counts in (("volume", report.deleted_bytes), ("archive", report.archive_deleted_bytes)):
        for reason, size in counts.items():
            sizes.add_metric([reason, tier], size)
    yield sizes
    seconds = CounterMetricFamily(
        "farm_recordings_deleted_seconds", "Footage deleted from the frames volume, by reason", labels=["reason"]
    )
    for reason, value in report.deleted_seconds.items():
        seconds.add_metric([reason], value)
    yield seconds
