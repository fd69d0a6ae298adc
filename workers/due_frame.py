"""A frame on its way to the detector, with what of it is to be looked at."""

from collections.abc import Callable
from dataclasses import dataclass, field

from workers.camera_run import CameraRun
from workers.frames import Frame, Wanted


@dataclass(slots=True)
class DueFrame:
    """A frame of a camera that is due to be analysed."""

    run: CameraRun
    frame: Frame
    #: Finds out what of it is to be looked at, when that is asked for first: of a frame that makes room for a newer one
    #: nobody asks.
    find_wanted: Callable[[], Wanted]
    #: Frames a second that the camera is to be analysed at: its share, where not all can be served.
    weight: float = 1.0
    _wanted: Wanted | None = field(default=None, init=False)

    @property
    def wanted(self) -> Wanted:
        """What of it is to be looked at. One thread at a time may ask first."""
        if self._wanted is None:
            self._wanted = self.find_wanted()
        return self._wanted
