"""Identities: listed, shown on their way from camera to camera, put right, erased."""

from typing import Final

from camera_ctrler.api.access import visible_cameras
from camera_ctrler.api.documented import Resource
from camera_ctrler.api.event_schemas import refuse_no_time
from camera_ctrler.api.identity_schemas import (
    Changed,
    ChangeEntry,
    ChangePage,
    ErasedEntry,
    IdentityEntry,
    IdentityPage,
    IdentityQuery,
    JourneyQuery,
    Merge,
    Rename,
    SightingPage,
    Split,
)
from camera_ctrler.api.resources.sightings import crop_url, sighting_entry
from camera_ctrler.api.schemas import PageQuery
from camera_ctrler.api.services import services
from camera_ctrler.identities.reading import IdentityFilter, IdentityView, SightingFilter
from contract.accounts import Role

resource = Resource("identities", "identities")

_SEPARATOR: Final = " "


@resource.documented(
    "GET",
    "/identities",
    role=Role.VIEWER,
    summary="List identities",
    description="Who was seen, the one that became known last first, for as long as FARM_IDENTITIES_KEEP says; who has "
    "a name or is watched for, for ever.",
    query=IdentityQuery,
    answers={200: IdentityPage},
)
def list_identities(query: IdentityQuery) -> IdentityPage:
    """Answer with one page of identities."""
    refuse_no_time(query.from_ms, query.to_ms)
    wanted = IdentityFilter(
        text=query.text or "",
        named=query.named,
        cameras=frozenset(query.camera),
        from_ms=query.from_ms,
        to_ms=query.to_ms,
    )
    scope = f"identities?{query.model_dump_json(exclude={'cursor', 'limit'})}"
    before = place_of(services().cursors.read(scope, query.cursor))
    found = services().identities.reading.page(wanted, limit=query.limit + 1, before=before)
    page = found[: query.limit]
    next_cursor = None
    if len(found) > len(page):
        next_cursor = services().cursors.make(scope, f"{page[-1].created_at_ms}{_SEPARATOR}{page[-1].identity}")
    return IdentityPage(items=[identity_entry(each) for each in page], next_cursor=next_cursor)


@resource.documented(
    "GET",
    "/identities/<identity>",
    role=Role.VIEWER,
    summary="Show an identity",
    answers={200: IdentityEntry},
    errors=(404,),
)
def show_identity(identity: str) -> IdentityEntry:
    """Answer with one identity."""
    return identity_entry(services().identities.reading.find(identity))


@resource.documented(
    "GET",
    "/identities/<identity>/journey",
    role=Role.VIEWER,
    summary="Way of an identity",
    description="Its sightings by all cameras, in the order in which they began.",
    query=JourneyQuery,
    answers={200: SightingPage},
    errors=(404,),
)
def journey(identity: str, query: JourneyQuery) -> SightingPage:
    """Answer with one page of an identity's sightings."""
    refuse_no_time(query.from_ms, query.to_ms)
    reading = services().identities.reading
    reading.find(identity)
    wanted = SightingFilter(
        identity=identity, cameras=frozenset(query.camera), from_ms=query.from_ms, to_ms=query.to_ms
    )
    scope = f"journey/{identity}?{query.model_dump_json(exclude={'cursor', 'limit'})}"
    after = place_of(services().cursors.read(scope, query.cursor))
    found = reading.journey(wanted, limit=query.limit + 1, after=after)
    page = found[: query.limit]
    next_cursor = None
    if len(found) > len(page):
        next_cursor = services().cursors.make(scope, f"{page[-1].first_ms}{_SEPARATOR}{page[-1].track}")
    return SightingPage(items=[sighting_entry(each) for each in page], next_cursor=next_cursor)


@resource.documented(
    "PATCH",
    "/identities/<identity>",
    role=Role.OPERATOR,
    summary="Name an identity",
    body=Rename,
    examples={"A name": {"name": "The postman"}},
    answers={200: Changed},
    errors=(404, 409),
)
def rename_identity(identity: str, body: Rename) -> Changed:
    """Give an identity a name."""
    services().identities.reading.find(identity)
    return Changed(change=services().identities.changes.rename(identity, body.name), identity=identity)


