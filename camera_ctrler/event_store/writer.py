"""The event writer: takes events from the stream, stores them, and only then says so. Any number may run.

What a writer has taken is its own while its lease is held; after that another one takes it over. An event that is
stored twice, because a writer died between storing and saying so, is stored once.
"""

import socket
from dataclasses import dataclass
from typing import Final

import redis
import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from camera_ctrler.audit.cleaner import AuditCleaner
from camera_ctrler.event_store.cleaner import Cleaner, Cleaners, EventCleaner
from camera_ctrler.event_store.store import EventStore
from camera_ctrler.event_store.stored_event import DeadLetter, StreamEvent, dead_letter, read_entry
from camera_ctrler.identities.cleaner import IdentityCleaner
from camera_ctrler.registry import Registry
from contract import keys
from contract.ids import new_worker_id
from runtime import exit_codes
from runtime.clock import Clock, SystemClock
from runtime.event_feed import EventFeed, RawEvent
from runtime.lease import Lease, LeaseKeeper, LeaseState
from runtime.redis_client import connect
from runtime.secret_box import SecretBox
from runtime.settings import ControllerSettings
from runtime.shutdown import Shutdown

#: Entries that are stored in one transaction: some 50 ms in which nobody else writes to SQLite.
BATCH: Final = 500
#: Seconds between two looks at the stream while nothing waits there.
LOOK_SECONDS: Final = 0.25
#: Seconds between two steps while something is behind, so that others get at the database.
BUSY_SECONDS: Final = 0.02
#: Seconds before a database or a Redis that was away is tried again.
RETRY_SECONDS: Final = 1.0
#: Seconds between two looks for writers that are gone.
CLAIM_SECONDS: Final = 2.0
#: Seconds between two times at which what is too old is deleted, and room made for the weeks to come.
CLEAN_SECONDS: Final = 60.0
#: What a database says of one row that it has no room for.
_UNSTORABLE: Final = (DataError, IntegrityError, ValueError, OverflowError)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who takes entries: a writer's id, and the token of its lease."""

    writer_id: str
    token: str


class EventWriter:
    """Stores events for as long as one lease is held. Not thread-safe: one thread calls `step`."""

    def __init__(
        self,
        store: EventStore,
        feed: EventFeed,
        cleaner: Cleaner,
        holder: Holder,
        clock: Clock | None = None,
    ) -> None:
        self._store = store
        self._feed = feed
        self._cleaner = cleaner
        self._holder = holder
        self._clock = clock or SystemClock()
        #: What was taken and is not stored yet; it waits here while the database is away.
        self._taken: list[RawEvent] = []
        #: Whether there may be entries that were taken before and were not acknowledged.
        self._owns_more = True
        self._claim_at = self._clean_at = float("-inf")
        self._is_prepared = False

    def step(self) -> bool:
        """Do one small piece of work; return whether there is more to be done soon.

        Raises:
            redis.RedisError: Redis is away.
            SQLAlchemyError: The database is away; what was taken is kept.
        """
        try:
            return self._step()
        except redis.RedisError:
            # What was given and not heard of is ours all the same, and what was not acknowledged comes again.
            self._owns_more = True
            raise

    def _step(self) -> bool:
        if not self._is_prepared:
            # First of all: a week whose events lie in the default partition can have none of its own any more.
            self._store.prepare()
            self._is_prepared = True
        if not self._taken:
            self._claim()
            self._take()
        # Some few are not worth a transaction each: the next look finds those that come meanwhile together.
        is_more = len(self._taken) == BATCH or self._owns_more
        if self._taken:
            self._save()
        return self._clean() or is_more

    def _take(self) -> None:
        if self._owns_more:
            self._taken = self._take_from_stream(again=True)
            self._owns_more = bool(self._taken)
        if not self._taken:
            self._taken = self._take_from_stream(again=False)

    def _take_from_stream(self, *, again: bool) -> list[RawEvent]:
        taken = self._feed.take(self._holder.writer_id, self._holder.token, BATCH, again=again)
        if not taken.has_group:
            # The first writer of all, or the server has lost its data: then workers send the newest again.
            log.info("events_from_the_beginning", writer=self._holder.writer_id)
            self._feed.begin()
        if taken.lost:
            log.error("events_lost", count=taken.lost, reason="they made room in the stream before they were stored")
        return taken.entries

    def _save(self) -> None:
        read = [read_entry(raw) for raw in self._taken]
        found = [each for each in read if isinstance(each, StreamEvent)]
        dead = [each for each in read if isinstance(each, DeadLetter)]
        try:
            self._store.add(found, dead)
        except _UNSTORABLE as error:
            log.warning("events_one_by_one", error=str(error).splitlines()[0])
            dead += self._save_one_by_one(dead)
        for letter in dead:
            log.error("event_unusable", entry=letter.entry_id, reason=letter.reason)
        stored, self._taken = self._taken, []
        self._feed.acknowledge(raw.entry_id for raw in stored)

    def _save_one_by_one(self, dead: list[DeadLetter]) -> list[DeadLetter]:
        """Store what can be stored; return what the database has no room for, as dead letters, which are stored too."""
        refused: list[DeadLetter] = []
        for raw in self._taken:
            item = read_entry(raw)
            if isinstance(item, StreamEvent):
                try:
                    self._store.add([item])
                except _UNSTORABLE as error:
                    reason = f"the database refuses it: {str(getattr(error, 'orig', error)).splitlines()[0]}"
                    refused.append(dead_letter(raw.entry_id, reason, raw.text or b""))
        self._store.add([], [*dead, *refused])
        return refused

    def _claim(self) -> None:
        """Take over what writers that are gone have left, if it is time to look for it."""
        now = self._clock.monotonic()
        if now < self._claim_at:
            return
        self._claim_at = now + CLAIM_SECONDS
        claimed = self._feed.claim_abandoned(self._holder.writer_id)
        if claimed:
            log.info("events_taken_over", count=claimed, writer=self._holder.writer_id)
            self._owns_more, self._claim_at = True, now

    def _clean(self) -> bool:
        """Delete some of what is too old, if it is time to; return whether there is more."""
        now = self._clock.monotonic()
        if now < self._clean_at:
            return False
        self._store.prepare()
        is_more = self._cleaner.step()
        self._clean_at = now if is_more else now + CLEAN_SECONDS
        return is_more


