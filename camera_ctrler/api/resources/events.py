"""Events of all cameras: listed, followed, sent as they come, as files; and all results of one camera."""

import errno
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from typing import Final

from flask import Response, request
from pydantic import TypeAdapter, ValidationError

from camera_ctrler.api.access import visible_cameras
from camera_ctrler.api.documented import Media, Resource
from camera_ctrler.api.event_files import csv_lines, json_lines
from camera_ctrler.api.event_schemas import (
    DeadLetterEntry,
    DeadLetterPage,
    EntryId,
    EventEntry,
    EventExportQuery,
    EventFilterQuery,
    EventPage,
    EventQuery,
    EventStreamQuery,
    ExportFormat,
    ResultEntry,
    ResultPage,
    ResultQuery,
)
from camera_ctrler.api.event_stream import MIMETYPE, event_parts
from camera_ctrler.api.event_views import event_entries, with_what_is_known
from camera_ctrler.api.long_answers import may_go_on
from camera_ctrler.api.problems import FieldError, field_errors, invalid_request
from camera_ctrler.api.schemas import PageQuery
from camera_ctrler.api.services import services
from camera_ctrler.event_store.filters import EventFilter
from camera_ctrler.identities.reading import SightingFilter
from contract.accounts import Role

resource = Resource("events", "events")

#: Events of one page of an export: some 15 MB while it is made, and few enough questions for a year of events.
_EXPORT_PAGE: Final = 5_000
#: Tracks of an identity whose events are found; SQLite takes 32,766 parameters.
_MAX_SIGHTED: Final = 10_000
_LAST_EVENT_ID: Final = "Last-Event-ID"
_ENTRY_ID: Final[TypeAdapter[str]] = TypeAdapter(EntryId)
_FILES: Final = {
    ExportFormat.CSV: Media("text/csv", "Comma-separated values with a head line"),
    ExportFormat.JSON_LINES: Media("application/x-ndjson", "A JSON object a line"),
}


@resource.documented(
    "GET",
    "/events",
    role=Role.VIEWER,
    summary="List events",
    description="What happened at cameras, as long ago as FARM_EVENTS_KEEP says: in the order in which it was "
    "recorded, newest first, in pages; or, with `after`, oldest first from there on, of the newest that Redis has, to "
    "be asked again and again. An event that was sent twice, after an outage, is here once. While Redis is away, those "
    "that are not in the database yet are missing.",
    query=EventQuery,
    answers={200: EventPage},
)
def list_events(query: EventQuery) -> EventPage:
    """Answer with one page of events."""
    wanted = _wanted(query)
    if query.after is not None:
        _refuse_both(query)
        followed = services().reader.streams.events_after(wanted.wants, query.after, query.limit)
        items = event_entries(followed.entries)
        return EventPage(items=items, next_cursor=None, next_after=followed.last_looked_at)
    scope = f"events?{query.model_dump_json(exclude={'cursor', 'limit'})}"
    before = services().cursors.read(scope, query.cursor)
    page = services().history.page(wanted, limit=query.limit, since_ms=query.since_ms, before=before)
    next_cursor = services().cursors.make(scope, page.go_on_after) if page.go_on_after else None
    return EventPage(items=with_what_is_known(event_entries(page.entries)), next_cursor=next_cursor, next_after=None)


@resource.documented(
    "GET",
    "/events/stream",
    role=Role.VIEWER,
    summary="Events as they come",
    description="Server-sent events for as long as the client listens and is logged in; `data` is an event as "
    "`/events` has it, `id` its `entry_id`. A client that comes back with the header `Last-Event-ID`, as an "
    "`EventSource` does, misses nothing. Something is sent every 15 s in any case. Each listener takes one of the "
    "API's streams.",
    query=EventStreamQuery,
    answers={200: Media(MIMETYPE, "Events")},
)
def event_stream(query: EventStreamQuery) -> Response:
    """Answer with events until the client goes."""
    parts, wanted = services(), _wanted(query)
    after = _last_event_id() or query.after or _newest_entry()
    with ExitStack() as stack:
        stack.enter_context(parts.streams.one())
        stack.enter_context(parts.event_hub.listening())
        response = Response(event_parts(parts, wanted, after, may_go_on()), mimetype=MIMETYPE)
        response.cache_control.no_store = True
        response.headers["X-Accel-Buffering"] = "no"  # nginx would gather what is to be seen at once
        response.call_on_close(stack.pop_all().close)
    return response


