"""What is asked of the gallery of embeddings, and what it answers."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, Field

from contract.detections import Xyxy
from contract.ids import CameraId

#: Largest uploaded picture in bytes, and most pixels of one.
MAX_PICTURE_BYTES: Final = 8_000_000
MAX_PICTURE_PIXELS: Final = 40_000_000
#: Most tracks in one answer.
MAX_FOUND: Final = 200


class SearchKind(StrEnum):
    """What is searched with."""

    TRACK = "track"
    IDENTITY = "identity"
    #: The picture lies under `keys.gallery_picture`.
    PICTURE = "picture"


class GalleryRequest(BaseModel):
    """One search.

    Clock: `until_ms` is Unix time in milliseconds UTC by the clock of Redis; `from_ms` and `to_ms` by workers' clocks.
    """

    request_id: str
    kind: SearchKind
    #: Id of the track or identity; empty for a picture.
    subject: str = ""
    #: When nobody waits for the answer any more.
    until_ms: int
    limit: Annotated[int, Field(ge=1, le=MAX_FOUND)] = 20
    #: Only sightings by these cameras; empty: all.
    cameras: list[CameraId] = []
    #: Cameras that whoever asks may see; None: all. Neither what is found nor what is searched with is of others.
    visible: list[CameraId] | None = None
    #: Only what was seen in this time, half open.
    from_ms: int | None = None
    to_ms: int | None = None
    #: Only what is at least so alike, in [-1, 1].
    min_similarity: Annotated[float, Field(ge=-1, le=1)] = -1.0


class FoundTrack(BaseModel):
    """One track that is like what was searched with."""

    track: str
    camera_id: CameraId
    #: When it was seen first and last, Unix ms UTC.
    first_ms: int
    last_ms: int
    class_name: str | None = None
    #: How alike the crops of both are, in [-1, 1], without what is their cameras': what the matcher decides by.
    similarity: float
    #: The crop that is most alike, relative to the frames volume, and when it was taken.
    crop_path: str
    crop_at_ms: int
    identity: str | None = None
    name: str | None = None


class ReplyProblem(StrEnum):
    """Why there is no answer."""

    #: The track or identity has no embeddings of the model that runs.
    NOTHING_TO_SEARCH_WITH = "nothing_to_search_with"
    NOT_A_PICTURE = "not_a_picture"
    NO_PERSON = "no_person"
    FAILED = "failed"


class GalleryReply(BaseModel):
    """The answer to one search."""

    request_id: str
    #: Most alike first.
    found: list[FoundTrack] = []
    problem: ReplyProblem | None = None
    #: What is wrong and what helps, for people.
    detail: str = ""
    #: Where in the uploaded picture the person is that was searched for, and how many there are.
    xyxy: Xyxy | None = None
    persons: int = 0
    #: `Embedder.version` of what was compared.
    version: str = ""
    #: Whether every stored embedding was searched; false while an index is being built.
    complete: bool = True
