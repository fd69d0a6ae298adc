"""How cameras, workers and the farm do."""

from itertools import islice

from camera_ctrler.api.access import visible_cameras
from camera_ctrler.api.documented import Resource
from camera_ctrler.api.farm_cut import look_of
from camera_ctrler.api.farm_schemas import FarmStatus
from camera_ctrler.api.farm_view import farm_totals
from camera_ctrler.api.problems import ProblemError
from camera_ctrler.api.schemas import CameraStatusView, PageQuery
from camera_ctrler.api.services import services
from contract.accounts import Role
from contract.detections import AnalysisResult

resource = Resource("status", "status")


@resource.documented(
    "GET",
    "/status",
    role=Role.VIEWER,
    summary="How the farm does",
    description="Counts over all cameras, and the cameras themselves by id, in pages. To who sees only some cameras it "
    "is as if there were no others, and what cannot be cut by camera is null or 0.",
    query=PageQuery,
    answers={200: FarmStatus},
)
def farm_status(query: PageQuery) -> FarmStatus:
    """Answer with the farm's state and one page of cameras."""
    after = services().cursors.read("status", query.cursor) or ""
    look = look_of(services().farm.look(), visible_cameras())
    found = list(islice((view for name, view in look.statuses.items() if name > after), query.limit + 1))
    page = found[: query.limit]
    more = len(found) > len(page)
    return FarmStatus(
        **dict(farm_totals(look)),
        cameras=page,
        next_cursor=services().cursors.make("status", page[-1].camera_id) if more else None,
    )


@resource.documented(
    "GET",
    "/cameras/<camera_id>/status",
    role=Role.VIEWER,
    summary="How a camera does",
    description="State, with the reason and what to do about it while it is not online.",
    answers={200: CameraStatusView},
    errors=(404,),
)
def camera_status(camera_id: str) -> CameraStatusView:
    """Answer with one camera's status."""
    return services().farm.one(services().registry.get(camera_id).view())


@resource.documented(
    "GET",
    "/cameras/<camera_id>/result",
    role=Role.VIEWER,
    summary="Newest analysis of a camera",
    description="What was seen in the newest analysed frame: boxes, classes, tracks.",
    answers={200: AnalysisResult},
    errors=(404,),
)
def camera_result(camera_id: str) -> AnalysisResult:
    """Answer with one camera's newest result."""
    services().registry.get(camera_id)
    result = services().reader.results([camera_id]).get(camera_id)
    if result is None:
        raise ProblemError(
            404,
            "no-result",
            "No result yet",
            f"No frame of camera {camera_id!r} was analysed yet; its status says why",
        )
    return result