@resource.documented(
    "GET",
    "/events/export",
    role=Role.OPERATOR,
    audited=True,
    summary="Events as a file",
    description="All events that pass the filters, newest first, as CSV or as JSON lines. In CSV a text that a "
    "spreadsheet would take for a formula has an apostrophe before it. A file that ends too early, because the "
    "database went away, ends with a broken connection.",
    query=EventExportQuery,
    answers={200: tuple(_FILES.values())},
    headers={"Content-Disposition": "Name of the file"},
)
def export_events(query: EventExportQuery) -> Response:
    """Answer with a file of events, made while it is sent."""
    parts = services()
    pages, go_on = parts.history.pages(_wanted(query), limit=_EXPORT_PAGE), may_go_on()
    with ExitStack() as stack:
        stack.enter_context(parts.streams.one())
        first = next(pages)  # here, where an outage can still be told in words

        def entries() -> Iterator[list[EventEntry]]:
            for page in chain([first], pages):
                if parts.stopping.is_set() or not go_on():
                    # Of the kind that the server takes for a client that has gone: the connection breaks, and no more.
                    raise BrokenPipeError(errno.EPIPE, "the server stops, or who asked has gone or may not have them")
                yield event_entries(page.entries)

        lines = csv_lines if query.format is ExportFormat.CSV else json_lines
        response = Response(lines(entries()), mimetype=_FILES[query.format].mimetype)
        response.headers["Content-Disposition"] = f'attachment; filename="events.{query.format.value}"'
        response.cache_control.no_store = True
        response.call_on_close(stack.pop_all().close)
    return response


@resource.documented(
    "GET",
    "/events/dead-letters",
    role=Role.OPERATOR,
    whole_farm=True,
    summary="Entries that are no events",
    description="What event writers found in the stream of events and could not store, with the reason, newest first: "
    "the newest 10,000, for as long as FARM_EVENTS_KEEP says.",
    query=PageQuery,
    answers={200: DeadLetterPage},
)
def list_dead_letters(query: PageQuery) -> DeadLetterPage:
    """Answer with one page of dead letters."""
    scope = "dead-letters"
    before = services().cursors.read(scope, query.cursor)
    found = services().history.reading.dead_letters(limit=query.limit + 1, before=before)
    page = found[: query.limit]
    return DeadLetterPage(
        items=[
            DeadLetterEntry(
                entry_id=each.letter.entry_id,
                kept_at_ms=each.kept_at_ms,
                reason=each.letter.reason,
                body=each.letter.body,
            )
            for each in page
        ],
        next_cursor=services().cursors.make(scope, page[-1].letter.entry_id) if len(found) > len(page) else None,
    )


def _wanted(query: EventFilterQuery) -> EventFilter:
    """Return what a query asks for.

    Raises:
        ProblemError: 400; the range has no time in it.
    """
    query.check()
    named = frozenset[str]()
    if query.text is not None:
        text = query.text.lower()
        named = frozenset(each.id for each in services().registry.all() if text in each.view().name.lower())
    return EventFilter(
        cameras=frozenset(query.camera),
        kinds=frozenset(query.kind),
        classes=frozenset(query.class_name),
        from_ms=query.from_ms,
        to_ms=query.to_ms,
        text=query.text or "",
        named=named,
        tracks=frozenset(query.track),
        identity=query.identity,
        sighted=_sighted(query),
        visible=visible_cameras(),
    )


def _sighted(query: EventFilterQuery) -> frozenset[str]:
    """Return the tracks in which the identity that is asked for was seen."""
    if query.identity is None:
        return frozenset()
    seen = SightingFilter(
        identity=query.identity, cameras=frozenset(query.camera), from_ms=query.from_ms, to_ms=query.to_ms
    )
    return services().identities.reading.tracks_of(seen, limit=_MAX_SIGHTED)


def _refuse_both(query: EventQuery) -> None:
    beside = [name for name in ("cursor", "since_ms") if name in query.model_fields_set]
    if beside:
        message = "cannot be used together with after; leave one of them out"
        raise invalid_request([FieldError(field=name, message=message) for name in beside])


def _last_event_id() -> str | None:
    """Return where a client was that comes back; None: it does not.

    Raises:
        ProblemError: 400; it is no id that this API has sent.
    """
    given = request.headers.get(_LAST_EVENT_ID)
    try:
        return _ENTRY_ID.validate_python(given) if given else None
    except ValidationError as error:
        raise invalid_request(field_errors(error, prefix=_LAST_EVENT_ID)) from error


def _newest_entry() -> str:
    ends = services().reader.streams.event_ends()
    return "0-0" if ends is None else ends[1]


@resource.documented(
    "GET",
    "/cameras/<camera_id>/results",
    role=Role.VIEWER,
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
