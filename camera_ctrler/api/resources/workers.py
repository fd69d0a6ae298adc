"""Workers, and what the manager gives them."""

from camera_ctrler.api.access import principal, visible_cameras
from camera_ctrler.api.documented import Resource
from camera_ctrler.api.farm_cut import plan_of, workers_of
from camera_ctrler.api.farm_schemas import DrainAnswer, DrainState, MoveEntry, MovePage, MoveQuery, WorkerList
from camera_ctrler.api.farm_view import worker_infos
from camera_ctrler.api.services import services
from contract.accounts import Role
from contract.moves import Move
from runtime.drain import ask_to_drain

resource = Resource("workers", "workers")


@resource.documented(
    "GET",
    "/workers",
    role=Role.VIEWER,
    summary="List workers",
    description="Who holds which cameras, what that costs and what there is to spend, labels, lease and spool.",
    answers={200: WorkerList},
)
def list_workers() -> WorkerList:
    """Answer with all workers."""
    workers, cameras, plan = services().farm.workers()
    visible = visible_cameras()
    return WorkerList(items=worker_infos(workers_of(workers, visible), cameras, plan_of(plan, visible)))


@resource.documented(
    "POST",
    "/workers/<worker_id>/drain",
    role=Role.OPERATOR,
    whole_farm=True,
    summary="Ask a worker to leave",
    description="It hands its cameras over, one by one, and ends; what has started it may start another. "
    "Asking twice does no harm.",
    answers={202: DrainAnswer},
    errors=(404,),
)
def drain_worker(worker_id: str) -> DrainAnswer:
    """Ask a worker to leave."""
    anew = ask_to_drain(services().client, worker_id, who="api")
    services().farm.forget()
    return DrainAnswer(worker_id=worker_id, state=DrainState.ASKED if anew else DrainState.ASKED_BEFORE)


@resource.documented(
    "GET",
    "/moves",
    role=Role.VIEWER,
    summary="List moves",
    description="Which camera went from which worker to which, and why; newest first, in pages. Some 10,000 are kept.",
    query=MoveQuery,
    answers={200: MovePage},
)
def list_moves(query: MoveQuery) -> MovePage:
    """Answer with one page of moves."""
    scope = f"moves?since_ms={query.since_ms}&camera={query.camera}&worker={query.worker}"

    who = principal()

    def wanted(move: Move) -> bool:
        of_camera = who.sees(move.camera_id) and (query.camera is None or move.camera_id == query.camera)
        return of_camera and (query.worker is None or query.worker in (move.from_worker, move.to_worker))

    before = services().cursors.read(scope, query.cursor)
    page = services().reader.streams.moves(wanted, limit=query.limit, since_ms=query.since_ms, before=before)
    return MovePage(
        items=[
            MoveEntry(**entry.message.model_dump(), entry_id=entry.entry_id, recorded_at_ms=entry.first_part)
            for entry in page.entries
        ],
        next_cursor=services().cursors.make(scope, page.go_on_after) if page.go_on_after else None,
    )
