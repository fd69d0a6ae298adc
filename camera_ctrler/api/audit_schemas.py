"""What the API gives of the audit."""

from typing import Any

from pydantic import BaseModel, Field

from camera_ctrler.api.schemas import PageQuery, Query
from camera_ctrler.audit.tables import MAX_ACTION, MAX_ACTOR


class AuditFilterQuery(Query):
    """Which entries."""

    actor: str | None = Field(None, min_length=1, max_length=MAX_ACTOR, description="Only what he did, by exact name")
    action: str | None = Field(
        None, min_length=1, max_length=MAX_ACTION, description="Only this: the id of an operation, as `update_camera`"
    )


class AuditQuery(AuditFilterQuery, PageQuery):
    """Which entries, and which part of them."""


class AuditInfo(BaseModel):
    """Something that somebody did."""

    number: int = Field(description="Rises with every entry")
    at_ms: int = Field(description="Unix ms UTC, by the clock of the controller")
    actor: str = Field(description="A user; `token:` and a program's token; `cli:` and an account of the machine")
    action: str = Field(description="Id of the operation", examples=["update_camera"])
    what: str = Field(description="What it was done to", examples=["lobby"])
    detail: dict[str, Any] = Field(description="What was asked for, secrets masked")
    address: str = Field(description="Whence; empty: the machine itself")


class AuditPage(BaseModel):
    """Entries, newest first."""

    items: list[AuditInfo]
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last one")
