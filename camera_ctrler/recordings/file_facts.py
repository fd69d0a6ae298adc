"""Reads from a file of footage what the index must know of it."""

import os
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from camera_ctrler.playback.fragments import read_layout
from camera_ctrler.playback.track_runs import DamagedFootageError
from contract.recordings import KeptFor, Segment
from runtime.recording_store import FoundFile, RecordingStore

#: Init sections that are remembered: some for each camera.
_REMEMBERED: Final = 2_000


@dataclass(frozen=True, slots=True)
class Encoding:
    """What the init section of a file says."""

    codec: str
    #: Empty: no sound.
    audio: str
    width: int
    height: int


class FileReader:
    """Reads files of footage. Not thread-safe.

    Times come from the boxes of the file. FFmpeg, which says what is in the file, is asked once for each init section:
    files of one stream have the same, and opening takes FFmpeg longer than everything else.
    """

    def __init__(self, store: RecordingStore) -> None:
        self._store = store
        self._encodings: OrderedDict[str, Encoding] = OrderedDict()

    def read(self, found: FoundFile, kept_for: KeptFor = KeptFor.CONTINUOUS) -> Segment:
        """Return what the index must know of a file, as far as its last whole fragment goes.

        Raises:
            DamagedFootageError: Nothing of it can be played; the text says why.
            FileNotFoundError: It is gone.
            OSError: The volume cannot be read.
        """
        file = self._store.file(found.path)
        descriptor = os.open(file, os.O_RDONLY)
        try:
            layout = read_layout(lambda offset, size: os.pread(descriptor, size, offset), found.size_bytes)
        finally:
            os.close(descriptor)
        if not layout.fragments or not layout.length:
            raise DamagedFootageError("it has no whole fragment of pictures")
        encoding = self._encodings.get(layout.head.digest)
        if encoding is None:
            encoding = self._encodings[layout.head.digest] = _ask_ffmpeg(str(file))
            if len(self._encodings) > _REMEMBERED:
                self._encodings.popitem(last=False)
        return Segment(
            camera_id=found.camera_id,
            start_ms=found.start_ms,
            end_ms=found.start_ms + round(layout.length * 1000),
            epoch=found.epoch,
            size_bytes=found.size_bytes,
            codec=encoding.codec,
            audio=encoding.audio,
            width=encoding.width,
            height=encoding.height,
            kept_for=kept_for,
        )


def _ask_ffmpeg(file: str) -> Encoding:
    import av  # it takes 40 MB, and most managers never need it

    try:
        # The init section says all that is asked here; to decode pictures, as FFmpeg would to be sure, takes long.
        with av.open(file, format="mp4", options={"probesize": "32", "analyzeduration": "0"}) as container:
            if not container.streams.video:
                raise DamagedFootageError("it has no track of pictures")
            video = container.streams.video[0]
            sound = container.streams.audio[0].codec_context.name if container.streams.audio else ""
            return Encoding(video.codec_context.name, sound, video.codec_context.width, video.codec_context.height)
    except av.FFmpegError as error:
        raise DamagedFootageError(f"FFmpeg cannot open it ({error.strerror})") from error
