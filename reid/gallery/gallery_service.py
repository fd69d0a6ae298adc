"""The gallery's part of a ReID process: an index that follows the database, answers, and, in one process, decisions."""

import socket
import threading
from collections.abc import Callable
from typing import Final

import redis
import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from contract import keys
from contract.errors import FarmError
from contract.ids import new_worker_id
from reid.crop_files import CropFiles, UnreadableCropError, VolumeAwayError
from reid.embedding.embedder import Embedder
from reid.gallery.figures import GalleryCollector, GalleryState
from reid.gallery.gallery_index import GalleryIndex
from reid.gallery.news import GalleryNews
from reid.gallery.reembedding import Reembedding
from reid.gallery.sighting_store import NotWriterError
from reid.gallery.writer import GalleryWriter
from reid.matching.thresholds import Thresholds, UncalibratedEmbedderError, thresholds_of
from reid.search.answering import SearchAnswering
from reid.search.person_finder import PersonFinder
from reid.search.searching import GallerySearch
from runtime.gallery_link import GalleryLink
from runtime.lease import Lease, LeaseKeeper, LeaseState
from runtime.redis_client import connect
from runtime.settings import ReidSettings

#: Seconds between two looks for embeddings while there are none.
LOOK_SECONDS: Final = 0.2
#: Seconds before what was away is tried again, and a lease that another process has.
RETRY_SECONDS: Final = 1.0
#: Seconds between two steps while something is behind, so that others get at the database.
BUSY_SECONDS: Final = 0.01
#: Seconds in which embeddings gather that the index then takes together, once it has all that there was.
GATHER_SECONDS: Final = 0.2
#: Longest wait for news; the database is looked at then in any case.
NEWS_MS: Final = 500
#: Longest wait for a thread to end: for a search, or for a Redis that does not answer.
CLOSE_SECONDS: Final = 10.0

log = structlog.get_logger(__name__)


def open_gallery(settings: ReidSettings, engine: Engine) -> "GalleryService":
    """Return the gallery for the embedder that the settings ask for; nothing runs yet.

    Args:
        settings: Of this process.
        engine: The database, brought to the current schema.

    Raises:
        FarmError: The embedder cannot be opened.
    """
    from reid.embedding.opening import open_embedder

    def open_quiet_embedder() -> Embedder:
        # The recogniser's own has the cores; this one embeds single pictures, and what is embedded anew.
        return open_embedder(settings.model_copy(update={"reid_threads": 1}))

    embedder = open_quiet_embedder()
    try:
        thresholds = thresholds_of(embedder.version, false_identification_rate=settings.reid_false_identification_rate)
    except UncalibratedEmbedderError as error:
        log.warning("no_decisions", reason=str(error))
        thresholds = None
    return GalleryService(settings, engine, embedder, open_quiet_embedder, thresholds)


