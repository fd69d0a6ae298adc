"""How cameras, workers and the farm do."""

from itertools import islice
from typing import Final

from camera_ctrler.api.documented import Resource
from camera_ctrler.api.farm_schemas import FarmStatus
from camera_ctrler.api.farm_view import leader_of, refused_writes, spool_totals, unplaced_of
from camera_ctrler.api.problems import ProblemError
from camera_ctrler.api.schemas import CameraStatusView, PageQuery
from camera_ctrler.api.services import services
from camera_ctrler.api.status_view import count_states, summary
from contract.detections import AnalysisResult
from runtime.version import VERSION

resource = Resource("status", "status")

#: Unplaced cameras that are named; the plan beside has all of them.
UNPLACED_SHOWN: Final = 100


@resource.documented(
    "GET",
    "/status",
    summary="How the farm does",
    description="Counts over all cameras, and the cameras themselves by id, in pages.",
    query=PageQuery,
    answers={200: FarmStatus},
)
def farm_status(query: PageQuery) -> FarmStatus:
    """Answer with the farm's state and one page of cameras."""
    after = services().cursors.read("status", query.cursor) or ""
    look = services().farm.look()
    found = list(islice((view for name, view in look.statuses.items() if name > after), query.limit + 1))
    page = found[: query.limit]
    more = len(found) > len(page)
    plan = look.plan
    enabled = sum(camera.enabled for camera in look.cameras.values())
    return FarmStatus(
        now_ms=look.now_ms,
        version=VERSION,
        summary=summary(look.online, enabled, look.workers_alive, look.objects_in_view),
        cameras_total=len(look.cameras),
        cameras_by_state=count_states(look.statuses.values()),
        workers_alive=look.workers_alive,
        objects_in_view=look.objects_in_view,
        leader=leader_of(plan),
        load_cores=plan.load_cores if plan else None,
        capacity_cores=plan.capacity_cores if plan else None,
        required_workers=plan.required_workers if plan else None,
        moves_last_hour=look.moves_last_hour,
        unplaced_total=len(plan.unplaced) if plan else 0,
        unplaced=unplaced_of(plan, UNPLACED_SHOWN),
        refused_writes=refused_writes(look.workers),
        refused_plans=plan.refused_plans if plan else 0,
        spool=spool_totals(look.workers),
        plan=plan,
        cameras=page,
        next_cursor=services().cursors.make("status", page[-1].camera_id) if more else None,
    )


@resource.documented(
    "GET",
    "/cameras/<camera_id>/status",
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