def write_events(settings: ControllerSettings, engine: Engine, shutdown: Shutdown) -> None:
    """Store events, on connections of its own, until the process shall end."""
    with (
        # No second try: what the first one was given would be forgotten.
        connect(settings, name="camfarm-event-writer", second_try=False) as client,
        connect(
            settings,
            name="camfarm-event-writer-lease",
            timeout_seconds=settings.lease_seconds / 3,
            second_try=False,
        ) as lease_client,
    ):
        cleaner = Cleaners(
            EventCleaner(engine, settings.events_keep_ms),
            IdentityCleaner(engine, settings.identities_keep_ms),
            AuditCleaner(engine, settings.audit_keep_ms),
        )
        problems = _Problems()
        while not shutdown.asked:
            writer_id = new_worker_id(socket.gethostname())
            lease = Lease(lease_client, keys.event_writer_lease(writer_id), settings.lease_seconds)
            writer = EventWriter(EventStore(engine), EventFeed(client), cleaner, Holder(writer_id, lease.token))
            try:
                if lease.take():
                    _write_under(lease, settings.lease_seconds, writer, shutdown, problems)
            except redis.RedisError as error:
                problems.tell(f"Redis: {error}")
            shutdown.wait(RETRY_SECONDS)


def run_event_writer(settings: ControllerSettings) -> int:
    """Run an event writer in this process; returns an exit code.

    Raises:
        FarmError: Settings, database or key cannot be used.
    """
    shutdown = Shutdown()
    shutdown.listen()
    registry = Registry(settings.database, SecretBox.from_settings(settings))
    try:
        registry.migrate()
        write_events(settings, registry.engine, shutdown)
    finally:
        registry.close()
    return exit_codes.DONE


def _write_under(
    lease: Lease, lease_seconds: float, writer: EventWriter, shutdown: Shutdown, problems: "_Problems"
) -> None:
    """Store events until the lease is lost, for others have this writer's entries then, or the process shall end."""
    keeper = LeaseKeeper(lease, lease_seconds, lambda state: log.warning("event_writer_lease", state=state))
    keeper.start()
    pause = 0.0
    try:
        while not shutdown.wait(pause) and lease.state is not LeaseState.LOST:
            pause = problems.step(writer)
    finally:
        keeper.stop()


class _Problems:
    """Takes a writer's steps, and says of each trouble once what it is, and once that it is over."""

    def __init__(self) -> None:
        self._told = ""

    def step(self, writer: EventWriter) -> float:
        """Take one step; return the seconds to wait before the next one."""
        try:
            pause = BUSY_SECONDS if writer.step() else LOOK_SECONDS
        except redis.RedisError as error:
            self.tell(f"Redis: {error}")
        except SQLAlchemyError as error:
            self.tell(f"the database: {str(error).splitlines()[0]}")
        except Exception as error:  # events wait in the stream, whatever one step was like
            log.exception("event_writer_failed")
            self.tell(repr(error))
        else:
            self.tell("")
            return pause
        return RETRY_SECONDS

    def tell(self, problem: str) -> None:
        """Say what keeps events from being stored, unless that was said last; empty: nothing does."""
        if problem != self._told:
            self._told = problem
            log.warning("events_not_stored", problem=problem or "none any more")
