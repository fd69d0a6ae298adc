"""Which worker watches which camera, in which round."""

from typing import Annotated

from pydantic import BaseModel, Field

from contract.cameras import AnalysisSettings
from contract.ids import CameraId
from contract.recordings import RecordingSettings
from contract.zones import Polygon, Zone, masks_of


class Assignment(BaseModel):
    """One camera given to one worker.

    The epoch rises with every assignment of the camera. A write for the camera is accepted only if no write of
    a newer epoch has been accepted before it.
    """

    camera_id: CameraId
    name: str = ""
    #: URL without secrets.
    url: str
    #: `CameraSecrets` as JSON, encrypted with FARM_SECRET_KEY; None where the URL has no secrets.
    secrets: str | None = None
    #: URL without secrets of the stream that is recorded; None: `url` is.
    main_url: str | None = None
    #: As `secrets`, of `main_url`. A user name that it lacks is that of `url`, where both have the same host.
    main_secrets: str | None = None
    settings: AnalysisSettings = AnalysisSettings()
    recording: RecordingSettings = RecordingSettings()
    #: Areas, lines and masks; a worker that is older than they are does not know them.
    zones: list[Zone] = []
    epoch: Annotated[int, Field(ge=1)]

    @property
    def masks(self) -> tuple[Polygon, ...]:
        """Outlines of what is blacked out, in shares of the picture's width and height."""
        return masks_of(self.zones)
