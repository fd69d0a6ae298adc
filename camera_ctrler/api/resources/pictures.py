"""Snapshots and live views."""

from contextlib import ExitStack

from flask import Response, request

from camera_ctrler.api.documented import Media, Resource
from camera_ctrler.api.live_view import live_parts
from camera_ctrler.api.long_answers import may_go_on
from camera_ctrler.api.pictures import Picture
from camera_ctrler.api.problems import ProblemError
from camera_ctrler.api.schemas import LiveQuery, SnapshotQuery
from camera_ctrler.api.services import services
from camera_ctrler.playback.saved_frames import mjpeg
from contract.accounts import Role
from contract.zones import mark_of_masks

resource = Resource("pictures", "pictures")

_SNAPSHOT_HEADERS = {"X-Captured-At-Ms": "When the picture was captured, Unix ms UTC"}


@resource.documented(
    "GET",
    "/cameras/<camera_id>/snapshot.jpg",
    role=Role.VIEWER,
    summary="Newest picture of a camera",
    description="At full size from the newest saved frame, else the preview. What was captured before the camera's "
    "masks were drawn is not shown. Answers 304 to a known `ETag`.",
    query=SnapshotQuery,
    answers={200: Media("image/jpeg", "A picture"), 304: None},
    errors=(404,),
    headers=_SNAPSHOT_HEADERS,
)
def snapshot(camera_id: str, query: SnapshotQuery) -> Response:
    """Answer with the newest picture."""
    picture = _newest(camera_id, query)
    return _jpeg(picture, picture.jpeg)


@resource.documented(
    "GET",
    "/cameras/<camera_id>/snapshot-annotated.jpg",
    role=Role.VIEWER,
    summary="Newest picture of a camera, with boxes",
    description="What was seen is drawn in: class, confidence and track. Answers 304 to a known `ETag`.",
    query=SnapshotQuery,
    answers={200: Media("image/jpeg", "A picture"), 304: None},
    errors=(404,),
    headers=_SNAPSHOT_HEADERS,
)
def annotated_snapshot(camera_id: str, query: SnapshotQuery) -> Response:
    """Answer with the newest picture and its boxes."""
    picture = _newest(camera_id, query)
    return _jpeg(picture, services().pictures.annotated(picture))


def _newest(camera_id: str, query: SnapshotQuery) -> Picture:
    camera = services().registry.get(camera_id).view()
    picture = services().pictures.newest(camera_id, query.size, mark_of_masks(camera.zones))
    if picture is None:
        raise ProblemError(
            404, "no-picture", "No picture yet", f"There is no recent picture of camera {camera_id!r}; see its status"
        )
    return picture


def _jpeg(picture: Picture, jpeg: bytes) -> Response:
    response = Response(jpeg, mimetype="image/jpeg")
    response.headers["X-Captured-At-Ms"] = str(picture.result.captured_at_ms)
    response.cache_control.no_cache = True
    response.cache_control.private = True
    response.set_etag(picture.tag)
    response.make_conditional(request.environ)
    return response


@resource.documented(
    "GET",
    "/cameras/<camera_id>/live.mjpeg",
    role=Role.VIEWER,
    summary="Live view of a camera",
    description="One picture per analysed frame, for as long as the client listens and may see the camera; use it as "
    "the source of an image. "
    "A camera without a signal shows a picture that says why.",
    query=LiveQuery,
    answers={200: Media(mjpeg.MIMETYPE, "JPEG pictures, one after another")},
    errors=(404,),
)
def live_view(camera_id: str, query: LiveQuery) -> Response:
    """Answer with pictures until the client goes."""
    parts = services()
    camera = parts.registry.get(camera_id).view()
    with ExitStack() as stack:
        stack.enter_context(parts.streams.one())
        watched = stack.enter_context(parts.live.watch(camera_id))
        response = Response(
            live_parts(camera, watched, parts, may_go_on(), annotated=query.annotated), content_type=mjpeg.CONTENT_TYPE
        )
        response.cache_control.no_store = True
        response.call_on_close(stack.pop_all().close)
    return response
