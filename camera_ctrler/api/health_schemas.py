"""What the API says of what is wrong with the farm."""

from enum import StrEnum

from pydantic import BaseModel, Field

from contract.errors import StatusReason


class Severity(StrEnum):
    """How bad something is."""

    #: Something is not watched, not kept or lost now.
    BROKEN = "broken"
    #: It works, and will not for long, or not as was asked for.
    WARNING = "warning"
    #: It passes by itself.
    NOTE = "note"


class FarmState(StrEnum):
    """How the farm does in one word: the worst that was found."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    BROKEN = "broken"


class Finding(BaseModel):
    """Something that is wrong, and what to do about it."""

    code: str = Field(description="Stable name of this kind of finding", examples=["cameras_offline"])
    severity: Severity
    text: str = Field(description="One plain sentence: what is wrong", examples=["yard is offline: refused password"])
    remedy: str = Field(description="What to do about it; empty: nothing need be done")
    reason: StatusReason | None = Field(None, description="Of the cameras' states, where that is what was found")
    setting: str | None = Field(None, description="The setting or command that helps", examples=["FARM_WORKER_CORES"])
    detail: str = Field("", description="More, for those who know the farm")
    count: int = Field(0, description="How many cameras, workers, records or letters")
    cameras: list[str] = Field([], description="The first twenty cameras that it is about")
    workers: list[str] = Field([], description="The first twenty workers that it is about")
    figures: dict[str, float] = Field({}, description="Figures of the sentence, by name")


class CameraCounts(BaseModel):
    """How many cameras there are, of those that one may see."""

    registered: int
    enabled: int = Field(description="Switched on")
    connecting: int = Field(description="Of those switched on, not connected to yet")


class FarmHealth(BaseModel):
    """What is wrong with the farm, worst first."""

    at_ms: int = Field(description="The controller's clock")
    state: FarmState
    sentence: str = Field(
        description="The worst of it and what to do, or that all is well",
        examples=["No worker is running, so 6 cameras are not watched. Start one with: ./farm worker"],
    )
    findings: list[Finding]
    cameras: CameraCounts
