"""What recognisers were asked and said; dead letters are replayed or deleted here."""

from collections.abc import Iterable
from typing import Final

from flask import Response

from camera_ctrler.api.access import visible_cameras
from camera_ctrler.api.documented import VERSION_PREFIX, Media, Resource
from camera_ctrler.api.private_files import private_jpeg
from camera_ctrler.api.problems import ProblemError
from camera_ctrler.api.recognition_schemas import (
    Changed,
    CropEntry,
    DeadFilter,
    DeadQuery,
    EventRecognitions,
    RecognitionEntry,
    RecognitionPage,
    RecognitionQuery,
    RecognitionSummary,
    ReidWorkerEntry,
)
from camera_ctrler.api.resources.evidence import event_of
from camera_ctrler.api.services import services
from camera_ctrler.event_store.recognitions import RecognitionFilter, StoredRecognition
from contract.accounts import Role
from contract.errors import ContractError
from contract.recognition import RecognitionState

resource = Resource("recognitions", "recognitions")

_SEPARATOR: Final = "\t"
_CROP_AGE_SECONDS: Final = 86_400


@resource.documented(
    "GET",
    "/recognitions",
    role=Role.VIEWER,
    summary="List recognitions",
    description="What recognisers were asked of events with crops, and said; those of the newest events first. "
    "`state=dead` lists dead letters: what could not be recognised, with the reason. Kept for as long as events are.",
    query=RecognitionQuery,
    answers={200: RecognitionPage},
)
def list_recognitions(query: RecognitionQuery) -> RecognitionPage:
    """Answer with one page of recognitions."""
    scope = f"recognitions?{query.model_dump_json(exclude={'cursor', 'limit'})}"
    cursor = services().cursors.read(scope, query.cursor)
    before = None
    if cursor is not None:
        at_ms, event_id, recogniser = cursor.split(_SEPARATOR)
        before = int(at_ms), event_id, recogniser
    wanted = _wanted(query, frozenset(query.state))
    found = services().recognitions.page(wanted, limit=query.limit + 1, before=before)
    page = found[: query.limit]
    next_cursor = None
    if len(found) > len(page):
        next_cursor = services().cursors.make(scope, _SEPARATOR.join(str(part) for part in page[-1].place))
    return RecognitionPage(items=entries(page), next_cursor=next_cursor)


@resource.documented(
    "GET",
    "/recognitions/summary",
    role=Role.VIEWER,
    summary="How much is to be recognised",
    description="Counts of what is not done, up to 100,000 of each, and the ReID workers with what they do. Who sees "
    "only some cameras is told counts of theirs, without events that no recogniser was asked of yet.",
    answers={200: RecognitionSummary},
)
def recognition_summary() -> RecognitionSummary:
    """Answer with counts and ReID workers."""
    visible = visible_cameras()
    counts, oldest = services().recognitions.counts(visible), services().recognitions.oldest_ms(visible)
    return RecognitionSummary(
        waiting=counts[RecognitionState.WAITING],
        queued=counts[RecognitionState.QUEUED],
        dead=counts[RecognitionState.DEAD],
        oldest_waiting_ms=oldest.get(RecognitionState.WAITING),
        oldest_queued_ms=oldest.get(RecognitionState.QUEUED),
        workers=[
            ReidWorkerEntry(worker_id=each.worker_id, alive=each.alive, status=each.status)
            for each in services().reader.reid.workers()
        ],
    )


@resource.documented(
    "POST",
    "/recognitions/replay",
    role=Role.OPERATOR,
    summary="Replay dead letters",
    description="Those that pass the filters are tried again, before all else and with all their crops: after a "
    "recogniser was mended, a model fetched, a file put back. An empty object replays all.",
    body=DeadFilter,
    examples={"All of one recogniser": {"recogniser": ["colours"]}, "All": {}},
    answers={200: Changed},
)
def replay_recognitions(body: DeadFilter) -> Changed:
    """Let dead letters be tried again."""
    wanted = RecognitionFilter(
        recognisers=frozenset(body.recogniser),
        cameras=frozenset(body.camera),
        event_id=body.event_id,
        track=body.track,
        visible=visible_cameras(),
    )
    return Changed(changed=services().recognitions.replay(wanted))


@resource.documented(
    "DELETE",
    "/recognitions",
    role=Role.OPERATOR,
    summary="Delete dead letters",
    description="Those that pass the filters, all without one. Their events and crops stay, and are not asked again.",
    query=DeadQuery,
    answers={200: Changed},
)
def delete_recognitions(query: DeadQuery) -> Changed:
    """Forget dead letters."""
    return Changed(changed=services().recognitions.delete(_wanted(query)))


@resource.documented(
    "GET",
    "/events/<event_id>/recognitions",
    role=Role.VIEWER,
    summary="Recognitions of an event",
    description="What each recogniser was asked of this event, and said; none while nobody was asked yet.",
    answers={200: EventRecognitions},
    errors=(404,),
)
def event_recognitions(event_id: str) -> EventRecognitions:
    """Answer with the recognitions of one event."""
    event = event_of(event_id)
    return EventRecognitions(items=entries(services().recognitions.of_events([event.event_id]).get(event_id, [])))


@resource.documented(
    "GET",
    "/events/<event_id>/crops/<place>.jpg",
    role=Role.VIEWER,
    summary="Crop of an event",
    description="One of the pictures of its object that an event names, counted from 0, best first.",
    answers={200: Media("image/jpeg", "The crop"), 304: None},
    errors=(404,),
)
def event_crop(event_id: str, place: int) -> Response:
    """Answer with one crop of an event."""
    event = event_of(event_id)
    if place < len(event.crops):
        try:
            file = services().crops.resolve(event.crops[place].path)
            return private_jpeg(file, age_seconds=_CROP_AGE_SECONDS)
        except (FileNotFoundError, ContractError):  # it has passed its retention, or was erased
            pass
    raise ProblemError(
        404,
        "crop-not-found",
        "Crop not found",
        f"Event {event_id[:80]!r} has no crop {place}, or no more; it names {len(event.crops)}. "
        "Crops are deleted with their events, and where the frames volume is full",
    )


def entries(found: Iterable[StoredRecognition]) -> list[RecognitionEntry]:
    """Return recognitions as the API gives them."""
    return [_entry(each) for each in found]


def _entry(stored: StoredRecognition) -> RecognitionEntry:
    base = f"{VERSION_PREFIX}/events/{stored.event_id}/crops"
    values = {name: getattr(stored, name) for name in RecognitionEntry.model_fields if name != "crops"}
    crops = [CropEntry(**crop.model_dump(), url=f"{base}/{place}.jpg") for place, crop in enumerate(stored.crops)]
    return RecognitionEntry(**values, crops=crops)


def _wanted(query: DeadQuery, states: frozenset[RecognitionState] = frozenset()) -> RecognitionFilter:
    return RecognitionFilter(
        states=states,
        recognisers=frozenset(query.recogniser),
        cameras=frozenset(query.camera),
        event_id=query.event_id,
        track=query.track,
        visible=visible_cameras(),
    )