@resource.documented(
    "POST",
    "/identities/<identity>/merge",
    role=Role.OPERATOR,
    summary="Merge two identities",
    description="They are the same: the sightings of the other one become those of this one.",
    body=Merge,
    examples={"Two that are one": {"other": "id-0123456789abcdef"}},
    answers={200: Changed},
    errors=(404, 409),
)
def merge_identities(identity: str, body: Merge) -> Changed:
    """Make one identity of two."""
    for each in (identity, body.other):
        services().identities.reading.find(each)
    return Changed(change=services().identities.changes.merge(identity, body.other), identity=identity)


@resource.documented(
    "POST",
    "/identities/<identity>/split",
    role=Role.OPERATOR,
    summary="Split an identity",
    description="Some of its sightings are of somebody else: they become those of a new identity.",
    body=Split,
    examples={"A sighting of somebody else": {"tracks": ["lobby:1:17"]}},
    answers={201: Changed},
    errors=(404, 409),
)
def split_identity(identity: str, body: Split) -> Changed:
    """Make two identities of one."""
    reading = services().identities.reading
    reading.find(identity)
    for track in sorted(set(body.tracks)):
        reading.sighting(track)
    change, new = services().identities.changes.split(identity, body.tracks)
    return Changed(change=change, identity=new)


@resource.documented(
    "DELETE",
    "/identities/<identity>",
    role=Role.ADMIN,
    whole_farm=True,
    summary="Erase an identity",
    description="Its embeddings, crops, sightings, name and place on the watch list; cannot be undone. Saved frames "
    "and footage show others, too, and have a retention of their own. ReID workers take it out of their memory and off "
    "their disks within a second, those that do not run when they start.",
    answers={200: ErasedEntry},
    errors=(404,),
)
def erase_identity(identity: str) -> ErasedEntry:
    """Erase an identity."""
    erased = services().identities.erasure.erase(identity)
    return ErasedEntry(sightings=erased.sightings, embeddings=erased.embeddings, crops=erased.crops)


@resource.documented(
    "GET",
    "/identity-changes",
    role=Role.OPERATOR,
    summary="What people changed",
    description="Names, merges, splits and assignments, newest first, for as long as FARM_IDENTITIES_KEEP says.",
    query=PageQuery,
    answers={200: ChangePage},
)
def list_changes(query: PageQuery) -> ChangePage:
    """Answer with one page of changes."""
    scope = "identity-changes"
    cursor = services().cursors.read(scope, query.cursor)
    found = services().identities.reading.changes(limit=query.limit + 1, before=None if cursor is None else int(cursor))
    page = found[: query.limit]
    return ChangePage(
        items=[
            ChangeEntry(
                number=each.number,
                kind=each.kind,
                at_ms=each.at_ms,
                identity=each.identity,
                name=each.name,
                other=each.other,
                tracks=each.tracks,
                undone_at_ms=each.undone_at_ms,
            )
            for each in page
        ],
        next_cursor=services().cursors.make(scope, str(page[-1].number)) if len(found) > len(page) else None,
    )


@resource.documented(
    "POST",
    "/identity-changes/<change>/undo",
    role=Role.OPERATOR,
    summary="Undo a change",
    description="Everything is as it was before, but for what came since.",
    answers={204: None},
    errors=(404, 409),
)
def undo_change(change: int) -> None:
    """Take a change back."""
    services().identities.reading.change(change)
    services().identities.changes.undo(change, visible_cameras())


def place_of(cursor: str | None) -> tuple[int, str] | None:
    """Return the place in a list that a cursor names."""
    if cursor is None:
        return None
    at_ms, _, name = cursor.partition(_SEPARATOR)
    return int(at_ms), name


def identity_entry(view: IdentityView) -> IdentityEntry:
    """Return an identity as people are shown it."""
    return IdentityEntry(
        identity=view.identity,
        name=view.name,
        created_at_ms=view.created_at_ms,
        merged_into=view.merged_into,
        sightings=view.sightings,
        first_ms=view.first_ms,
        last_ms=view.last_ms,
        cameras=view.cameras,
        crop_url=None if view.best_track is None else crop_url(view.best_track),
        watched=view.watched,
    )
