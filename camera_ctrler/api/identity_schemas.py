"""What the API takes and gives of identities, sightings, searches and the watch list."""

from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from camera_ctrler.api.event_schemas import Cameras, IdentityId, TrackId
from camera_ctrler.api.schemas import EpochMs, Flag, PageQuery, Query, decimal, whole_number
from camera_ctrler.identities.recognising import RecognisingState
from contract.detections import Xyxy
from contract.gallery import MAX_FOUND
from contract.ids import CameraId

_Text = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]*$")]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")]
_Similarity = Annotated[float, Field(ge=-1, le=1), BeforeValidator(decimal)]
_Milliseconds = Annotated[int, Field(ge=-86_400_000, le=10**12)]


class IdentityQuery(PageQuery):
    """Which identities."""

    text: _Text | None = Field(None, description="Only those with this text in their name, or at the start of their id")
    named: Flag | None = Field(None, description="Only those that have a name (true), or have none (false)")
    camera: Cameras = Field([], description="Only those seen by this camera, or by one of these: give it several times")
    from_ms: EpochMs | None = Field(None, description="Only those seen at this time or later, Unix ms UTC")
    to_ms: EpochMs | None = Field(None, description="Only those seen before this time, Unix ms UTC")


class JourneyQuery(PageQuery):
    """Which sightings of an identity."""

    camera: Cameras = Field([], description="Only by this camera, or by these: give it several times")
    from_ms: EpochMs | None = Field(None, description="Only at this time or later, Unix ms UTC")
    to_ms: EpochMs | None = Field(None, description="Only before this time, Unix ms UTC")


class SightingQuery(JourneyQuery):
    """Which sightings."""

    identity: IdentityId | None = Field(None, description="Only those of this identity")
    identified: Flag | None = Field(None, description="Only those of somebody (true), or of nobody known (false)")


class SearchQuery(Query):
    """What may be found."""

    limit: Annotated[int, Field(ge=1, le=MAX_FOUND), BeforeValidator(whole_number)] = Field(
        20, description="Tracks at most"
    )
    camera: Cameras = Field([], description="Only tracks of this camera, or of these: give it several times")
    from_ms: EpochMs | None = Field(None, description="Only what was seen at this time or later, Unix ms UTC")
    to_ms: EpochMs | None = Field(None, description="Only what was seen before this time, Unix ms UTC")
    min_similarity: _Similarity = Field(-1.0, description="Only what is at least so alike")


class IdentityEntry(BaseModel):
    """Somebody who was seen."""

    identity: str = Field(examples=["id-0123456789abcdef"])
    name: str | None = Field(description="What people call it")
    created_at_ms: int = Field(description="When it became known")
    merged_into: str | None = Field(description="The identity that it was found to be; its sightings are that one's")
    sightings: int = Field(description="Tracks of it")
    first_ms: int | None = Field(description="When it was seen first; null: what was seen is too old to be kept")
    last_ms: int | None = Field(description="When it was seen last")
    cameras: list[str] = Field(description="Cameras that saw it, the one that did most first")
    crop_url: str | None = Field(description="Where this API serves its best crop, for as long as that is kept")
    watched: bool = Field(description="Whether it is on the watch list")


class IdentityPage(BaseModel):
    """Identities, the one that became known last first."""

    items: list[IdentityEntry]
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last one")


class SightingEntry(BaseModel):
    """One track, and whose sighting it is."""

    track: str
    camera_id: str
    class_name: str | None
    first_ms: int
    last_ms: int
    identity: str | None = Field(description="Null: nobody that is known")
    name: str | None
    similarity: float | None = Field(
        description="To the nearest when it was decided; null: there was nobody to compare"
    )
    reason: str = Field(description="Why it was decided so", examples=["alike", "nobody-alike", "two-alike"])
    decided_by: str = Field(examples=["machine", "operator"])
    decided_at_ms: int
    crop_url: str = Field(description="Where this API serves its best crop, for as long as that is kept")


class SightingPage(BaseModel):
    """Sightings."""

    items: list[SightingEntry]
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last one")


class FoundEntry(BaseModel):
    """One track that is like what was searched with."""

    track: str
    camera_id: str
    first_ms: int
    last_ms: int
    class_name: str | None
    similarity: float = Field(description="How alike it is, in [-1, 1]: what identities are decided by")
    identity: str | None
    name: str | None
    crop_at_ms: int = Field(description="When the crop was taken that is most alike")
    crop_url: str = Field(description="Where this API serves the track's best crop, for as long as that is kept")


