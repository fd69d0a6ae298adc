"""Metrics of the event store, made anew for every scrape from what database and Redis say."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from camera_ctrler.event_store.store import Totals
from runtime.event_feed import Backlog


def event_metrics(totals: Totals, backlog: Backlog, now_ms: int) -> Iterator[Metric]:
    """Yield them."""
    yield CounterMetricFamily("farm_events_stored", "Events written to the database", totals.stored)
    yield CounterMetricFamily("farm_events_repeated", "Events that came again after they were stored", totals.repeated)
    yield CounterMetricFamily(
        "farm_events_dead_letters", "Entries of the stream that are no events which can be stored", totals.dead_letters
    )
    yield CounterMetricFamily(
        "farm_events_lost", "Events that made room in Redis before they were stored", backlog.lost
    )
    yield GaugeMetricFamily("farm_events_waiting", "Events in Redis that are not stored yet", backlog.waiting)
    age_ms = 0 if backlog.oldest_ms is None else max(0, now_ms - backlog.oldest_ms)
    yield GaugeMetricFamily("farm_events_lag_seconds", "How long the oldest of them has been waiting", age_ms / 1000)
    yield GaugeMetricFamily("farm_event_writers", "Event writers whose lease is held", backlog.writers)
