"""Where else was this one seen? By track, by identity, by an uploaded picture."""

from camera_ctrler.api.access import visible_cameras
from camera_ctrler.api.documented import Resource
from camera_ctrler.api.event_schemas import refuse_no_time
from camera_ctrler.api.identity_schemas import FoundEntry, RecognisingEntry, SearchQuery, SearchResult
from camera_ctrler.api.resources.sightings import crop_url
from camera_ctrler.api.services import services
from camera_ctrler.identities.asking import Wanted
from camera_ctrler.identities.recognising import recognising
from contract.accounts import Role
from contract.gallery import GalleryReply, SearchKind

resource = Resource("searches", "identities")

_PICTURES = ("image/jpeg", "image/png", "image/webp")


@resource.documented(
    "GET",
    "/searches/state",
    role=Role.VIEWER,
    summary="Can people be recognised",
    description="Whether ReID workers run that embed people and answer searches; else why not, and what helps.",
    answers={200: RecognisingEntry},
)
def search_state() -> RecognisingEntry:
    """Answer with whether people are recognised."""
    found = recognising(services().reader.reid.workers())
    return RecognisingEntry(state=found.state, text=found.text, remedy=found.remedy)


@resource.documented(
    "GET",
    "/sightings/<track>/similar",
    role=Role.VIEWER,
    summary="Search with a track",
    description="What looks like it, in all cameras, the most alike first; itself is left out. A ReID worker must run.",
    query=SearchQuery,
    answers={200: SearchResult},
    errors=(404,),
)
def similar_to_track(track: str, query: SearchQuery) -> SearchResult:
    """Answer with what is like a track."""
    wanted = _wanted(query)
    services().identities.reading.sighting(track)
    return _result(services().identities.searches.like(SearchKind.TRACK, track, wanted))


@resource.documented(
    "GET",
    "/identities/<identity>/similar",
    role=Role.VIEWER,
    summary="Search with an identity",
    description="What looks like its newest sightings, these among it. A ReID worker must run.",
    query=SearchQuery,
    answers={200: SearchResult},
    errors=(404,),
)
def similar_to_identity(identity: str, query: SearchQuery) -> SearchResult:
    """Answer with what is like an identity."""
    wanted = _wanted(query)
    services().identities.reading.find(identity)
    return _result(services().identities.searches.like(SearchKind.IDENTITY, identity, wanted))


@resource.documented(
    "POST",
    "/searches/picture",
    role=Role.VIEWER,
    audited=False,
    summary="Search with a picture",
    description="A detector finds the people in it; the largest is searched for. At most FARM_API_MAX_BODY_BYTES, 8 MB "
    "and 40 megapixels. The picture is not kept. A ReID worker must run.",
    query=SearchQuery,
    upload=_PICTURES,
    answers={200: SearchResult},
    errors=(422,),
)
def similar_to_picture(query: SearchQuery, upload: bytes) -> SearchResult:
    """Answer with what is like the person in a picture."""
    wanted = _wanted(query)
    return _result(services().identities.searches.like_picture(upload, wanted))


def _wanted(query: SearchQuery) -> Wanted:
    refuse_no_time(query.from_ms, query.to_ms)
    return Wanted(query.limit, tuple(query.camera), query.from_ms, query.to_ms, query.min_similarity, visible_cameras())


def _result(reply: GalleryReply) -> SearchResult:
    return SearchResult(
        items=[
            FoundEntry(
                track=each.track,
                camera_id=each.camera_id,
                first_ms=each.first_ms,
                last_ms=each.last_ms,
                class_name=each.class_name,
                similarity=each.similarity,
                identity=each.identity,
                name=each.name,
                crop_at_ms=each.crop_at_ms,
                crop_url=crop_url(each.track),
            )
            for each in reply.found
        ],
        xyxy=reply.xyxy,
        persons=reply.persons,
        version=reply.version,
        complete=reply.complete,
    )
