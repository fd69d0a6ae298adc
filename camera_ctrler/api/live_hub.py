"""Live views: one Redis subscription per camera, however many people watch it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import redis
import structlog

from camera_ctrler.api.outages import Outage
from camera_ctrler.api.pictures import Picture, picture_of
from contract import keys
from runtime.clock import Clock
from runtime.farm_reader import FarmReader

#: Longest wait for a message: how soon a newly watched camera is subscribed to.
LISTEN_SECONDS: Final = 0.1
#: Seconds for which a picture is believed to be the newest without a message that says otherwise.
TRUSTED_SECONDS: Final = 1.0
#: Messages passed on before new viewers are looked for again.
MESSAGES_AT_ONCE: Final = 1_000
#: Pause before Redis is tried again.
RETRY_SECONDS: Final = 1.0
#: Longest wait for the listening thread to end: longer than a Redis that does not answer can hold it.
CLOSE_SECONDS: Final = 5.0

log = structlog.get_logger(__name__)


class WatchedCamera:
    """One camera that somebody watches. Safe to use from several threads."""

    def __init__(self, camera_id: str, reader: FarmReader, clock: Clock) -> None:
        self.camera_id: Final = camera_id
        self._reader = reader
        self._clock = clock
        self._changed = threading.Condition()
        self._version = 0
        self._fetched_version = -1
        self._fetched_at = 0.0
        self._picture: Picture | None = None
        self._fetching = threading.Lock()
        self._outage = Outage(clock)
        self.viewers = 0
        #: Set with every new preview, for who watches several cameras.
        self._told: set[threading.Event] = set()

    @property
    def version(self) -> int:
        """Number of the newest preview that was told of."""
        return self._version

    def touch(self) -> None:
        """Say that there is a new preview."""
        with self._changed:
            self._version += 1
            self._changed.notify_all()
            for event in self._told:
                event.set()

    def tell(self, event: threading.Event) -> None:
        """Set an event from now on whenever there is a new preview."""
        with self._changed:
            self._told.add(event)

    def tell_no_more(self, event: threading.Event) -> None:
        """Set it no more."""
        with self._changed:
            self._told.discard(event)

    def wait(self, seen: int, seconds: float) -> int:
        """Return the newest version number, as soon as it is not `seen`, after `seconds` in any case."""
        with self._changed:
            self._changed.wait_for(lambda: self._version != seen, seconds)
            return self._version

    def picture(self) -> Picture | None:
        """Return the newest picture, or None where there is none any more.

        It is fetched once per version for all viewers, and again after `TRUSTED_SECONDS`, for previews expire.
        Raises what redis-py raises when Redis is away.
        """
        with self._fetching:
            version, now = self._version, self._clock.monotonic()
            if self._fetched_version != version or now - self._fetched_at > TRUSTED_SECONDS:
                with self._outage.remembered():  # a camera's viewers wait for one time-out, not one after the other
                    preview = self._reader.preview(self.camera_id)
                self._picture = None if preview is None else picture_of(preview)
                self._fetched_version, self._fetched_at = version, now
            return self._picture


class LiveHub:
    """Listens for all live views of this process on one connection and one thread, both made when first needed."""

    def __init__(self, client: redis.Redis, reader: FarmReader, clock: Clock, stopping: threading.Event) -> None:
        self._client = client
        self._reader = reader
        self._clock = clock
        self._stopping = stopping
        self._lock = threading.Lock()
        self._watched: dict[str, WatchedCamera] = {}
        self._wanted = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def watch(self, camera_id: str) -> Iterator[WatchedCamera]:
        """Watch a camera for the time of the ``with`` block."""
        with self._lock:
            camera = self._watched.get(camera_id)
            if camera is None:
                camera = self._watched[camera_id] = WatchedCamera(camera_id, self._reader, self._clock)
            camera.viewers += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="live-hub", daemon=True)
                self._thread.start()
            self._wanted.set()
        try:
            yield camera
        finally:
            with self._lock:
                camera.viewers -= 1
                if camera.viewers == 0:
                    del self._watched[camera_id]

    def viewers(self) -> int:
        """Return how many live views are open."""
        with self._lock:
            return sum(camera.viewers for camera in self._watched.values())

    def wake_all(self) -> None:
        """Wake every viewer, so that it notices that the server stops."""
        with self._lock:
            cameras = list(self._watched.values())
        for camera in cameras:
            camera.touch()

    def close(self) -> None:
        """End the listening thread, so that its client can be closed; `stopping` must be set."""
        self._wanted.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(CLOSE_SECONDS)
            if thread.is_alive():
                log.error("live_views_still_listening", seconds=CLOSE_SECONDS)

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self._wanted.wait(RETRY_SECONDS):
                continue
            try:
                self._listen()
            except redis.RedisError as error:
                log.warning("live_views_interrupted", error=str(error))
                self._stopping.wait(RETRY_SECONDS)
        self.wake_all()

    def _listen(self) -> None:
        """Listen until nobody watches; commands and reads stay on this thread, for a connection has one user."""
        subscribed: dict[bytes, str] = {}
        with self._client.pubsub(ignore_subscribe_messages=True) as channels:
            while not self._stopping.is_set():
                with self._lock:
                    watched = dict(self._watched)
                    if not watched:
                        self._wanted.clear()
                        return
                self._follow(channels, subscribed, watched)
                self._hear(channels, subscribed, watched)

    @staticmethod
    def _follow(channels: Any, subscribed: dict[bytes, str], watched: dict[str, WatchedCamera]) -> None:
        """Bring the subscriptions to what is watched."""
        wanted = {keys.camera_channel(name).encode(): name for name in watched}
        for channel in subscribed.keys() - wanted.keys():
            channels.unsubscribe(channel)
            del subscribed[channel]
        for channel in wanted.keys() - subscribed.keys():
            channels.subscribe(channel)
            subscribed[channel] = wanted[channel]
            watched[wanted[channel]].touch()  # what came before the subscription is fetched now

    @staticmethod
    def _hear(channels: Any, subscribed: dict[bytes, str], watched: dict[str, WatchedCamera]) -> None:
        """Wait for a message and pass on all that have come, a bounded number at a time."""
        message = channels.get_message(timeout=LISTEN_SECONDS)
        for _ in range(MESSAGES_AT_ONCE):
            if message is None:
                return
            camera = watched.get(subscribed.get(message["channel"], ""))
            if camera is not None:
                camera.touch()
            message = channels.get_message(timeout=0)
