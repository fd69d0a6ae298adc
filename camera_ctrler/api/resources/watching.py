"""Whom people want to be told of, ways between cameras, and the galleries that all of it rests on."""

from camera_ctrler.api.documented import Resource
from camera_ctrler.api.identity_schemas import (
    GalleryEntry,
    GalleryList,
    TransitEntry,
    TransitList,
    TransitQuery,
    TransitRequest,
    WatchEntry,
    WatchList,
    WatchRequest,
)
from camera_ctrler.api.problems import ProblemError
from camera_ctrler.api.services import services
from camera_ctrler.identities.errors import WatchNotFoundError
from camera_ctrler.identities.watching import SaidTransit
from contract.accounts import Role

resource = Resource("watching", "identities")


@resource.documented(
    "GET", "/watch-list", role=Role.VIEWER, summary="Whom people want to be told of", answers={200: WatchList}
)
def list_watched() -> WatchList:
    """Answer with the watch list."""
    return WatchList(items=_entries())


@resource.documented(
    "POST",
    "/watch-list",
    role=Role.OPERATOR,
    summary="Tell me when this one is seen again",
    description="With every track that is decided to be this identity comes one event of the kind `identity_seen`, "
    "within two seconds: see `/events/stream`. Asking again with the same note changes nothing.",
    body=WatchRequest,
    examples={"Somebody": {"identity": "id-0123456789abcdef", "note": "call the desk"}},
    answers={201: WatchEntry},
    errors=(404,),
)
def watch_identity(body: WatchRequest) -> WatchEntry:
    """Put an identity on the watch list."""
    services().identities.reading.find(body.identity)
    watch = services().identities.wishes.watch(body.identity, body.note)
    found = next((each for each in _entries() if each.watch == watch), None)
    if found is None:  # taken off by somebody else at this moment
        raise WatchNotFoundError(watch)
    return found


@resource.documented(
    "DELETE",
    "/watch-list/<watch>",
    role=Role.OPERATOR,
    summary="Take an entry off the watch list",
    answers={204: None},
    errors=(404,),
)
def unwatch(watch: str) -> None:
    """Take an entry off the watch list."""
    if all(each.watch != watch for each in services().identities.reading.watched()):
        raise WatchNotFoundError(watch)
    services().identities.wishes.unwatch(watch)


@resource.documented(
    "GET",
    "/transit-times",
    role=Role.VIEWER,
    summary="Ways between cameras",
    description="Who is seen by one camera too soon or too late after another is not taken for the same one.",
    answers={200: TransitList},
)
def list_transits() -> TransitList:
    """Answer with what is known of ways between cameras."""
    return TransitList(
        items=[
            TransitEntry(
                from_camera=row.from_camera,
                to_camera=row.to_camera,
                source=row.source,
                shortest_ms=row.shortest_ms,
                longest_ms=row.longest_ms,
                is_impossible=row.is_impossible,
            )
            for row in services().identities.reading.transits()
        ]
    )


@resource.documented(
    "PUT",
    "/transit-times",
    role=Role.ADMIN,
    whole_farm=True,
    summary="Say how long a way takes",
    description="Wins over what is learnt; heard within ten seconds.",
    body=TransitRequest,
    examples={"Two minutes' walk": {"from_camera": "lobby", "to_camera": "yard", "shortest_ms": 90000}},
    answers={204: None},
)
def say_transit(body: TransitRequest) -> None:
    """Say how long a way takes."""
    services().identities.wishes.say_transit(
        SaidTransit(body.from_camera, body.to_camera, body.shortest_ms, body.longest_ms, body.is_impossible)
    )


@resource.documented(
    "DELETE",
    "/transit-times",
    role=Role.ADMIN,
    whole_farm=True,
    summary="Say nothing of a way any more",
    query=TransitQuery,
    answers={204: None},
    errors=(404,),
)
def forget_transit(query: TransitQuery) -> None:
    """Say nothing of a way any more."""
    if not services().identities.wishes.forget_transit(query.from_camera, query.to_camera):
        raise ProblemError(
            404,
            "transit-not-found",
            "Nothing was said of this way",
            f"Nobody has said how long it takes from {query.from_camera} to {query.to_camera}",
        )


@resource.documented(
    "GET",
    "/galleries",
    role=Role.VIEWER,
    whole_farm=True,
    summary="Embeddings by embedder",
    description="One gallery for each embedder that was ever used; the newest is searched. How far embedding anew is, "
    "too: `./farm identities reembed`.",
    answers={200: GalleryList},
)
def list_galleries() -> GalleryList:
    """Answer with all galleries."""
    return GalleryList(
        items=[
            GalleryEntry(
                version=row.version,
                model=row.model,
                dimension=row.dimension,
                created_at_ms=row.created_at_ms,
                embeddings=count,
                reembedding_from=row.reembed_from,
                reembedded=row.reembedded,
                reembed_lost=row.reembed_lost,
            )
            for row, count in services().identities.reading.galleries()
        ]
    )


def _entries() -> list[WatchEntry]:
    return [
        WatchEntry(
            watch=row.watch, identity=row.identity, name=row.name, note=row.note, created_at_ms=row.created_at_ms
        )
        for row in services().identities.reading.watched()
    ]
