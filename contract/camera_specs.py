"""What people say when they register or change a camera, and what they are shown; API, CLI and files share it."""

from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from contract.camera_urls import check_camera_url
from contract.cameras import AnalysisSettings, DetectOn, Labels, PlacementSettings, SaveMode
from contract.ids import CameraId
from contract.recordings import RecordingSettings, RecordMode
from contract.zones import Zones, ZoneSettings

Name = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Credential = Annotated[str, Field(min_length=1, max_length=256)]
#: Spec models hold secrets: neither their errors nor their reprs may show them.
_SPEC: Final = ConfigDict(extra="forbid", hide_input_in_errors=True)
Url = Annotated[
    str,
    Field(
        max_length=2048,
        examples=["rtsp://192.0.2.10:554/stream1"],
        description="rtsp://, rtsps://, http://, https://, or file:/// below FARM_LOCAL_VIDEO_DIR",
    ),
]
MAIN_URL: Final = "The camera's main stream, which is recorded, where `url` is its smaller one, which is analysed"

#: Fields that null removes.
REMOVABLE: Final = frozenset({"username", "password", "main_url"})


class CameraCreate(AnalysisSettings, PlacementSettings, RecordingSettings, ZoneSettings):
    """A camera to be registered."""

    model_config = _SPEC

    id: CameraId | None = Field(None, description="Made by CamFarm when it is not given")
    name: Name = ""
    url: Annotated[Url, Field(repr=False)]
    main_url: Url | None = Field(None, repr=False, description=MAIN_URL)
    username: Credential | None = Field(None, description="Wins over a user name in the URL")
    password: Credential | None = Field(None, repr=False, description="Wins over a password in the URL")
    enabled: bool = True

    @field_validator("url", "main_url")
    @classmethod
    def _url_can_be_opened(cls, value: str | None) -> str | None:
        return value if value is None else check_camera_url(value)

    def settings(self) -> AnalysisSettings:
        """Return the part of it that workers need."""
        return AnalysisSettings(**self.model_dump(include=set(AnalysisSettings.model_fields)))

    def placement(self) -> PlacementSettings:
        """Return the part of it that the manager needs."""
        return PlacementSettings(**self.model_dump(include=set(PlacementSettings.model_fields)))

    def recording(self) -> RecordingSettings:
        """Return the part of it that recording needs."""
        return RecordingSettings(**self.model_dump(include=set(RecordingSettings.model_fields)))

    def drawing(self) -> ZoneSettings:
        """Return what is drawn on its picture."""
        return ZoneSettings(zones=self.zones)


class CameraPatch(BaseModel):
    """Changes to a camera; a field that is not given stays as it is.

    A `url` given back as it was shown, with `***` in place of secrets, keeps the stored secrets.
    """

    model_config = _SPEC

    name: Name | None = None
    url: Url | None = Field(None, repr=False)
    main_url: Url | None = Field(None, repr=False, description=f"{MAIN_URL}; null removes it")
    username: Credential | None = Field(None, description="null removes the stored user name")
    password: Credential | None = Field(None, repr=False, description="null removes the stored password")
    enabled: bool | None = None
    analyse_fps: Annotated[float, Field(gt=0, le=30, allow_inf_nan=False)] | None = None
    classes: Annotated[list[Annotated[str, Field(min_length=1, max_length=64)]], Field(max_length=80)] | None = None
    confidence: Annotated[float, Field(ge=0.01, le=1, allow_inf_nan=False)] | None = None
    box_padding: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    save_frames: SaveMode | None = None
    detect_on: DetectOn | None = None
    require_labels: Labels | None = None
    prefer_labels: Labels | None = None
    record: RecordMode | None = None
    record_audio: bool | None = None
    pre_roll_seconds: Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)] | None = None
    post_roll_seconds: Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)] | None = None
    zones: Zones | None = Field(None, description="All of them: those that are left out are removed")

    @field_validator("url", "main_url")
    @classmethod
    def _url_can_be_opened(cls, value: str | None) -> str | None:
        return value if value is None else check_camera_url(value)

    @model_validator(mode="after")
    def _null_only_removes_credentials(self) -> Self:
        for name in self.model_fields_set - REMOVABLE:
            if getattr(self, name) is None:
                raise ValueError(f"{name} must not be null; leave it out to keep it as it is")
        return self

    def changes(self) -> dict[str, Any]:
        """Return the fields that were given, by name; zones as they are stored."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return (
            given
            if self.zones is None
            else given | {"zones": ZoneSettings(zones=self.zones).model_dump(mode="json")["zones"]}
        )


class Camera(AnalysisSettings, PlacementSettings, RecordingSettings, ZoneSettings):
    """A registered camera as people see it: secrets masked.

    Clock: `*_ms` is Unix time in milliseconds UTC.
    """

    model_config = ConfigDict(extra="forbid")

    id: CameraId
    name: str
    #: Secrets replaced by ``***``.
    url: str
    #: The stream that is recorded, where the camera has a second one; secrets replaced by ``***``.
    main_url: str | None = None
    has_credentials: bool
    enabled: bool
    #: ``farm``: registered here. ``external``: follows a row of the external table and is changed only there.
    origin: str
    created_at_ms: int
    updated_at_ms: int
