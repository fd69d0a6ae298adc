"""One row of the registry with the views of it."""

from functools import cached_property
from urllib.parse import urlsplit

from pydantic import ValidationError

from camera_ctrler.registry.errors import CameraUnreadableError
from camera_ctrler.registry.tables import CameraRow
from contract.assignments import Assignment
from contract.camera_specs import Camera
from contract.camera_urls import MASK, mask_url
from contract.cameras import AnalysisSettings, PlacementSettings
from contract.recordings import RecordingSettings
from contract.zones import ZoneSettings


class RegisteredCamera:
    """One row of the registry with the views that API and manager need."""

    def __init__(self, row: CameraRow) -> None:
        self._row = row

    @property
    def id(self) -> str:
        """The camera's id."""
        return self._row.id

    @property
    def enabled(self) -> bool:
        """Whether it shall be watched."""
        return self._row.enabled

    @property
    def origin(self) -> str:
        """`ORIGIN_FARM` or `ORIGIN_EXTERNAL`."""
        return self._row.origin

    def view(self) -> Camera:
        """Return what people may see."""
        return self._view

    @cached_property
    def _view(self) -> Camera:
        fields = self._row.as_dict()
        secrets, main_secrets = fields.pop("secrets"), fields.pop("main_secrets")
        shown = {
            "url": _shown(self._row.url, has_secrets=secrets is not None),
            "main_url": None
            if self._row.main_url is None
            else _shown(self._row.main_url, has_secrets=main_secrets is not None),
        }
        return Camera(**{**fields, **shown, "has_credentials": secrets is not None or main_secrets is not None})

    def settings(self) -> AnalysisSettings:
        """Return how it is analysed."""
        return self._settings

    @cached_property
    def _settings(self) -> AnalysisSettings:
        fields = self._row.as_dict()
        return AnalysisSettings(**{name: fields[name] for name in AnalysisSettings.model_fields})

    @cached_property
    def placement(self) -> PlacementSettings:
        """Which workers may have it."""
        return PlacementSettings(require_labels=self._row.require_labels, prefer_labels=self._row.prefer_labels)

    @cached_property
    def recording(self) -> RecordingSettings:
        """How it is recorded."""
        fields = self._row.as_dict()
        return RecordingSettings(**{name: fields[name] for name in RecordingSettings.model_fields})

    @cached_property
    def drawing(self) -> ZoneSettings:
        """What is drawn on its picture."""
        return ZoneSettings.model_validate({"zones": self._row.zones})

    @cached_property
    def host(self) -> str:
        """Host of its URL; empty for a file."""
        return urlsplit(self._row.url).hostname or ""

    def assignment(self, epoch: int) -> Assignment:
        """Return what a worker is told; secrets stay encrypted."""
        return Assignment(
            camera_id=self.id,
            name=self._row.name,
            url=self._row.url,
            secrets=self._row.secrets,
            main_url=self._row.main_url,
            main_secrets=self._row.main_secrets,
            settings=self.settings(),
            recording=self.recording,
            zones=self.drawing.zones,
            epoch=epoch,
        )

    @cached_property
    def fingerprint(self) -> str:
        """A text that changes whenever a worker must be told anew; kept, for the manager asks with every look."""
        return self.assignment(epoch=1).model_dump_json()

    def check(self) -> None:
        """Raise `CameraUnreadableError` unless its row makes sense: a database takes what we would refuse."""
        try:
            _ = self._view, self.fingerprint
        except ValidationError as error:
            columns = sorted({str(item["loc"][0]) for item in error.errors() if item["loc"]})
            raise CameraUnreadableError(self.id, columns) from error
        except ValueError as error:  # urllib's
            raise CameraUnreadableError(self.id, ["url"]) from error


def _shown(url: str, *, has_secrets: bool) -> str:
    """Return a stored URL as people see it."""
    if not has_secrets:
        return url
    host = urlsplit(url).netloc
    return mask_url(url.replace(f"//{host}", f"//{MASK}@{host}", 1))
