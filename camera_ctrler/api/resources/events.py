"""Events of all cameras, and all results of one."""

from camera_ctrler.api.documented import Resource
from camera_ctrler.api.farm_schemas import EventEntry, EventPage, EventQuery, ResultEntry, ResultPage, ResultQuery
from camera_ctrler.api.problems import FieldError, invalid_request
from camera_ctrler.api.services import services
from contract.events import Event
from runtime.stream_reader import Entry

resource = Resource("events", "events")


@resource.documented(
    "GET",
    "/events",
    summary="List events",
    description="What happened at cameras: newest first, in pages; or, with `after`, oldest first from there on, to "
    "be asked again and again. An event that was sent twice, after an outage, is here once.",
    query=EventQuery,
    answers={200: EventPage},
)
def list_events(query: EventQuery) -> EventPage:
    """Answer with one page of events."""

    def wanted(event: Event) -> bool:
        of_camera = query.camera is None or event.camera_id == query.camera
        return of_camera and (query.kind is None or event.kind is query.kind)

    streams = services().reader.streams
    if query.after is not None:
        _refuse_both(query)
        page = streams.events_after(wanted, query.after, query.limit)
        return EventPage(items=_items(page.entries), next_cursor=None, next_after=page.last_looked_at)
    scope = f"events?since_ms={query.since_ms}&camera={query.camera}&kind={query.kind}"
    before = services().cursors.read(scope, query.cursor)
    page = streams.events(wanted, limit=query.limit, since_ms=query.since_ms, before=before)
    next_cursor = services().cursors.make(scope, page.go_on_after) if page.go_on_after else None
    return EventPage(items=_items(page.entries), next_cursor=next_cursor, next_after=None)


def _refuse_both(query: EventQuery) -> None:
    beside = [name for name in ("cursor", "since_ms") if name in query.model_fields_set]
    if beside:
        message = "cannot be used together with after; leave one of them out"
        raise invalid_request([FieldError(field=name, message=message) for name in beside])


def _items(entries: list[Entry[Event]]) -> list[EventEntry]:
    return [
        EventEntry(**entry.message.model_dump(), entry_id=entry.entry_id, recorded_at_ms=entry.first_part)
        for entry in entries
    ]


@resource.documented(
    "GET",
    "/cameras/<camera_id>/results",
    summary="All results of a camera",
    description="Every analysed frame in order, also those that were delivered late after an outage; the newest "
    "FARM_RESULT_STREAM_SIZE are kept. Ask again with `after` for what has come since.",
    query=ResultQuery,
    answers={200: ResultPage},
    errors=(404,),
)
def camera_results(camera_id: str, query: ResultQuery) -> ResultPage:
    """Answer with one camera's results after a known one."""
    services().registry.get(camera_id)
    page = services().reader.streams.results_after(camera_id, query.after, query.limit)
    return ResultPage(
        items=[ResultEntry(**entry.message.model_dump(), entry_id=entry.entry_id) for entry in page.entries],
        next_after=page.last_looked_at or query.after,
        more=page.go_on_after is not None,
    )
