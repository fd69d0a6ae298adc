"""How searches get to ReID processes and answers back: a list of requests, and a list for each answer."""

from enum import IntEnum
from typing import Any, Final, cast

import redis

from contract import keys
from contract.gallery import GalleryReply, GalleryRequest
from runtime.messages import read_message
from runtime.scripts import Script

#: Requests that may wait; each has somebody waiting for it.
MAX_WAITING: Final = 64
#: Seconds for which pictures and answers are kept, and for which a process is believed to answer.
PICTURE_SECONDS: Final = 30
REPLY_SECONDS: Final = 30
ANSWERING_SECONDS: Final = 10
#: Seconds of one wait for an answer: shorter than a client of the API waits for one answer of Redis.
_WAIT_SECONDS: Final = 1


class Asked(IntEnum):
    """What became of a request."""

    TOO_MANY = -1
    NOBODY_ANSWERS = 0
    ASKED = 1


class GalleryLink:
    """Both sides. Every method raises what redis-py raises when Redis is away."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._ask = Script(client, "ask_gallery")

    def now_ms(self) -> int:
        """Return Unix milliseconds by the clock of Redis: both sides go by it."""
        seconds, micros = self._client.time()
        return seconds * 1000 + micros // 1000

    # --- who asks ---------------------------------------------------------------------------------------------------

    def ask(self, request: GalleryRequest, picture: bytes = b"") -> Asked:
        """Ask, with a picture of at most `MAX_PICTURE_BYTES`."""
        touched = [keys.gallery_answering(), keys.gallery_requests(), keys.gallery_picture(request.request_id)]
        return Asked(self._ask(touched, [request.model_dump_json(), MAX_WAITING, picture, PICTURE_SECONDS]))

    def wait_for_reply(self, request: GalleryRequest) -> GalleryReply | None:
        """Return the answer; None: there was none by `until_ms`, or one that cannot be read."""
        while self.now_ms() < request.until_ms:
            found = cast(
                "tuple[bytes, bytes] | None",
                self._client.blpop([keys.gallery_reply(request.request_id)], timeout=_WAIT_SECONDS),
            )
            if found is not None:
                return read_message(GalleryReply, found[1])
        return None

    # --- who answers ------------------------------------------------------------------------------------------------

    def say_answering(self) -> None:
        """Say that somebody answers."""
        self._client.set(keys.gallery_answering(), "1", ex=ANSWERING_SECONDS)

    def take(self, seconds: int = 1) -> GalleryRequest | None:
        """Return a request that somebody still waits for, as soon as there is one; None: there was none so long."""
        found = cast("tuple[bytes, bytes] | None", self._client.blpop([keys.gallery_requests()], timeout=seconds))
        request = None if found is None else read_message(GalleryRequest, found[1])
        return request if request is not None and self.now_ms() < request.until_ms else None

    def picture(self, request: GalleryRequest) -> bytes | None:
        """Return the picture that a request is for, and delete it; None: it has none, or had."""
        return cast("bytes | None", self._client.getdel(keys.gallery_picture(request.request_id)))

    def reply(self, reply: GalleryReply) -> None:
        """Send an answer."""
        key, pipeline = keys.gallery_reply(reply.request_id), self._client.pipeline()
        text: Any = reply.model_dump_json()
        pipeline.rpush(key, text)
        pipeline.expire(key, REPLY_SECONDS)
        pipeline.execute()
