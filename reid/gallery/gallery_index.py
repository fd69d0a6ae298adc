"""All embeddings of one version, searched: segments that follow the database, whoever wrote to it."""

import threading
from pathlib import Path
from typing import Final

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import Engine, func, select

from database.identities import embeddings, gallery_segments, gallery_state
from reid.gallery.embedding_rows import EmbeddingRows
from reid.gallery.figures import GalleryCounts
from reid.gallery.nearest import find_nearest
from reid.gallery.segment import Numbers, Segment, numbers_of, segment_of
from reid.gallery.snapshots import SnapshotFolder
from reid.images import Embeddings
from runtime.clock import Clock, SystemClock

#: Embeddings that are read and added at a time: some 50 ms.
BATCH: Final = 2_048
#: Embeddings that are added before the segment that grows is written to disk again: what a process that starts again
#: has to add, less than a second's work.
SAVE_EVERY: Final = 16_384
#: Seconds between two looks for embeddings that are gone because they were too old.
RECOUNT_SECONDS: Final = 3_600.0

log = structlog.get_logger(__name__)


class GalleryIndex:
    """Follows the database with `catch_up`, which one thread calls; `search` may be called by any.

    `catch_up` raises `SQLAlchemyError` while the database is away; what is in memory is searched all the same.
    """

    def __init__(
        self,
        engine: Engine,
        version: str,
        dimension: int,
        snapshots: Path,
        clock: Clock | None = None,
        *,
        threads: int = 1,
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            engine: Where embeddings are stored.
            version: `Embedder.version`: embeddings of others are never looked at.
            dimension: Numbers in one embedding.
            snapshots: Folder for files that make starting quick.
            clock: Of this machine.
            threads: For one search with several vectors.
        """
        # Every question is one statement, and none shall see an old state of the database.
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self.rows: Final = EmbeddingRows(version, dimension)
        self.version: Final = version
        self.dimension: Final = dimension
        self._snapshots = SnapshotFolder(snapshots, version, dimension)
        self._clock = clock or SystemClock()
        self._threads = threads
        #: By place. Replaced, never changed, so that a search has them all or none.
        self._segments: dict[int, Segment] = {}
        #: Serialises `catch_up`: a search that must be complete may call it, too.
        self._following = threading.RLock()
        self._erasures: dict[int, int] = {}
        self._oldest = 0
        #: What takes the place of a segment that has embeddings which are gone, as far as it is made.
        self._mending: Segment | None = None
        self._is_complete = False
        self._last = 0
        self._added = 0
        self.counts: Final = GalleryCounts()
        self._recount_at = self._clock.monotonic() + RECOUNT_SECONDS

    def __len__(self) -> int:
        return sum(len(segment) for segment in self._segments.values())

    @property
    def is_complete(self) -> bool:
        """Whether it had all that the database had when it was looked at last."""
        return self._is_complete

    @property
    def up_to(self) -> int:
        """All embeddings up to this number are found, where it is complete."""
        return max((segment.up_to for segment in self._segments.values()), default=0)

    @property
    def segments(self) -> int:
        """How many runs of numbers it has."""
        return len(self._segments)

    @property
    def behind(self) -> int:
        """Numbers that the database had given out when it was looked at last, and that were not read yet."""
        segments = self._segments
        places = range(self._oldest, segment_of(self._last) + 1)
        ends = {place: min(self._last, numbers_of(place)[1]) for place in places}
        return sum(
            end - (segments[place].up_to if place in segments else numbers_of(place)[0] - 1)
            for place, end in ends.items()
        )

    def catch_up(self) -> bool:
        """Do a bounded piece of work to come nearer to what the database has; return whether there is more to do."""
        with self._following:
            self._is_complete = not self._come_nearer()
            return not self._is_complete or self._mend()

    def catch_up_wholly(self, seconds: float) -> bool:
        """Come up to what the database has now; return whether that was possible in so many seconds."""
        deadline = self._clock.monotonic() + seconds
        while self.catch_up() and not self._is_complete:
            if self._clock.monotonic() >= deadline:
                return False
        return True

    def search(
        self, vectors: Embeddings, count: int, *, from_ms: int | None = None, to_ms: int | None = None
    ) -> tuple[Numbers, NDArray[np.float32]]:
        """Return what is nearest to any of some vectors: numbers, each once, and similarities, the highest first.

        Args:
            vectors: Shape (N, dimension), of length 1.
            count: How many for each of them.
            from_ms: Whole segments whose tracks had ended before are not looked at; others are.
            to_ms: Whole segments whose tracks began then or later are not looked at.
        """
        segments = [segment for segment in self._segments.values() if segment.extent.may_be_in(from_ms, to_ms)]
        began = self._clock.monotonic()
        found = find_nearest(segments, vectors, count, self._threads)
        self.counts.search_seconds.observe(self._clock.monotonic() - began)
        return found

    def save(self) -> None:
        """Write what has grown to disk, so that the next start is quick; a disk that refuses is said to."""
        with self._following:
            for segment in self._segments.values():
                if not segment.is_mapped and len(segment):
                    self._file(segment)

    def close(self) -> None:
        """Write what has grown to disk, and let another process of this host write it from now on."""
        self.save()
        self._snapshots.close()

    # --- following, under the lock ----------------------------------------------------------------------------------

    def _come_nearer(self) -> bool:
        """Do one piece of work; return whether something is still missing."""
        last = self._look()
        self._hide_erased()
        for place in self._wanted(last):
            segment = self._segments.get(place)
            if segment is None:
                self._put(self._snapshots.load(place, self._of(place)) or self._empty(place))
                return True
            end = min(last, numbers_of(place)[1])
            if segment.up_to < end:
                self._added += self._read_some(segment, end)
                if segment.is_full or (self._added >= SAVE_EVERY and end == last):
                    self._file(segment)
                return True
        return False

    def _look(self) -> int:
        """Note how often something was erased; return the newest number."""
        table = gallery_segments.c
        query = select(table.segment, table.erasures).where(table.version == self.version)
        with self._engine.connect() as connection:
            # The number first: what is erased after the other question is noticed with the next look.
            last = int(connection.scalar(select(gallery_state.c.last_number)) or 0)
            self._erasures = {row.segment: row.erasures for row in connection.execute(query)}
        self._last = last
        return last

    def _wanted(self, last: int) -> range:
        """Return the segments that there must be, the newest first: what was seen last is asked for most."""
        if not self._segments:
            query = select(func.min(embeddings.c.number)).where(embeddings.c.version == self.version)
            with self._engine.connect() as connection:
                first = connection.scalar(query)
            self._oldest = segment_of(last if first is None else int(first))
            self._snapshots.clear_strangers(set(range(self._oldest, segment_of(last) + 1)))
        return range(segment_of(last), self._oldest - 1, -1)

    def _of(self, place: int) -> int:
        return self._erasures.get(place, 0)

    def _empty(self, place: int) -> Segment:
        return Segment.empty(place, self.dimension, self._of(place))

    def _put(self, segment: Segment) -> None:
        self._segments = {**self._segments, segment.place: segment}

    def _read_some(self, segment: Segment, end: int) -> int:
        """Add what comes next, up to the number `end`; return how many that were."""
        with self._engine.connect() as connection:
            found = self.rows.between(connection, segment.up_to + 1, end, BATCH)
        count = len(found.numbers)
        self.counts.added.inc(count)
        segment.add(found, end if count < BATCH else int(found.numbers[-1]))
        return count

    def _hide_erased(self) -> None:
        """Let what was erased not be found any more, in memory and on disk; `_mend` makes such segments anew."""
        for place, segment in self._segments.items():
            erasures = self._of(place)
            if segment.erasures < erasures:
                # First the file, so that nothing is left of it on the disk even if this process dies now.
                self._snapshots.forget(place)
                self._hide(segment)
                segment.erasures = erasures

    def _hide(self, segment: Segment) -> None:
        with self._engine.connect() as connection:
            segment.keep_only(self.rows.numbers_between(connection, *numbers_of(segment.place)))

    def _mend(self) -> bool:
        """Do some of what makes segments anew that have embeddings which are gone; return whether there is more."""
        self._recount()
        if self._mending is None:
            place = next((place for place, segment in self._segments.items() if segment.has_gone), None)
            if place is None:
                return False
            self._mending = Segment.empty(place, self.dimension, self._segments[place].erasures)
        anew, old = self._mending, self._segments[self._mending.place]
        if anew.erasures != old.erasures:  # something else was erased meanwhile, and may have been read before
            self._mending = None
        elif anew.up_to < old.up_to:
            self._read_some(anew, old.up_to)
        else:
            self._mending = None
            self._put(anew)
            self._file(anew)
            log.info("gallery_segment_made_anew", segment=anew.place, embeddings=len(anew))
        return True

    def _recount(self) -> None:
        """Now and then, look for embeddings that are too old and were deleted; so they leave memory and disk, too."""
        if self._clock.monotonic() < self._recount_at:
            return
        self._recount_at = self._clock.monotonic() + RECOUNT_SECONDS
        for segment in self._segments.values():
            self._hide(segment)

    def _file(self, segment: Segment) -> None:
        """Write a segment to disk, if it may be; from then on a full one is mapped from there."""
        self._added = 0
        if segment.has_gone:
            return
        try:
            is_written = self._snapshots.save(segment)
        except OSError as error:
            log.warning("gallery_snapshot_not_written", error=str(error), remedy="the next start takes longer")
            return
        if is_written and segment.is_full:
            self._put(self._snapshots.load(segment.place, segment.erasures) or segment)
