"""The parts behind the handlers of recorded footage, made once per app."""

import shutil
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

from sqlalchemy import Engine

from camera_ctrler.playback.clip_store import ClipStore
from camera_ctrler.playback.exporter import Exporter, ExportFigures
from camera_ctrler.playback.links import Links
from camera_ctrler.playback.moments import Moments
from camera_ctrler.playback.picture_cache import PictureCache
from camera_ctrler.playback.playlists import Playlists
from camera_ctrler.playback.recorded_files import RecordedFiles
from camera_ctrler.playback.recorded_parts import RecordedParts
from camera_ctrler.playback.recorded_pictures import TimelapseFigures
from camera_ctrler.recordings.files import FootageFiles
from camera_ctrler.recordings.footage import Footage
from runtime.clock import Clock
from runtime.secret_box import SecretBox
from runtime.settings import ControllerSettings

#: Bytes of finished clips at most; of a small disk a quarter of what is free when the API starts.
MAX_CLIP_BYTES: Final = 8_000_000_000


@dataclass(frozen=True, slots=True)
class RecordedServices:
    """What players of recorded footage need."""

    footage: Footage
    playlists: Playlists
    parts: RecordedParts
    moments: Moments
    exporter: Exporter
    exports: ClipStore[ExportFigures]
    timelapses: ClipStore[TimelapseFigures]
    thumbnails: PictureCache
    links: Links
    _close_footage: Callable[[], None]

    @classmethod
    def create(
        cls, settings: ControllerSettings, engine: Engine, box: SecretBox, clock: Clock, stopping: threading.Event
    ) -> Self:
        """Make them; neither Redis nor the database nor the archive is asked yet.

        Raises:
            FarmError: A setting cannot be used.
        """
        footage, close_footage = Footage.create(settings, engine)
        files = RecordedFiles(FootageFiles.from_settings(settings), footage.store)
        free = shutil.disk_usage(tempfile.gettempdir()).free
        return cls(
            footage=footage,
            playlists=Playlists(footage, files, clock),
            parts=RecordedParts(files),
            moments=Moments(footage, files),
            exporter=Exporter(footage, files, stopping),
            exports=ClipStore(clock, max_bytes=min(MAX_CLIP_BYTES, free // 4)),
            timelapses=ClipStore(clock),
            thumbnails=PictureCache(settings.data_dir / "thumbnails", clock),
            links=Links(box, clock),
            _close_footage=close_footage,
        )

    def close(self) -> None:
        """Give everything back."""
        self.exports.close()
        self.timelapses.close()
        self._close_footage()
