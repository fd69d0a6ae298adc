"""What handlers of identities share."""

from dataclasses import dataclass

import redis
from sqlalchemy import Engine

from camera_ctrler.api.access import visible_cameras
from camera_ctrler.identities.asking import Searches
from camera_ctrler.identities.changes import IdentityChanges
from camera_ctrler.identities.erasure import Erasure
from camera_ctrler.identities.in_view import InView
from camera_ctrler.identities.reading import IdentityReading
from camera_ctrler.identities.watching import IdentityWishes
from runtime.clock import Clock
from runtime.crop_store import CropStore
from runtime.settings import ControllerSettings


@dataclass(frozen=True, slots=True)
class IdentityServices:
    """The parts behind the handlers."""

    _reading: IdentityReading
    changes: IdentityChanges
    wishes: IdentityWishes
    erasure: Erasure
    searches: Searches
    crops: CropStore
    in_view: InView

    @classmethod
    def create(
        cls, settings: ControllerSettings, engine: Engine, client: redis.Redis, clock: Clock
    ) -> "IdentityServices":
        """Make them; neither Redis nor the database is asked yet."""
        return cls(
            _reading=IdentityReading(engine),
            changes=IdentityChanges(engine, clock),
            wishes=IdentityWishes(engine, clock),
            erasure=Erasure(engine, settings.frames_dir, clock),
            searches=Searches(client),
            crops=CropStore(settings.frames_dir),
            in_view=InView(engine, clock),
        )

    @property
    def reading(self) -> IdentityReading:
        """What is known, as far as who sends the request at hand may see it."""
        return self._reading.seen_by(visible_cameras())
