"""Cameras: register, list, change, remove."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from camera_ctrler.api.access import principal
from camera_ctrler.api.auditing import note_what
from camera_ctrler.api.documented import Resource
from camera_ctrler.api.schemas import CameraImport, CameraPage, CameraQuery, ImportedCameras
from camera_ctrler.api.services import services
from camera_ctrler.api.trial_schemas import CameraTrial, CameraTrialBody
from contract.accounts import Role
from contract.camera_specs import Camera, CameraCreate, CameraPatch
from contract.ids import new_camera_id

resource = Resource("cameras", "cameras")

#: Cameras read from the registry at a time while a filter looks for matches.
BATCH: Final = 500

EXAMPLES: Final = {
    "A demo camera": {"id": "street-2", "name": "Street, once more", "url": "rtsp://127.0.0.1:8754/street"},
    "A camera with a password": {
        "name": "Loading dock",
        "url": "rtsp://192.0.2.10:554/stream1",
        "username": "viewer",
        "password": "secret",
        "analyse_fps": 2,
        "classes": ["person", "truck"],
    },
    "Only on workers with a GPU": {
        "name": "Crossroads",
        "url": "rtsp://192.0.2.30/stream1",
        "analyse_fps": 10,
        "require_labels": ["gpu"],
        "prefer_labels": ["site=north"],
    },
    "A web camera's pictures": {"name": "Harbour", "url": "http://192.0.2.20/snapshot.jpg", "analyse_fps": 0.5},
}


@resource.documented(
    "GET",
    "/cameras",
    role=Role.VIEWER,
    summary="List cameras",
    description="By id, in pages.",
    query=CameraQuery,
    answers={200: CameraPage},
)
def list_cameras(query: CameraQuery) -> CameraPage:
    """Answer with one page of cameras."""
    scope = f"cameras?state={query.state}&enabled={query.enabled}"
    after = services().cursors.read(scope, query.cursor) or ""
    found = list(islice(_matching(query, after), query.limit + 1))
    page = found[: query.limit]
    more = len(found) > len(page)
    return CameraPage(items=page, next_cursor=services().cursors.make(scope, page[-1].id) if more else None)


def _matching(query: CameraQuery, after: str) -> Iterator[Camera]:
    who = principal()
    statuses = services().farm.look().statuses if query.state is not None else {}
    while batch := services().registry.page(after=after, limit=BATCH):
        for camera in batch:
            if not who.sees(camera.id):
                continue
            status = statuses.get(camera.id)
            if query.enabled is not None and camera.enabled is not query.enabled:
                continue
            if query.state is not None and (status is None or status.state is not query.state):
                continue
            yield camera.view()
        after = batch[-1].id


@resource.documented(
    "POST",
    "/cameras",
    role=Role.ADMIN,
    whole_farm=True,
    summary="Register a camera",
    description="It is given to a worker within a second or so. User name and password are stored encrypted and "
    "never shown again, wherever they were given: in their own fields, or in the URL. Only workers that have all of "
    "`require_labels` (`FARM_WORKER_LABELS`) get it; those that have more of `prefer_labels` rather than others.",
    body=CameraCreate,
    answers={201: Camera},
    errors=(409,),
    examples=EXAMPLES,
    headers={"Location": "Where the new camera is"},
)
def create_camera(body: CameraCreate) -> tuple[Camera, int, dict[str, str]]:
    """Register one camera."""
    body = body if body.id else body.model_copy(update={"id": new_camera_id()})
    note_what(body.id or "")
    camera = services().registry.add(body).view()
    services().farm.forget()
    return camera, 201, {"Location": f"/api/v1/cameras/{camera.id}"}


@resource.documented(
    "POST",
    "/cameras:import",
    role=Role.ADMIN,
    whole_farm=True,
    summary="Register many cameras",
    description="All of them, or none: the answer to a request with a bad or taken id names it.",
    body=CameraImport,
    answers={201: ImportedCameras},
    errors=(409,),
    examples={
        "Two cameras": {
            "cameras": [
                {"id": "gate-1", "url": "rtsp://192.0.2.11/stream1"},
                {"id": "gate-2", "url": "rtsp://192.0.2.12/stream1"},
            ]
        }
    },
)
def import_cameras(body: CameraImport) -> tuple[ImportedCameras, int, dict[str, str]]:
    """Register many cameras."""
    new = [each if each.id else each.model_copy(update={"id": new_camera_id()}) for each in body.cameras]
    note_what(" ".join(each.id or "" for each in new))
    added = services().registry.add_many(new)
    services().farm.forget()
    return ImportedCameras(items=[camera.view() for camera in added]), 201, {}


@resource.documented(
    "POST",
    "/cameras:test",
    role=Role.ADMIN,
    whole_farm=True,
    summary="Try a camera",
    description="A worker that may have it connects to it, takes one picture, measures for some seconds and hangs up; "
    "the answer comes within 20 s. Nothing is stored. What cannot be watched is answered with 200, `ok: false`, the "
    "reason and its remedy. With `camera_id` a registered camera is tried, with the other fields as changes to it: a "
    "`url` with `***` keeps the stored secrets.",
    body=CameraTrialBody,
    answers={200: CameraTrial},
    errors=(404, 503),
    examples={
        "One that is not registered": {"url": "rtsp://192.0.2.10:554/stream1", "username": "viewer", "password": "x"},
        "One that is": {"camera_id": "lobby"},
        "The stream that it records": {"camera_id": "lobby", "stream": "recorded"},
    },
)
def try_camera(body: CameraTrialBody) -> CameraTrial:
    """Let a worker try a camera."""
    camera = services().registry.drafted(body.camera_id, body.patch())
    return CameraTrial.of(services().trials.run(camera.assignment(epoch=1), camera.placement, body.stream))


@resource.documented(
    "GET", "/cameras/<camera_id>", role=Role.VIEWER, summary="Show a camera", answers={200: Camera}, errors=(404,)
)
def get_camera(camera_id: str) -> Camera:
    """Answer with one camera."""
    return services().registry.get(camera_id).view()


@resource.documented(
    "PATCH",
    "/cameras/<camera_id>",
    role=Role.ADMIN,
    summary="Change a camera",
    description="Fields that are left out stay as they are. A `url` given back as it is shown, with `***` in place of "
    "its secrets, keeps them. A changed camera is opened anew.",
    body=CameraPatch,
    answers={200: Camera},
    errors=(404, 409),
    examples={
        "Analyse more often": {"analyse_fps": 5},
        "Switch off": {"enabled": False},
        "Any worker may have it": {"require_labels": []},
    },
)
def update_camera(camera_id: str, body: CameraPatch) -> Camera:
    """Change one camera."""
    camera = services().registry.update(camera_id, body, by_origin=services().changing_as).view()
    services().farm.forget()
    return camera


@resource.documented(
    "DELETE",
    "/cameras/<camera_id>",
    role=Role.ADMIN,
    summary="Remove a camera",
    description="Its stream is closed within seconds; its saved frames stay on the volume until they are too old.",
    answers={204: None},
    errors=(404, 409),
)
def delete_camera(camera_id: str) -> Any:
    """Remove one camera."""
    services().registry.remove(camera_id, by_origin=services().changing_as)
    services().farm.forget()