class GalleryService:
    """Threads that follow, answer and decide, from `start` to `close`."""

    def __init__(
        self,
        settings: ReidSettings,
        engine: Engine,
        embedder: Embedder,
        open_embedder: Callable[[], Embedder],
        thresholds: Thresholds | None,
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            settings: Redis, folders, and how long somebody is looked for.
            engine: The database, brought to the current schema.
            embedder: Of the recogniser's kind, for pictures that are searched with.
            open_embedder: Opens one more for what is embedded anew: each thread has its own.
            thresholds: What similarities mean; None: nobody has measured it, so nothing is decided.
        """
        self._settings = settings
        self._engine = engine
        self._open_embedder = open_embedder
        self._thresholds = thresholds
        self._embedder = embedder
        #: Of this process; the token of its lease begins with it.
        self.name: Final = new_worker_id(socket.gethostname())
        self._index = GalleryIndex(
            engine,
            self._embedder.version,
            self._embedder.dimension,
            settings.data_dir / "gallery",
            threads=settings.reid_search_threads,
        )
        #: While this process decides.
        self._writer: GalleryWriter | None = None
        self._stop = threading.Event()
        threads = [("gallery-index", self._follow), ("gallery-search", self._answer)]
        if thresholds is not None:
            threads.append(("gallery-writer", self._write))
        self._threads = [threading.Thread(target=run, name=name, daemon=True) for name, run in threads]

    @property
    def index(self) -> GalleryIndex:
        """The index, for figures."""
        return self._index

    def collector(self) -> GalleryCollector:
        """Return its figures for Prometheus."""
        return GalleryCollector(self._index.counts, self._state)

    def _state(self) -> GalleryState:
        index, writer = self._index, self._writer
        return GalleryState(
            embeddings=len(index),
            segments=index.segments,
            behind=index.behind,
            identities=None if writer is None else writer.identities,
            undecided=None if writer is None else max(0, index.up_to - writer.decided_to),
        )

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End: give the lease back, finish the search at hand, write to disk what is not there yet."""
        self._stop.set()
        for thread in self._threads:
            thread.join(CLOSE_SECONDS)
            if thread.is_alive():
                log.error("thread_still_runs", thread=thread.name, seconds=CLOSE_SECONDS)
                return
        try:
            self._index.close()
        except SQLAlchemyError as error:
            log.warning("gallery_snapshot_not_written", error=_first_line(error))

    # --- following --------------------------------------------------------------------------------------------------

    def _follow(self) -> None:
        """Keep the index near the database, whoever writes."""
        with connect(self._settings, name=f"camfarm-gallery-{self.name}") as client:
            news, trouble = GalleryNews(client), _Trouble("gallery_not_followed")
            after: str | None = None
            while not self._stop.is_set():
                try:
                    if self._index.catch_up():
                        self._stop.wait(BUSY_SECONDS if self._index.behind else GATHER_SECONDS)
                        continue
                    after = news.newest() if after is None else news.wait(after, NEWS_MS)
                    trouble.over()
                except redis.RedisError as error:
                    # The database is looked at all the same.
                    trouble.tell(f"Redis: {error}")
                    after = None
                    self._stop.wait(RETRY_SECONDS)
                except SQLAlchemyError as error:
                    trouble.tell(f"the database: {_first_line(error)}")
                    self._stop.wait(RETRY_SECONDS)

    # --- answering --------------------------------------------------------------------------------------------------

    def _answer(self) -> None:
        settings = self._settings
        with connect(settings, name=f"camfarm-gallery-search-{self.name}") as client:
            answering = SearchAnswering(
                GalleryLink(client),
                GallerySearch(self._engine, self._index, self._thresholds),
                self._embedder,
                lambda: PersonFinder(settings.reid_detector, settings.models_path),
            )
            trouble = _Trouble("searches_not_answered")
            while not self._stop.is_set():
                try:
                    answering.step()
                    trouble.over()
                except redis.RedisError as error:
                    trouble.tell(f"Redis: {error}")
                    self._stop.wait(RETRY_SECONDS)

    # --- deciding, where this process has the lease -----------------------------------------------------------------

    def _write(self) -> None:
        settings = self._settings
        with (
            connect(settings, name=f"camfarm-gallery-writer-{self.name}") as client,
            connect(
                settings,
                name=f"camfarm-gallery-lease-{self.name}",
                timeout_seconds=settings.lease_seconds / 3,
                second_try=False,
            ) as lease_client,
        ):
            trouble = _Trouble("gallery_not_written")
            while not self._stop.is_set():
                lease = Lease(lease_client, keys.gallery_writer_lease(), settings.lease_seconds, value=self.name)
                try:
                    if lease.take():
                        self._write_under(lease, GalleryNews(client), trouble)
                except redis.RedisError as error:
                    trouble.tell(f"Redis: {error}")
                self._stop.wait(RETRY_SECONDS)

    def _write_under(self, lease: Lease, news: GalleryNews, trouble: "_Trouble") -> None:
        """Decide until the lease is lost, another writer has taken over, or the process shall end."""
        assert self._thresholds is not None
        keeper = LeaseKeeper(
            lease, self._settings.lease_seconds, lambda state: log.warning("gallery_writer_lease", state=state)
        )
        keeper.start()
        writer = GalleryWriter(
            self._engine,
            self._index,
            self._thresholds,
            news,
            lease.token,
            window_ms=self._settings.reid_window_ms,
        )
        files = CropFiles(self._settings.frames_dir)
        reembedding = Reembedding(self._engine, self._index.version, self._open_embedder, files, lease.token)
        log.info("gallery_writer_leads", name=self.name)
        pause = 0.0
        self._writer = writer
        try:
            while not self._stop.wait(pause) and lease.state is not LeaseState.LOST:
                pause = self._step(writer, reembedding, trouble)
        except NotWriterError as error:
            log.warning("gallery_writer_left", reason=str(error))
        finally:
            self._writer = None
            keeper.stop()

    def _step(self, writer: GalleryWriter, reembedding: Reembedding, trouble: "_Trouble") -> float:
        """Take one step; return the seconds to wait before the next one.

        Raises:
            NotWriterError: Another writer has taken over.
        """
        try:
            # What was just seen comes before what is old.
            is_more = writer.step() or reembedding.step()
        except redis.RedisError as error:
            trouble.tell(f"Redis: {error}")
        except SQLAlchemyError as error:
            trouble.tell(f"the database: {_first_line(error)}")
        except (VolumeAwayError, UnreadableCropError) as error:
            trouble.tell(f"embedding anew: {error}")
        except NotWriterError:
            raise
        except FarmError as error:
            trouble.tell(str(error))
        else:
            trouble.over()
            return BUSY_SECONDS if is_more else LOOK_SECONDS
        return RETRY_SECONDS


class _Trouble:
    """Says of each trouble once what it is, and once that it is over."""

    def __init__(self, event: str) -> None:
        self._event = event
        self._told = ""

    def tell(self, problem: str) -> None:
        """Say what is wrong, unless that was said last."""
        if problem != self._told:
            self._told = problem
            log.warning(self._event, problem=problem)

    def over(self) -> None:
        """Say that nothing is, if something was."""
        if self._told:
            self._told = ""
            log.info(self._event, problem="none any more")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]
