"""What one viewer of a wall of cameras is sent: pictures of all of them as they come, in one answer."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import redis
import structlog
from sqlalchemy.exc import SQLAlchemyError

from camera_ctrler.api.live_hub import WatchedCamera
from camera_ctrler.api.pictures import Picture, preview_tag
from camera_ctrler.api.schemas import PictureSize
from camera_ctrler.api.services import Services
from camera_ctrler.api.wall_parts import json_part, picture_message, picture_part, state_message
from camera_ctrler.api.wall_schemas import WallClock, WallState

#: Seconds after which states are looked at and the clock is told, whether or not there is a picture.
LOOK_SECONDS: Final = 2.0
#: A picture may come so much too soon, as a share of the distance between two: cameras do not tick evenly.
EARLY: Final = 0.6
#: Seconds for which a picture of full size is not replaced by a small one.
KEEP_FULL_SECONDS: Final = 2.0

log = structlog.get_logger(__name__)


class Pace:
    """How often one camera's pictures are sent to one viewer: evenly on the average. Pure: time is passed in.

    Source:
        The generic cell rate algorithm, ITU-T I.371 annex A.
    """

    def __init__(self, fps: float) -> None:
        self._distance = 1 / fps
        #: When the next one comes, if they come evenly.
        self._expected = 0.0

    def wait(self, now: float) -> float:
        """Return in how many seconds the next picture may be sent; 0: now."""
        return max(0.0, self._expected - EARLY * self._distance - now)

    def sent(self, now: float) -> None:
        """Take note of a picture."""
        self._expected = max(self._expected, now) + self._distance


class _Tile:
    """One camera of one viewer."""

    def __init__(self, watched: WatchedCamera, fps: float) -> None:
        self.watched = watched
        self.pace = Pace(fps)
        self.version = -1
        self.tag = ""
        #: When a picture of full size was sent last, monotonic seconds.
        self.full_at = -KEEP_FULL_SECONDS
        self.state: WallState | None = None

    @property
    def is_gone(self) -> bool:
        return self.state is not None and self.state.state == "gone"


class LiveWall:
    """One viewer's wall. Nothing is queued for him: who reads slowly is sent what is newest when he reads again."""

    def __init__(self, services: Services, cameras: Sequence[WatchedCamera], *, fps: float, size: PictureSize) -> None:
        self._services = services
        self._clock = services.clock
        self._size = size
        self._tiles = [_Tile(camera, fps) for camera in cameras]
        self._news = threading.Event()

    def parts(self, go_on: Callable[[], bool]) -> Iterator[bytes]:
        """Yield what is new of all cameras; ends when `go_on` says so, no camera is left, or the server stops."""
        for tile in self._tiles:
            tile.watched.tell(self._news)
        try:
            look_at = 0.0
            while not self._services.stopping.is_set() and go_on():
                said = b""
                now = self._clock.monotonic()
                if now >= look_at:
                    look_at = now + LOOK_SECONDS
                    said = self._states()
                said += b"".join(self._pictures())
                if said:
                    yield said
                if all(tile.is_gone for tile in self._tiles):
                    return
                self._wait(look_at)
        finally:
            for tile in self._tiles:
                tile.watched.tell_no_more(self._news)

    def _wait(self, until: float) -> None:
        """Wait for a picture that may be sent, at most until then."""
        now = self._clock.monotonic()
        held = (tile.pace.wait(now) for tile in self._tiles if tile.watched.version != tile.version)
        self._news.wait(max(0.0, min([until - now, *held])))
        self._news.clear()  # before the versions are looked at, so that nothing that comes now is missed

    def _pictures(self) -> Iterator[bytes]:
        for tile in self._tiles:
            now = self._clock.monotonic()
            version = tile.watched.version
            if version == tile.version or tile.pace.wait(now) > 0:
                continue
            tile.version = version
            picture = self._picture(tile)
            if picture is None or picture.tag == tile.tag:
                continue
            tile.tag = picture.tag
            tile.pace.sent(now)
            if picture.tag != preview_tag(picture.result):
                tile.full_at = now
            names = self._services.identities.in_view.names(picture.result)
            yield json_part(picture_message(picture.result, names))
            yield picture_part(picture.jpeg)

    def _picture(self, tile: _Tile) -> Picture | None:
        try:
            # Also where the full one is sent: it lets the worker know that somebody looks.
            preview = tile.watched.picture()
            masks = self._services.farm.masks_of(tile.watched.camera_id)
            if self._size is PictureSize.PREVIEW:
                return preview if preview is not None and preview.has_masks(masks) else None
            full = self._services.pictures.newest(tile.watched.camera_id, PictureSize.FULL, masks)
        except redis.RedisError:  # its age shows
            return None
        return None if full is not None and self._is_step_back(tile, full) else full

    def _is_step_back(self, tile: _Tile, picture: Picture) -> bool:
        """Tell whether a small picture would replace a large one that is fresh: not every frame is saved."""
        is_small = preview_tag(picture.result) == picture.tag
        return is_small and self._clock.monotonic() - tile.full_at < KEEP_FULL_SECONDS

    def _states(self) -> bytes:
        """Return the states that have changed, and the clock."""
        try:
            look = self._services.farm.look()
        except (redis.RedisError, SQLAlchemyError) as error:
            log.debug("wall_without_states", error=str(error))
            return json_part(WallClock(now_ms=self._clock.now_ms()))
        said = [json_part(WallClock(now_ms=self._clock.now_ms()))]
        for tile in self._tiles:
            state = state_message(tile.watched.camera_id, look.statuses.get(tile.watched.camera_id))
            if state != tile.state:
                tile.state = state
                said.append(json_part(state))
            if tile.tag == "":  # what is there already need not wait for the next analysed frame
                tile.version = -1
        return b"".join(said)
