"""What the API tells of a controller's settings and of models."""

from typing import Literal

from pydantic import BaseModel, Field


class SettingEntry(BaseModel):
    """One setting as this controller has it."""

    name: str = Field(description="Name in the environment and in .env", examples=["FARM_EVENTS_KEEP"])
    value: str | None = Field(description="As it would be written; null: it is secret, and `is_set` says whether it is")
    is_set: bool = Field(description="It is another one than the default")
    default: str | None = Field(description="Null where it is secret")


class ModelEntry(BaseModel):
    """Weights that this controller's host knows of, or that a worker uses."""

    name: str
    kind: str | None = Field(description="What it is for; null: nobody said")
    format: str | None
    size_bytes: int | None
    licence: str | None
    state: Literal["missing", "present", "whole", "corrupt", "elsewhere"] = Field(
        description="Of the file on this controller's host; elsewhere: only its workers' hosts have it"
    )
    used_by: list[str] = Field(description="Workers that use it now, those of ReID too")


class FarmSettings(BaseModel):
    """What is set, and which models there are."""

    settings: list[SettingEntry] = Field(description="Of this controller, in the order of .env.example")
    models: list[ModelEntry]
    where: str = Field(description="Where settings are changed, in a sentence")
