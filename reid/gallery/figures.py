"""The gallery's figures for Prometheus, read when they are asked for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

#: Seconds of a search, up to which they are counted.
BUCKETS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


class GalleryCounts:
    """What an index counts; any thread may."""

    def __init__(self) -> None:
        self.added: Final = Counter("farm_gallery_added", "Embeddings read from the database", registry=None)
        self.search_seconds: Final = Histogram(
            "farm_gallery_search_seconds", "Time that one search of the index took", buckets=BUCKETS, registry=None
        )


@dataclass(frozen=True, slots=True)
class GalleryState:
    """What a gallery is like at this moment."""

    embeddings: int
    segments: int
    #: Numbers that the database has given out and the index has not read.
    behind: int
    #: Identities that were seen within the time window; None: this process does not decide.
    identities: int | None
    #: Embeddings whose tracks are to be decided on; None: this process does not decide.
    undecided: int | None


class GalleryCollector(Collector):
    """Turns what a gallery says of itself into metrics."""

    def __init__(self, counts: GalleryCounts, state: Callable[[], GalleryState]) -> None:
        self._counts = counts
        self._state = state

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of this moment."""
        state = self._state()
        yield GaugeMetricFamily("farm_gallery_embeddings", "Embeddings that are searched", state.embeddings)
        yield GaugeMetricFamily("farm_gallery_segments", "Segments that are searched", state.segments)
        yield GaugeMetricFamily(
            "farm_gallery_behind", "Embeddings that the database has and the index has not yet", state.behind
        )
        yield from self._counts.added.collect()
        yield from self._counts.search_seconds.collect()
        yield GaugeMetricFamily(
            "farm_gallery_decides", "1 while this process decides who is who", float(state.identities is not None)
        )
        if state.identities is not None:
            yield GaugeMetricFamily(
                "farm_gallery_identities", "Identities that were seen within FARM_REID_WINDOW", state.identities
            )
        if state.undecided is not None:
            yield GaugeMetricFamily(
                "farm_gallery_undecided", "Embeddings whose tracks are to be decided on", state.undecided
            )
