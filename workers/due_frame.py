"""A frame on its way to the detector, with what of it is to be looked at."""

from dataclasses import dataclass

from workers.camera_run import CameraRun
from workers.frames import Frame, Wanted


@dataclass(frozen=True, slots=True)
class DueFrame:
    """A frame of a camera that is due to be analysed."""

    run: CameraRun
    frame: Frame
    wanted: Wanted
    #: Of the looks that the camera's attention has asked for.
    look: int = 0
    #: Frames a second that the camera is to be analysed at: its share, where not all can be served.
    weight: float = 1.0
