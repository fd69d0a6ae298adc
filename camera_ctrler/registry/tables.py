"""Tables of the registry; migrations in `database/migrations/` bring a database to this shape."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Float, Integer, String, Text, true
from sqlalchemy.orm import Mapped, mapped_column

from database.base import Base


class CameraRow(Base):
    """One registered camera."""

    __tablename__ = "cameras"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    #: Without user info; secret query values replaced by ``***``.
    url: Mapped[str] = mapped_column(Text)
    #: `CameraSecrets` as JSON, encrypted; never leaves the registry in clear.
    secrets: Mapped[str | None] = mapped_column(Text)
    analyse_fps: Mapped[float] = mapped_column(Float)
    classes: Mapped[list[str]] = mapped_column(JSON)
    confidence: Mapped[float] = mapped_column(Float)
    box_padding: Mapped[float] = mapped_column(Float)
    save_frames: Mapped[str] = mapped_column(String(16))
    detect_on: Mapped[str] = mapped_column(String(16), server_default="motion")
    require_labels: Mapped[list[str]] = mapped_column(JSON, server_default="[]")
    prefer_labels: Mapped[list[str]] = mapped_column(JSON, server_default="[]")
    #: As `url` and `secrets`, of the stream that is recorded; None: `url` is.
    main_url: Mapped[str | None] = mapped_column(Text)
    main_secrets: Mapped[str | None] = mapped_column(Text)
    record: Mapped[str] = mapped_column(String(16), server_default="off")
    record_audio: Mapped[bool] = mapped_column(Boolean, server_default=true())
    pre_roll_seconds: Mapped[float] = mapped_column(Float, server_default="5")
    post_roll_seconds: Mapped[float] = mapped_column(Float, server_default="10")
    #: A list of `contract.zones.Zone`.
    zones: Mapped[list[dict[str, Any]]] = mapped_column(JSON, server_default="[]")
    enabled: Mapped[bool] = mapped_column(Boolean)
    origin: Mapped[str] = mapped_column(String(16))
    created_at_ms: Mapped[int] = mapped_column(BigInteger)
    updated_at_ms: Mapped[int] = mapped_column(BigInteger)

    def as_dict(self) -> dict[str, Any]:
        """Return the columns by name."""
        return {column.key: getattr(self, column.key) for column in self.__table__.columns}


class CameraEpochRow(Base):
    """The newest epoch given out for a camera; kept when the camera is deleted, so that it can only rise."""

    __tablename__ = "camera_epochs"

    camera_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    epoch: Mapped[int] = mapped_column(BigInteger)


class RegistryStateRow(Base):
    """One row whose revision rises with every change, so that followers ask one number instead of all rows."""

    __tablename__ = "registry_state"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)
