"""What workers say of the footage they write, on its way to the index: a stream of finished files, and the hot part."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, cast

import redis

from contract import keys
from contract.recordings import OpenSegment, Segment
from runtime.messages import read_message

#: Files of all cameras that the stream keeps: an hour and more of five hundred cameras.
STREAM_SIZE: Final = 200_000
#: Newest files per camera that Redis keeps by themselves: ten minutes.
HOT_SEGMENTS: Final = 60
HOT_LIFETIME_SECONDS: Final = 3_600
OPEN_LIFETIME_SECONDS: Final = 15


@dataclass(frozen=True, slots=True)
class FinishedPage:
    """Some entries of the stream, oldest first."""

    segments: list[Segment]
    #: Entry id to go on after; None: there was nothing.
    last_id: str | None
    #: How many there were, those that another version wrote included.
    entries: int


@dataclass(frozen=True, slots=True)
class HotSegments:
    """What Redis knows of a camera's newest footage."""

    #: Finished files, oldest first.
    finished: list[Segment]
    #: The file that is being written; None: none, or its worker is silent.
    open: OpenSegment | None


class RecordingFeed:
    """Typed access to the keys of recordings. Every method raises what redis-py raises when Redis is away."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def publish(self, finished: Iterable[Segment], opened: Iterable[OpenSegment]) -> None:
        """Say which files are finished, oldest first, and how far the open ones are; one exchange.

        A file that is told of twice counts once: its key is the same. One that is told of again with other contents
        (a better reason to be kept) replaces what was said before.
        """
        pipe = self._client.pipeline(transaction=False)
        for segment in finished:
            text = segment.model_dump_json()
            hot = keys.camera_segments(segment.camera_id)
            pipe.xadd(keys.segments(), {"segment": text}, maxlen=STREAM_SIZE, approximate=True)
            pipe.lpush(hot, text)
            pipe.ltrim(hot, 0, HOT_SEGMENTS - 1)
            pipe.expire(hot, HOT_LIFETIME_SECONDS)
        for each in opened:
            pipe.set(keys.camera_open_segment(each.camera_id), each.model_dump_json(), ex=OPEN_LIFETIME_SECONDS)
        pipe.execute()

    def closed(self, camera_ids: Iterable[str]) -> None:
        """Say that nothing is being written for these cameras any more."""
        names = [keys.camera_open_segment(camera_id) for camera_id in camera_ids]
        if names:
            self._client.delete(*names)

    def finished_after(self, entry_id: str, count: int) -> FinishedPage:
        """Return at most `count` entries of the stream behind `entry_id` (``0``: from its beginning)."""
        found = cast(
            "list[tuple[bytes, dict[bytes, bytes]]]", self._client.xrange(keys.segments(), f"({entry_id}", count=count)
        )
        read = (read_message(Segment, fields.get(b"segment")) for _, fields in found)
        return FinishedPage(
            [segment for segment in read if segment is not None],
            found[-1][0].decode() if found else None,
            len(found),
        )

    def ends(self) -> tuple[str, str] | None:
        """Return the ids of the oldest and the newest entry that the stream holds; None: it is empty, or not there."""
        pipe = self._client.pipeline(transaction=False)
        pipe.xrange(keys.segments(), count=1)
        pipe.xrevrange(keys.segments(), count=1)
        oldest, newest = cast("tuple[list[tuple[bytes, object]], list[tuple[bytes, object]]]", tuple(pipe.execute()))
        return (oldest[0][0].decode(), newest[0][0].decode()) if oldest and newest else None

    def hot(self, camera_id: str) -> HotSegments:
        """Return what is known of a camera's newest footage; each file once, as it was told of last."""
        pipe = self._client.pipeline(transaction=False)
        pipe.lrange(keys.camera_segments(camera_id), 0, HOT_SEGMENTS - 1)
        pipe.get(keys.camera_open_segment(camera_id))
        texts, opened = cast("tuple[list[bytes], bytes | None]", tuple(pipe.execute()))
        found: dict[tuple[int, int], Segment] = {}
        for text in texts:  # newest word first
            segment = read_message(Segment, text)
            if segment is not None:
                found.setdefault((segment.start_ms, segment.epoch), segment)
        return HotSegments([found[key] for key in sorted(found)], read_message(OpenSegment, opened))
