"""Live views of many cameras in one answer: browsers allow six connections to a host, and a wall has sixteen tiles."""

from contextlib import ExitStack

from flask import Response

from camera_ctrler.api.access import see
from camera_ctrler.api.documented import Media, Resource
from camera_ctrler.api.live_wall import LiveWall
from camera_ctrler.api.long_answers import may_go_on
from camera_ctrler.api.problems import FieldError, invalid_request
from camera_ctrler.api.services import services
from camera_ctrler.api.wall_parts import CONTENT_TYPE, MIMETYPE
from camera_ctrler.api.wall_schemas import MAX_CAMERAS, WallClock, WallPicture, WallQuery, WallState
from contract.accounts import Role

resource = Resource("walls", "pictures")


@resource.documented(
    "GET",
    "/live",
    role=Role.VIEWER,
    summary="Live views of many cameras",
    description="Parts come for as long as the client listens. A part is a message in JSON with a `kind`: `picture` "
    "says what was seen in the JPEG that is the part after it (boxes, tracks, identities); `state` how a camera does, "
    "first of all and whenever it changes; `clock` comes every two seconds. A client that reads slowly misses "
    "pictures and never lags behind. It takes one of the API's streams.",
    query=WallQuery,
    answers={200: Media(MIMETYPE, "Messages and pictures", (WallPicture, WallState, WallClock))},
    errors=(404,),
)
def live_wall(query: WallQuery) -> Response:
    """Answer with pictures of all cameras until the client goes."""
    parts = services()
    cameras = list(dict.fromkeys(query.camera))
    if not 1 <= len(cameras) <= MAX_CAMERAS:
        message = f"must be given for 1 to {MAX_CAMERAS} cameras"
        raise invalid_request([FieldError(field="camera", message=message)])
    see(*cameras)
    for camera_id in cameras:
        parts.registry.get(camera_id)
    with ExitStack() as stack:
        stack.enter_context(parts.streams.one())
        watched = [stack.enter_context(parts.live.watch(camera_id)) for camera_id in cameras]
        wall = LiveWall(parts, watched, fps=query.fps, size=query.size)
        response = Response(wall.parts(may_go_on()), content_type=CONTENT_TYPE)
        response.cache_control.no_store = True
        response.headers["X-Accel-Buffering"] = "no"  # nginx would gather what is to be seen at once
        response.call_on_close(stack.pop_all().close)
    return response
