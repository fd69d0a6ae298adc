"""Who the objects are that cameras see at this moment."""

import threading
from typing import Final

import structlog
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from camera_ctrler.event_store.tables import tracks
from contract.detections import AnalysisResult
from database.identities import identities, sightings
from runtime.clock import Clock

#: Seconds for which one look serves everybody who watches.
LOOK_SECONDS: Final = 2.0
#: Milliseconds since a track was told of last: that happens every 15 s while it is seen, and is stored a little later.
RECENT_MS: Final = 60_000
#: Most tracks of one look; beyond them objects have no names on a wall.
MOST: Final = 2_000

log = structlog.get_logger(__name__)


class InView:
    """Knows who tracked objects are, as far as that was decided. Safe to use from several threads."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._clock = clock
        self._lock = threading.Lock()
        self._good_until = 0.0
        #: (camera id, epoch, track id) -> identity and its name.
        self._found: dict[tuple[str, int, int], tuple[str, str | None]] = {}

    def names(self, result: AnalysisResult) -> dict[int, tuple[str, str | None]]:
        """Return identity and name by track id, of those objects of a result that are known.

        While the database is away nobody is known.
        """
        if not result.detections:
            return {}
        found = self._look()
        keys = ((result.camera_id, result.epoch, each.track_id) for each in result.detections if each.track_id)
        return {key[2]: found[key] for key in keys if key in found}

    def _look(self) -> dict[tuple[str, int, int], tuple[str, str | None]]:
        if self._clock.monotonic() < self._good_until or not self._lock.acquire(blocking=False):
            return self._found  # somebody looks already: pictures do not wait for that
        try:
            self._found = self._read()
        except SQLAlchemyError as error:
            log.debug("nobody_is_known", error=str(error))
            self._found = {}
        finally:
            self._good_until = self._clock.monotonic() + LOOK_SECONDS
            self._lock.release()
        return self._found

    def _read(self) -> dict[tuple[str, int, int], tuple[str, str | None]]:
        query = (
            select(tracks.c.camera_id, tracks.c.epoch, tracks.c.track_id, identities.c.identity, identities.c.name)
            .join(sightings, sightings.c.track == tracks.c.track)
            .join(identities, identities.c.identity == sightings.c.identity)
            .where(tracks.c.last_seen_ms >= self._clock.now_ms() - RECENT_MS)
            .limit(MOST)
        )
        with self._engine.connect() as connection:
            return {(row[0], row[1], row[2]): (row[3], row[4]) for row in connection.execute(query)}