class SearchResult(BaseModel):
    """What was found, the most alike first."""

    items: list[FoundEntry]
    xyxy: Xyxy | None = Field(description="Where in the picture the person is that was searched for; null: no picture")
    persons: int = Field(description="People in the picture; the largest was searched for")
    version: str = Field(description="The embedder whose embeddings were compared")
    complete: bool = Field(description="False: a part of the gallery is not searched yet, after a start")


class RecognisingEntry(BaseModel):
    """Whether people are recognised and can be searched for now."""

    state: RecognisingState
    text: str = Field(description="Why not, in a sentence; empty: they are")
    remedy: str


class Rename(BaseModel):
    """A name for an identity."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = Field(description="Null takes the name away")


class Merge(BaseModel):
    """Which identity is found to be another one."""

    model_config = ConfigDict(extra="forbid")

    other: IdentityId = Field(description="Its sightings become those of the identity in the path")


class Split(BaseModel):
    """Which sightings are of somebody else."""

    model_config = ConfigDict(extra="forbid")

    tracks: Annotated[list[TrackId], Field(min_length=1, max_length=1_000)]


class Assignment(BaseModel):
    """Whose sighting a track is."""

    model_config = ConfigDict(extra="forbid")

    identity: IdentityId | None = Field(description="Null: nobody that is known")


class ChangeEntry(BaseModel):
    """Something that people changed."""

    number: int
    kind: str = Field(examples=["merge", "split", "assign", "rename"])
    at_ms: int
    identity: str
    name: str | None = Field(description="What the identity is called now")
    other: str | None
    tracks: int = Field(description="Sightings that it moved")
    undone_at_ms: int | None


class ChangePage(BaseModel):
    """What people changed, newest first."""

    items: list[ChangeEntry]
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last one")


class Changed(BaseModel):
    """What was changed."""

    change: int = Field(description="Its number: undo it with that")
    identity: str = Field(description="The identity that it made, or changed")


class ErasedEntry(BaseModel):
    """What was erased."""

    sightings: int
    embeddings: int
    crops: int = Field(description="Files that were deleted")


class WatchRequest(BaseModel):
    """Whom to be told of."""

    model_config = ConfigDict(extra="forbid")

    identity: IdentityId
    note: Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""


class WatchEntry(BaseModel):
    """One entry of the watch list."""

    watch: str
    identity: str
    name: str | None
    note: str
    created_at_ms: int


class WatchList(BaseModel):
    """Whom people want to be told of, the newest entry first."""

    items: list[WatchEntry]


class TransitRequest(BaseModel):
    """How long the way from one camera to another takes."""

    model_config = ConfigDict(extra="forbid")

    from_camera: CameraId
    to_camera: CameraId
    shortest_ms: _Milliseconds | None = Field(
        None,
        description="From last seen there to first seen here; negative where both show the same place; null: no bound",
    )
    longest_ms: _Milliseconds | None = Field(None, description="Null: no bound")
    is_impossible: bool = Field(False, description="There is no way at all")

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.shortest_ms is not None and self.longest_ms is not None and self.shortest_ms > self.longest_ms:
            raise ValueError("shortest_ms must not be more than longest_ms")
        return self


class TransitQuery(Query):
    """Which way."""

    from_camera: CameraId = Field(description="From this camera")
    to_camera: CameraId = Field(description="To this one")


class TransitEntry(BaseModel):
    """What is known of the way from one camera to another."""

    from_camera: str
    to_camera: str
    source: str = Field(description="said: by a person, wins; learnt: from sightings", examples=["said", "learnt"])
    shortest_ms: int | None
    longest_ms: int | None
    is_impossible: bool


class TransitList(BaseModel):
    """What is known of the ways between cameras; what is not known is possible."""

    items: list[TransitEntry]


class GalleryEntry(BaseModel):
    """All embeddings of one embedder."""

    version: str = Field(description="Of the embedder; embeddings of two are never compared")
    model: str
    dimension: int
    created_at_ms: int
    embeddings: int
    reembedding_from: str | None = Field(description="The version whose crops are being embedded anew; null: none")
    reembedded: int = Field(description="Embeddings made anew")
    reembed_lost: int = Field(description="Crops that were gone")


class GalleryList(BaseModel):
    """Galleries, the newest first: it is the one that is searched."""

    items: list[GalleryEntry]
