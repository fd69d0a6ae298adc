"""What the handlers share, made once per app."""

import threading
from dataclasses import dataclass
from typing import Final, cast

import redis
from flask import Flask, current_app

from camera_ctrler.accounts.accounts import Accounts
from camera_ctrler.accounts.first_admin import log_first_admin, make_first_admin
from camera_ctrler.accounts.passwords import Passwords
from camera_ctrler.api.cursors import Cursors
from camera_ctrler.api.diagnosis.history import CountHistory
from camera_ctrler.api.event_hub import EventHub
from camera_ctrler.api.farm_watch import FarmWatch
from camera_ctrler.api.identity_services import IdentityServices
from camera_ctrler.api.live_hub import LiveHub
from camera_ctrler.api.pictures import Pictures
from camera_ctrler.api.recorded_services import RecordedServices
from camera_ctrler.api.stream_slots import StreamSlots
from camera_ctrler.api.throttle import LoginThrottle
from camera_ctrler.audit.log import AuditLog
from camera_ctrler.camera_trials import CameraTrials
from camera_ctrler.event_store.history import EventHistory
from camera_ctrler.event_store.reading import EventReading
from camera_ctrler.event_store.recognitions import Recognitions
from camera_ctrler.playback.clip_store import ClipStore
from camera_ctrler.playback.saved_frames.clip import ClipFigures, ClipMaker
from camera_ctrler.playback.saved_frames.frame_index import FrameIndex
from camera_ctrler.registry import ORIGIN_FARM, Registry
from runtime.clock import Clock, SystemClock
from runtime.crop_store import CropStore
from runtime.farm_reader import FarmReader
from runtime.frame_store import FrameStore
from runtime.redis_client import connect
from runtime.secret_box import SecretBox
from runtime.settings import ControllerSettings

_NAME: Final = "camfarm"
#: Seconds for one answer of Redis, with one more try; a person waits for it, and each who waits takes a thread.
REDIS_SECONDS: Final = 1.5
#: The same for counts of requests and logins.
LIMITS_SECONDS: Final = 0.5
#: Threads that are never given to streams, so that the API answers while every stream is taken.
RESERVED_THREADS: Final = 3


@dataclass(frozen=True, slots=True)
class Services:
    """The parts behind the handlers."""

    settings: ControllerSettings
    clock: Clock
    client: redis.Redis
    registry: Registry
    accounts: Accounts
    audit: AuditLog
    throttle: LoginThrottle
    #: For counts of requests alone: what they wait for is not worth more than half a second.
    limits_client: redis.Redis
    box: SecretBox
    reader: FarmReader
    store: FrameStore
    farm: FarmWatch
    #: Counts of the last minutes, for what is said of what grows.
    counts: CountHistory
    cursors: Cursors
    frames: FrameIndex
    pictures: Pictures
    live: LiveHub
    history: EventHistory
    recognitions: Recognitions
    crops: CropStore
    event_hub: EventHub
    identities: IdentityServices
    clips: ClipStore[ClipFigures]
    clip_maker: ClipMaker
    streams: StreamSlots
    recorded: RecordedServices
    trials: CameraTrials
    #: Set when the server stops: long answers end.
    stopping: threading.Event

    @classmethod
    def create(cls, settings: ControllerSettings, passwords: Passwords | None = None) -> "Services":
        """Make them; neither Redis nor the database is asked yet.

        Args:
            settings: Of this controller.
            passwords: How they are hashed; default: as they should be.

        Raises:
            FarmError: A setting cannot be used.
        """
        clock, stopping = SystemClock(), threading.Event()
        box = SecretBox.from_settings(settings)
        registry = Registry(settings.database, box, clock, settings.camera_addresses)
        client = connect(settings, name="camfarm-api", timeout_seconds=REDIS_SECONDS)
        limits_client = connect(settings, name="camfarm-api-limits", timeout_seconds=LIMITS_SECONDS)
        reader = FarmReader(client)
        store = FrameStore(settings.frames_dir)
        return cls(
            settings=settings,
            clock=clock,
            client=client,
            registry=registry,
            accounts=Accounts(registry.engine, clock, stopping, passwords),
            audit=AuditLog(registry.engine, clock),
            throttle=LoginThrottle(limits_client, clock),
            limits_client=limits_client,
            box=box,
            reader=reader,
            store=store,
            farm=FarmWatch(registry, reader, clock),
            counts=CountHistory(clock),
            cursors=Cursors(box),
            frames=FrameIndex(store, reader, clock),
            pictures=Pictures(reader, store),
            live=LiveHub(client, reader, clock, stopping),
            history=EventHistory(EventReading(registry.engine), reader.streams, reader.events),
            recognitions=Recognitions(registry.engine),
            crops=CropStore(settings.frames_dir),
            event_hub=EventHub(reader.streams, stopping),
            identities=IdentityServices.create(settings, registry.engine, client, clock),
            clips=ClipStore(clock),
            clip_maker=ClipMaker(store, stopping),
            streams=StreamSlots(max(1, settings.api_threads - RESERVED_THREADS)),
            recorded=RecordedServices.create(settings, registry.engine, box, clock, stopping),
            trials=CameraTrials(client, reader),
            stopping=stopping,
        )

    @property
    def changing_as(self) -> str | None:
        """Whose cameras people may change here: everybody's (None) while no external table is followed."""
        return ORIGIN_FARM if self.settings.camera_source_url.get_secret_value() else None

    def make_first_admin(self) -> None:
        """Make the first user where people log in and nobody could; see `accounts.first_admin`.

        Raises:
            FarmError: FARM_ADMIN_PASSWORD cannot be used, or the name is taken by somebody who is no admin.
        """
        if self.settings.auth:
            log_first_admin(make_first_admin(self.accounts.users, self.settings.admin_password.get_secret_value()))

    def stop(self) -> None:
        """End long answers; short ones go on."""
        self.stopping.set()
        self.live.wake_all()
        self.event_hub.wake_all()

    def close(self) -> None:
        """Give everything back."""
        self.stop()
        self.live.close()  # first: a connection that is closed under a thread that reads from it fails in odd ways
        self.event_hub.close()
        self.clips.close()
        self.accounts.close()
        self.recorded.close()
        self.registry.close()
        self.client.close()
        self.limits_client.close()


def install(app: Flask, services: Services) -> None:
    """Give `app` its services."""
    app.extensions[_NAME] = services


def services_of(app: Flask) -> Services:
    """Return the services of `app`."""
    return cast("Services", app.extensions[_NAME])


def services() -> Services:
    """Return the services of the app that handles this request."""
    return services_of(current_app)
