"""What one viewer of a live view is sent."""

from collections.abc import Callable, Iterator
from typing import Final

import redis
from sqlalchemy.exc import SQLAlchemyError

from camera_ctrler.api.drawing import no_signal
from camera_ctrler.api.live_hub import WatchedCamera
from camera_ctrler.api.pictures import Picture
from camera_ctrler.api.schemas import CameraStatusView, PictureSize
from camera_ctrler.api.services import Services
from camera_ctrler.playback.saved_frames import mjpeg
from contract.camera_specs import Camera
from contract.cameras import CameraState

#: Seconds without a new picture after which something is sent all the same: it keeps proxies from closing the
#: connection and shows whether the client is still there.
IDLE_SECONDS: Final = 2.0


def live_parts(
    camera: Camera, watched: WatchedCamera, services: Services, go_on: Callable[[], bool], *, annotated: bool
) -> Iterator[bytes]:
    """Yield a camera's pictures as they come; ends when `go_on` says so, the camera is deleted or the server stops."""
    yield mjpeg.OPENING
    version = -1
    shown: Picture | None = None
    while True:
        version = watched.wait(version, IDLE_SECONDS)
        if not go_on():
            return
        picture = _picture(watched, services)
        if picture is not None and (shown is None or picture.tag != shown.tag):
            shown = picture
            yield _part(picture, services, annotated=annotated)
        else:
            instead = _instead(camera, shown, services)
            if instead is None:
                return
            if isinstance(instead, bytes):
                shown = None
                yield mjpeg.part(instead)
            else:
                shown = instead
                yield _part(instead, services, annotated=annotated)
        if services.stopping.is_set():
            return


def _part(picture: Picture, services: Services, *, annotated: bool) -> bytes:
    jpeg = services.pictures.annotated(picture) if annotated else picture.jpeg
    return mjpeg.part(jpeg, picture.result.captured_at_ms)


def _picture(watched: WatchedCamera, services: Services) -> Picture | None:
    try:
        picture = watched.picture()
    except redis.RedisError:  # said in words by `_instead`
        return None
    is_shown = picture is not None and picture.has_masks(services.farm.masks_of(watched.camera_id))
    return picture if is_shown else None


def _instead(camera: Camera, shown: Picture | None, services: Services) -> Picture | bytes | None:
    """Return what is shown while nothing new comes: a picture again, or one that says why; None: nothing any more."""
    name = camera.name or camera.id
    try:
        status = services.farm.look().statuses.get(camera.id)
        if status is None:
            return None
        if status.state is CameraState.ONLINE:
            # Previews expire sooner than some cameras are analysed again; the newest saved frame does not.
            masks = services.farm.masks_of(camera.id)
            if shown is None or not shown.has_masks(masks):
                shown = services.pictures.newest(camera.id, PictureSize.FULL, masks)
            return shown or no_signal(name, ["The camera is online; its first picture is on its way."])
    except redis.RedisError:
        return no_signal(name, ["Redis cannot be reached. The camera goes on being analysed and saved."])
    except SQLAlchemyError:
        return no_signal(name, ["The database cannot be used. The camera goes on being analysed and saved."])
    return no_signal(name, _why(status))


def _why(status: CameraStatusView) -> list[str]:
    if status.reason is None:
        return [f"The camera is {status.state}.", status.detail]
    return [f"The camera is {status.state}: {status.reason.replace('_', ' ')}.", status.remedy]
