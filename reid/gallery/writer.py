"""The gallery writer: decides, in the order in which embeddings were stored, whose sighting each track is."""

from typing import Final

import structlog
from sqlalchemy import Engine, select

from database.identities import embeddings
from reid.gallery.candidates import best_crops, find_candidates
from reid.gallery.gallery_index import GalleryIndex
from reid.gallery.news import GalleryNews
from reid.gallery.outcome import outcome_of
from reid.gallery.sighting_store import Judged, SightingStore
from reid.gallery.track_view import TrackView, read_tracks
from reid.gallery.ways import learn_ways, read_topology
from reid.gallery.whereabouts import Whereabouts, read_whereabouts
from reid.images import Embeddings
from reid.matching.appearance import TrackEmbeddings
from reid.matching.camera_bias import CameraMean, with_track, without_bias
from reid.matching.decision import decide
from reid.matching.thresholds import Thresholds
from reid.matching.topology import Topology
from runtime.clock import Clock, SystemClock

#: Embeddings whose tracks are decided on in one step.
BATCH: Final = 64
#: Seconds for which it is remembered where identities were seen last, and which ways there are.
REMEMBER_SECONDS: Final = 10.0
#: Seconds between two times at which ways between cameras are learnt.
LEARN_SECONDS: Final = 3_600.0

log = structlog.get_logger(__name__)


class GalleryWriter:
    """Decides for as long as nobody else has taken over. Not thread-safe: one thread calls `step`."""

    def __init__(
        self,
        engine: Engine,
        index: GalleryIndex,
        thresholds: Thresholds,
        news: GalleryNews,
        token: str,
        *,
        window_ms: int,
        clock: Clock | None = None,
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            engine: The database.
            index: All embeddings of one version; it follows the database.
            thresholds: What its similarities mean.
            news: Whom to tell.
            token: What tells this writer from any other.
            window_ms: Who was not seen for longer is not looked for.
            clock: Of this machine.
        """
        self._engine = engine
        self._index = index
        self._thresholds = thresholds
        self._news = news
        self._clock = clock or SystemClock()
        self._store = SightingStore(engine, token, index.version, self._clock)
        self._window_ms = window_ms
        self._means: dict[str, CameraMean] = {}
        self._decided_to: int | None = None
        self._topology = Topology()
        self._whereabouts = Whereabouts()
        #: Identities that began since.
        self._begun = 0
        self._look_at = self._learn_at = float("-inf")
        #: Whether something may be left to be told that was not when it was decided.
        self._has_unsent = True

    @property
    def identities(self) -> int:
        """Identities that were seen within the time window."""
        return len(self._whereabouts) + self._begun

    @property
    def decided_to(self) -> int:
        """Up to this number all embeddings have been decided on, as far as this writer knows."""
        return self._decided_to or 0

    def step(self) -> bool:
        """Decide on some tracks; return whether there are more.

        Raises:
            NotWriterError: Another one has taken over.
            SQLAlchemyError: The database is away.
            redis.RedisError: Redis is away; what was decided stays, and is told later.
        """
        if self._decided_to is None:
            self._store.take_over(self._thresholds.embedder, self._index.dimension)
            self._means, self._decided_to = self._store.means(), self._store.decided_to()
        self._send()
        self._look()
        count, last, firsts = self._next(self._decided_to)
        if not count:
            return False
        if self._index.up_to < last and not self._index.catch_up_wholly(1.0):
            return True
        with self._engine.connect() as connection:
            views = read_tracks(connection, self._index.rows, firsts)
        # What comes before the next track's first embedding is decided on with this one.
        ends = [firsts[view.track] - 1 for view in views[1:]] + [last]
        for view, decided_to in zip(views, ends if views else (), strict=True):
            self._decide(view, decided_to)
        self._store.note_decided(last)
        self._decided_to = last
        self._send()
        self._news.changed(last)
        return count == BATCH

    def _next(self, after: int) -> tuple[int, int, dict[str, int]]:
        """Return how many embeddings are next to be decided on, the last, and the first of each of their tracks."""
        columns = embeddings.c
        query = select(columns.number, columns.track)
        query = query.where(columns.version == self._index.version, columns.number > after)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(columns.number).limit(BATCH)).all()
        firsts: dict[str, int] = {}
        for row in rows:
            firsts.setdefault(row.track, row.number)
        return len(rows), rows[-1].number if rows else after, firsts

    def _decide(self, view: TrackView, decided_to: int) -> None:
        best = best_crops(view)
        query = TrackEmbeddings(self._index.version, view.camera_id, best.vectors, best.qualities)
        with self._engine.connect() as connection:
            candidates = find_candidates(
                connection, self._index, view, self._unbiased(best.vectors, view), self._topology, self._window_ms
            )
        compared = self._whereabouts.count_possible(view, self._topology) + self._begun
        decision = decide(query, candidates, self._thresholds, means=self._means, compared=compared)
        mean = None
        if int(view.embeddings.numbers[0]) > (self._decided_to or 0):
            mean = with_track(self._means.get(view.camera_id), view.embeddings.vectors)
        outcome = outcome_of(decision, view.before, self._index.version)
        identity = self._store.write(Judged(view, decision, outcome, mean, decided_to))
        if mean is not None:
            self._means[view.camera_id] = mean
        if identity is not None and (view.before is None or view.before.identity != identity):
            self._has_unsent = True
            self._begun += decision.verdict == "new"

    def _unbiased(self, vectors: Embeddings, view: TrackView) -> Embeddings:
        return without_bias(vectors, [view.camera_id] * len(vectors), self._means, self._thresholds.mean_vector)

    def _send(self) -> None:
        """Tell of watched identities that were seen."""
        if not self._has_unsent:
            return
        while unsent := self._store.unsent():
            for watch, track, event in unsent:
                self._news.publish(event)
                self._store.note_sent(watch, track)
                log.info("watched_identity_seen", identity=event.identity, camera=event.camera_id, track=track)
        self._has_unsent = False

    def _look(self) -> None:
        """Now and then, look where identities were seen last, and what people have said of ways between cameras."""
        now = self._clock.monotonic()
        if now >= self._learn_at:
            self._learn_at = now + LEARN_SECONDS
            learn_ways(self._engine)
        if now < self._look_at:
            return
        self._look_at = now + REMEMBER_SECONDS
        since_ms = self._clock.now_ms() - self._window_ms
        with self._engine.connect() as connection:
            self._topology = read_topology(connection)
            self._whereabouts = read_whereabouts(connection, since_ms)
        self._begun = 0
