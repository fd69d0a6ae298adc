"""The files of one camera, one after the other: begun, filled, finished, counted, and given up when the disk fails."""

from collections import Counter
from pathlib import Path
from typing import Final

import av
import structlog

from contract.recordings import OpenSegment, RecordingSettings
from workers.recording.footage_file import FootageFile, Held
from workers.recording.stream_session import NotRecordedError
from workers.recording.told_segments import ToldSegments

#: Seconds until what failed is tried again.
RETRY_SECONDS: Final = 2.0
#: Seconds after its last picture in which the sound of a file may come.
SOUND_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


class CameraFiles:
    """What is on the disk of one camera since it was taken. Not thread-safe."""

    def __init__(self, root: Path, camera_id: str, told: ToldSegments) -> None:
        """Begin with none.

        Args:
            root: The frames volume.
            camera_id: Whose footage it is.
            told: Is told of every file that is finished.
        """
        self._root = root
        self._camera_id = camera_id
        self._told = told
        #: The file that is being written; None: none is.
        self.open: FootageFile | None = None
        #: Why nothing can be written; None: nothing is wrong, as far as was seen.
        self.failure: NotRecordedError | None = None
        #: Reason -> packets of the video that were to be recorded and are not.
        self.lost: Final[Counter[str]] = Counter()
        #: The file before it, while sound that belongs to it may come; and the monotonic seconds until when.
        self._ending: FootageFile | None = None
        self._ending_until = 0.0
        self._retry_at = float("-inf")
        self._seconds, self._bytes = 0.0, 0

    @property
    def are_finished(self) -> bool:
        """Whether no file is open."""
        return self.open is None and self._ending is None

    @property
    def seconds(self) -> float:
        """Seconds of footage that are on the disk."""
        return self._seconds + sum(file.seconds for file in (self.open, self._ending) if file is not None)

    @property
    def size_bytes(self) -> int:
        """Bytes of footage that are on the disk."""
        return self._bytes + sum(file.size_bytes for file in (self.open, self._ending) if file is not None)

    def may_try(self, now: float) -> bool:
        """Tell whether nothing has failed a moment ago."""
        return now >= self._retry_at

    def lose(self, reason: str, packets: int) -> None:
        """Count packets of the video that are not recorded."""
        if packets:
            self.lost[str(reason)] += packets

    def open_segment(self, worker_id: str) -> OpenSegment | None:
        """Return how far the file that is open is; None: there is nothing of it to be played.

        While the one before waits for its sound it is that one: it is not told of as finished yet.
        """
        file = self._ending or self.open
        return None if file is None else file.open_segment(worker_id)

    def begin(self, held: Held, now: float, epoch: int, settings: RecordingSettings) -> bool:
        """Make the file that begins with this packet, which is still to be added; False: it cannot be made now."""
        try:
            self.open = FootageFile(self._root, self._camera_id, held, epoch=epoch, settings=settings)
        except NotRecordedError as error:
            self._fail(error, now)
            return False
        return True

    def add(self, held: Held, now: float) -> None:
        """Add a packet to the file that is open."""
        file = self.open
        assert file is not None
        if not held.is_video:
            self._add_sound(held, now)
            return
        try:
            if not file.add_video(held):
                self.lose("damaged", 1)
                file.cuts = True
        except NotRecordedError as error:
            self.open = None
            self._broken(file, error, now, packets=1)
        else:
            if file.seconds:
                self.failure = None

    def _add_sound(self, held: Held, now: float) -> None:
        if held.session.sound is None:
            return
        try:
            made = held.session.sound.take(held.packet, held.seconds)
        except av.FFmpegError:  # damaged; what was lost of the sound is not counted, for the picture is there
            return
        for packet, seconds in made:
            ending, file = self._ending, self.open
            into = ending if ending is not None and ending.takes_sound_of(seconds) else file
            try:
                if into is not None and into.session is held.session:
                    into.add_sound(packet, seconds)
            except NotRecordedError as error:
                self._ending, self.open = (None if into is ending else ending), (None if into is file else file)
                self._broken(into, error, now)

    def _broken(self, file: FootageFile | None, error: NotRecordedError, now: float, *, packets: int = 0) -> None:
        """Keep what a file holds that the disk does not take any more, and try a new one soon."""
        if file is not None:
            self.lose(error.reason, file.packets_waiting + packets)
            self._tell(file)
        self._fail(error, now)

    def end(self, following: Held | None) -> None:
        """End the file that is open, if one is; `following` is the packet that comes next, None: none does."""
        file, self.open = self.open, None
        if file is None:
            return
        file.end_before(following)
        self.finish_ending()
        self._ending, self._ending_until = file, float("-inf")
        if following is not None and following.session is file.session and file.has_sound:
            self._ending_until = following.at + SOUND_SECONDS
        else:
            self.finish_ending()

    def time_passed(self, now: float) -> None:
        """Finish a file that has waited long enough for its sound."""
        if now >= self._ending_until:
            self.finish_ending()

    def finish_ending(self) -> None:
        """Finish a file that was ended, without the sound that may still come."""
        file, self._ending = self._ending, None
        if file is None:
            return
        try:
            file.finish()
        except NotRecordedError as error:
            self._broken(file, error, file.to_at)
        else:
            self._tell(file)

    def _tell(self, file: FootageFile) -> None:
        """Say of a file that it is finished, if anything of it is on the disk."""
        if file.seconds:
            self._seconds += file.seconds
            self._bytes += file.size_bytes
            self._told.finished(file.segment(), file.from_at, file.to_at)

    def _fail(self, error: NotRecordedError, now: float) -> None:
        if self.failure is None or self.failure.reason is not error.reason:
            log.warning("not_recorded", camera=self._camera_id, reason=error.reason, detail=str(error))
        self.failure = error
        self._retry_at = now + RETRY_SECONDS
