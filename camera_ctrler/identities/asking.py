"""Asks ReID processes for what looks like somebody, and waits for the answer."""

import io
import warnings
from dataclasses import dataclass
from secrets import token_hex
from threading import BoundedSemaphore
from typing import Final

import redis
from PIL import Image, UnidentifiedImageError

from contract.errors import FarmError
from contract.gallery import (
    MAX_PICTURE_BYTES,
    MAX_PICTURE_PIXELS,
    GalleryReply,
    GalleryRequest,
    ReplyProblem,
    SearchKind,
)
from runtime.gallery_link import Asked, GalleryLink

#: Longest wait for an answer, seconds.
WAIT_SECONDS: Final = 8.0
#: Pictures that one process sends at a time: they are in the memory of Redis until they are taken.
_PICTURES_AT_ONCE: Final = 4
_FORMATS: Final = frozenset({"JPEG", "PNG", "WEBP"})


class SearchAwayError(FarmError):
    """Nobody answers, or not in time; the text says what helps."""


class UnusablePictureError(FarmError, ValueError):
    """A picture that cannot be searched with: none, too large, or nobody is in it."""


class NothingToSearchWithError(FarmError, LookupError):
    """A track or an identity that has no embeddings of the model that runs."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What may be found."""

    limit: int = 20
    cameras: tuple[str, ...] = ()
    from_ms: int | None = None
    to_ms: int | None = None
    min_similarity: float = -1.0
    #: Cameras that whoever asks may see; None: all.
    visible: frozenset[str] | None = None


class Searches:
    """Searches. Safe to use from several threads. Every method raises what redis-py raises when Redis is away."""

    def __init__(self, client: redis.Redis) -> None:
        self._link = GalleryLink(client)
        self._pictures = BoundedSemaphore(_PICTURES_AT_ONCE)

    def like(self, kind: SearchKind, subject: str, wanted: Wanted) -> GalleryReply:
        """Return what is like a track or an identity.

        Raises:
            SearchAwayError: Nobody answers.
            NothingToSearchWithError: It has no embeddings of the model that runs.
        """
        return self._ask(kind, subject, wanted, b"")

    def like_picture(self, picture: bytes, wanted: Wanted) -> GalleryReply:
        """Return what is like the person who fills most of a picture.

        Raises:
            UnusablePictureError: It is none, is too large, or nobody is in it.
            SearchAwayError: Nobody answers.
        """
        check_picture(picture)
        if not self._pictures.acquire(blocking=False):
            raise SearchAwayError(f"{_PICTURES_AT_ONCE} pictures are being searched with; try again in some seconds")
        try:
            return self._ask(SearchKind.PICTURE, "", wanted, picture)
        finally:
            self._pictures.release()

    def _ask(self, kind: SearchKind, subject: str, wanted: Wanted, picture: bytes) -> GalleryReply:
        request = GalleryRequest(
            request_id=token_hex(8),
            kind=kind,
            subject=subject,
            until_ms=self._link.now_ms() + round(WAIT_SECONDS * 1_000),
            limit=wanted.limit,
            cameras=list(wanted.cameras),
            from_ms=wanted.from_ms,
            to_ms=wanted.to_ms,
            min_similarity=wanted.min_similarity,
            visible=None if wanted.visible is None else sorted(wanted.visible),
        )
        asked = self._link.ask(request, picture)
        if asked is Asked.NOBODY_ANSWERS:
            raise SearchAwayError("no ReID worker runs that could search; start one with: ./farm up, or python -m reid")
        if asked is Asked.TOO_MANY:
            raise SearchAwayError(
                "too many searches wait already; try again in some seconds, or start more ReID workers"
            )
        reply = self._link.wait_for_reply(request)
        if reply is None:
            raise SearchAwayError(
                f"no ReID worker answered within {WAIT_SECONDS:.0f} s; see how they do with: ./farm status"
            )
        if reply.problem is ReplyProblem.NOTHING_TO_SEARCH_WITH:
            raise NothingToSearchWithError(reply.detail)
        if reply.problem in {ReplyProblem.NO_PERSON, ReplyProblem.NOT_A_PICTURE}:
            raise UnusablePictureError(reply.detail)
        if reply.problem is not None:
            raise SearchAwayError(f"the ReID worker could not search: {reply.detail}")
        return reply


def check_picture(picture: bytes) -> None:
    """Refuse what cannot be searched with, from its head alone: nothing is decoded.

    Raises:
        UnusablePictureError: It is no picture, or too large.
    """
    if len(picture) > MAX_PICTURE_BYTES:
        raise UnusablePictureError(f"the picture has {len(picture)} bytes; send one of at most {MAX_PICTURE_BYTES}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(picture)) as head:
                (width, height), form = head.size, head.format
    # ImportError: where Ultralytics is loaded, Pillow asks for a package of one more format before it gives up.
    except (
        UnidentifiedImageError,
        ImportError,
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
    ) as error:
        if isinstance(error, Image.DecompressionBombError):
            raise UnusablePictureError(
                f"the picture has more than {MAX_PICTURE_PIXELS} pixels; make it smaller"
            ) from error
        raise UnusablePictureError("this is no picture; send a whole JPEG, PNG or WebP") from error
    if form not in _FORMATS:
        raise UnusablePictureError(f"a picture of the format {form} is not read here; send a JPEG, PNG or WebP")
    if width * height > MAX_PICTURE_PIXELS:
        raise UnusablePictureError(
            f"the picture has {width}x{height} pixels, more than {MAX_PICTURE_PIXELS}; make it smaller"
        )
    if width < 1 or height < 1:
        raise UnusablePictureError("the picture has no pixels")
