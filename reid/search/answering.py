"""Takes searches, one after the other, and answers them."""

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
import redis
import structlog
from sqlalchemy.exc import SQLAlchemyError

from contract.errors import FarmError
from contract.gallery import GalleryReply, GalleryRequest, ReplyProblem, SearchKind
from reid.embedding.embedder import Embedder
from reid.images import BgrImage
from reid.search.person_finder import FoundPerson, PersonFinder
from reid.search.searching import GallerySearch
from runtime.clock import Clock, SystemClock
from runtime.gallery_link import ANSWERING_SECONDS, GalleryLink

#: Seconds between two times at which it is said that searches are answered.
SAY_SECONDS: Final = ANSWERING_SECONDS / 5

log = structlog.get_logger(__name__)


class SearchAnswering:
    """Answers searches. Not thread-safe: one thread calls `step`."""

    def __init__(
        self,
        link: GalleryLink,
        search: GallerySearch,
        embedder: Embedder,
        open_finder: Callable[[], PersonFinder],
        clock: Clock | None = None,
    ) -> None:
        """Prepare.

        Args:
            link: To who asks.
            search: What finds.
            embedder: For pictures; used by this thread alone.
            open_finder: Opens what finds people in pictures; called when the first one comes.
            clock: Of this machine.
        """
        self._link = link
        self._search = search
        self._embedder = embedder
        self._open_finder = open_finder
        self._finder: PersonFinder | None = None
        self._clock = clock or SystemClock()
        self._say_at = float("-inf")

    def step(self) -> None:
        """Answer one search, or find out within a second that there is none.

        Raises:
            redis.RedisError: Redis is away; who waits for an answer gives up by itself.
        """
        now = self._clock.monotonic()
        if now >= self._say_at:
            self._link.say_answering()
            self._say_at = now + SAY_SECONDS
        request = self._link.take()
        if request is not None:
            self._link.reply(self._answer(request))

    def _answer(self, request: GalleryRequest) -> GalleryReply:
        try:
            return self._find(request)
        except SQLAlchemyError as error:
            return _problem(request, ReplyProblem.FAILED, f"the database: {str(error).splitlines()[0]}")
        except FarmError as error:
            return _problem(request, ReplyProblem.FAILED, str(error))
        except redis.RedisError:
            raise
        except Exception as error:  # one search must not end all others
            log.exception("search_failed", kind=request.kind)
            return _problem(request, ReplyProblem.FAILED, f"the search failed ({error!r}); the ReID log has more")

    def _find(self, request: GalleryRequest) -> GalleryReply:
        if request.kind is SearchKind.TRACK:
            return self._search.by_track(request)
        if request.kind is SearchKind.IDENTITY:
            return self._search.by_identity(request)
        picture = _decoded(self._link.picture(request))
        if picture is None:
            return _problem(request, ReplyProblem.NOT_A_PICTURE, "it cannot be decoded; send a whole JPEG, PNG or WebP")
        person = self._person(picture)
        if person is None:
            height, width = picture.shape[:2]
            return _problem(
                request,
                ReplyProblem.NO_PERSON,
                f"nobody is seen in this picture of {width}x{height} pixels; send one in which the person is larger, "
                "or cut the person out",
            )
        reply = self._search.by_vectors(request, self._embedder.embed([person.image]))
        return reply.model_copy(update={"xyxy": person.xyxy, "persons": person.persons})

    def _person(self, picture: BgrImage) -> FoundPerson | None:
        if self._finder is None:
            self._finder = self._open_finder()
        return self._finder.find(picture)


def _decoded(data: bytes | None) -> BgrImage | None:
    """Return the picture; None: it is none, or it is no more. Its size was checked by who asks."""
    if not data:
        return None
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return None if picture is None or not picture.size else np.asarray(picture, np.uint8)


def _problem(request: GalleryRequest, problem: ReplyProblem, detail: str) -> GalleryReply:
    return GalleryReply(request_id=request.request_id, problem=problem, detail=detail)
