"""The time of several cameras in one answer: what a screen full of rows shows."""

from collections import defaultdict

from camera_ctrler.api.access import see
from camera_ctrler.api.documented import Resource
from camera_ctrler.api.problems import FieldError, invalid_request
from camera_ctrler.api.recording_schemas import HOUR_MS, RecordedSpan
from camera_ctrler.api.resources.recordings import MAX_TIMELINE_MS
from camera_ctrler.api.services import services
from camera_ctrler.api.timeline_schemas import CameraTimeline, Density, TimelineMark, Timelines, TimelinesQuery
from camera_ctrler.event_store.filters import EventFilter
from camera_ctrler.playback.recorded_timeline import bucket_width
from camera_ctrler.recordings.spans import Bucket
from contract.accounts import Role
from contract.events import Event

resource = Resource("timelines", "recordings")


@resource.documented(
    "GET",
    "/timelines",
    role=Role.VIEWER,
    summary="What there is of several cameras in a range",
    description="For each: recorded spans, how much moved and what was seen in each step, events, the live edge. At "
    "most 40 cameras and 400 days; the last hour if no range is named.",
    query=TimelinesQuery,
    answers={200: Timelines},
    errors=(404,),
)
def timelines(query: TimelinesQuery) -> Timelines:
    """Answer with what there is of several cameras."""
    parts = services()
    if not query.camera:
        raise invalid_request([FieldError(field="camera", message="names no camera; name 1 to 40")])
    camera_ids = list(dict.fromkeys(query.camera))
    see(*camera_ids)
    for camera_id in camera_ids:
        parts.registry.get(camera_id)
    now_ms = parts.clock.now_ms()
    from_ms, to_ms = query.bounds(now_ms, longest_ms=MAX_TIMELINE_MS, default_ms=HOUR_MS)
    width = bucket_width(from_ms, to_ms, query.buckets)
    marks, complete = _marks(query, camera_ids, from_ms, to_ms)
    return Timelines(
        from_ms=from_ms,
        to_ms=to_ms,
        now_ms=now_ms,
        bucket_ms=width,
        cameras=[_row(each, from_ms, to_ms, width, marks.get(each, [])) for each in camera_ids],
        marks_complete=complete,
    )


def _row(camera_id: str, from_ms: int, to_ms: int, width: int, marks: list[TimelineMark]) -> CameraTimeline:
    footage = services().recorded.footage
    opened = footage.open_segment(camera_id)
    return CameraTimeline(
        camera_id=camera_id,
        spans=[
            RecordedSpan(start_ms=span.start_ms, end_ms=span.end_ms)
            for span in footage.spans(camera_id, from_ms, to_ms)
        ],
        density=density_of(footage.density(camera_id, from_ms, to_ms, width)),
        marks=marks,
        live_edge_ms=opened.end_ms if opened else None,
    )


def density_of(buckets: list[Bucket]) -> Density:
    """Return buckets as columns; a class that is not in a bucket was seen 0 times."""
    names = sorted({name for bucket in buckets for name in bucket.seen})
    return Density(
        start_ms=[bucket.start_ms for bucket in buckets],
        motion=[round(bucket.motion, 3) for bucket in buckets],
        seen={name: [bucket.seen.get(name, 0) for bucket in buckets] for name in names},
    )


def _marks(
    query: TimelinesQuery, camera_ids: list[str], from_ms: int, to_ms: int
) -> tuple[dict[str, list[TimelineMark]], bool]:
    """Return camera id -> its newest events, and whether all events of the range were found."""
    found: dict[str, list[TimelineMark]] = defaultdict(list)
    if query.marks == 0:
        return found, False
    wanted = EventFilter(cameras=frozenset(camera_ids), kinds=frozenset(query.kind), from_ms=from_ms, to_ms=to_ms)
    page = services().history.page(wanted, limit=query.marks)
    for entry in page.entries:
        found[entry.message.camera_id].append(mark_of(entry.message))
    return found, page.go_on_after is None and page.has_newest


def mark_of(event: Event) -> TimelineMark:
    """Return as little of an event as a timeline shows."""
    return TimelineMark(
        event_id=event.event_id,
        kind=event.kind,
        at_ms=event.at_ms,
        class_name=event.class_name,
        track=event.track,
        reason=event.reason,
        identity=event.identity,
        crops=len(event.crops),
    )
