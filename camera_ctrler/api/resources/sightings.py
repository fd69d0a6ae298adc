"""Sightings: one for each track that was embedded, whose it is, and its picture."""

from typing import Final
from urllib.parse import quote

from flask import Response

from camera_ctrler.api.documented import VERSION_PREFIX, Media, Resource
from camera_ctrler.api.event_schemas import refuse_no_time
from camera_ctrler.api.identity_schemas import Assignment, Changed, SightingEntry, SightingPage, SightingQuery
from camera_ctrler.api.private_files import private_jpeg
from camera_ctrler.api.problems import ProblemError
from camera_ctrler.api.services import services
from camera_ctrler.identities.reading import SightingFilter, SightingView
from contract.accounts import Role
from contract.errors import ContractError

resource = Resource("sightings", "identities")

_SEPARATOR: Final = " "
_CROP_AGE_SECONDS: Final = 3_600


@resource.documented(
    "GET",
    "/sightings",
    role=Role.VIEWER,
    summary="List sightings",
    description="Tracks whose crops were embedded, and whose they are, those that began last first; a second or so "
    "behind their events.",
    query=SightingQuery,
    answers={200: SightingPage},
)
def list_sightings(query: SightingQuery) -> SightingPage:
    """Answer with one page of sightings."""
    refuse_no_time(query.from_ms, query.to_ms)
    wanted = SightingFilter(
        identity=query.identity,
        identified=query.identified,
        cameras=frozenset(query.camera),
        from_ms=query.from_ms,
        to_ms=query.to_ms,
    )
    scope = f"sightings?{query.model_dump_json(exclude={'cursor', 'limit'})}"
    cursor = services().cursors.read(scope, query.cursor)
    before = None
    if cursor is not None:
        first_ms, _, track = cursor.partition(_SEPARATOR)
        before = int(first_ms), track
    found = services().identities.reading.sightings(wanted, limit=query.limit + 1, before=before)
    page = found[: query.limit]
    next_cursor = None
    if len(found) > len(page):
        next_cursor = services().cursors.make(scope, f"{page[-1].first_ms}{_SEPARATOR}{page[-1].track}")
    return SightingPage(items=[sighting_entry(each) for each in page], next_cursor=next_cursor)


@resource.documented(
    "GET",
    "/sightings/<track>",
    role=Role.VIEWER,
    summary="Show a sighting",
    answers={200: SightingEntry},
    errors=(404,),
)
def show_sighting(track: str) -> SightingEntry:
    """Answer with one sighting."""
    return sighting_entry(services().identities.reading.sighting(track))


@resource.documented(
    "GET",
    "/sightings/<track>/crop.jpg",
    role=Role.VIEWER,
    summary="Picture of a sighting",
    description="The track's best crop.",
    answers={200: Media("image/jpeg", "The crop"), 304: None},
    errors=(404,),
)
def sighting_crop(track: str) -> Response:
    """Answer with a sighting's crop."""
    parts = services().identities
    try:
        file = parts.crops.resolve(parts.reading.sighting(track).crop_path)
    except (FileNotFoundError, ContractError) as error:
        raise ProblemError(
            404, "crop-gone", "The crop is gone", "The crop is no longer there; it may have passed FARM_CROPS_KEEP"
        ) from error
    return private_jpeg(file, age_seconds=_CROP_AGE_SECONDS)


@resource.documented(
    "PUT",
    "/sightings/<track>/identity",
    role=Role.OPERATOR,
    summary="Say whose sighting it is",
    description="What a person says is not decided again by a machine.",
    body=Assignment,
    examples={"Nobody that is known": {"identity": None}},
    answers={200: Changed},
    errors=(404, 409),
)
def assign_sighting(track: str, body: Assignment) -> Changed:
    """Say whose sighting a track is."""
    reading = services().identities.reading
    reading.sighting(track)
    if body.identity is not None:
        reading.find(body.identity)
    change = services().identities.changes.assign(track, body.identity)
    return Changed(change=change, identity=body.identity or "")


def crop_url(track: str) -> str:
    """Return where this API serves the crop of a track."""
    return f"{VERSION_PREFIX}/sightings/{quote(track, safe=':')}/crop.jpg"


def sighting_entry(view: SightingView) -> SightingEntry:
    """Return a sighting as people are shown it."""
    return SightingEntry(
        track=view.track,
        camera_id=view.camera_id,
        class_name=view.class_name,
        first_ms=view.first_ms,
        last_ms=view.last_ms,
        identity=view.identity,
        name=view.name,
        similarity=view.similarity,
        reason=view.reason,
        decided_by=view.decided_by,
        decided_at_ms=view.decided_at_ms,
        crop_url=crop_url(view.track),
    )
