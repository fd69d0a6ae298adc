"""What the manager that keeps the volumes says of them."""

from pydantic import BaseModel

from contract.recordings import KeptFor


class FootageReport(BaseModel):
    """How full the volumes are, what went and why, and what is wrong with them.

    Clock: `*_ms` is Unix time in milliseconds UTC, by the manager's clock. Counts begin at 0 with each manager.
    """

    controller_id: str
    updated_at_ms: int
    #: Of the frames volume, for footage and saved frames.
    free_bytes: int = 0
    total_bytes: int = 0
    #: What all together write to it, bytes a second.
    fill_bytes_per_second: float = 0.0
    #: Bytes of footage by the reason it is kept for: on the frames volume, and in the archive.
    bytes: dict[KeptFor, int] = {}
    archive_bytes: dict[KeptFor, int] = {}
    #: Why files went -> bytes, and seconds of footage: ``age``, ``space``, ``max_bytes``, ``camera_max_bytes``, and
    #: ``archived`` for what moved into the archive.
    deleted_bytes: dict[str, int] = {}
    deleted_seconds: dict[str, float] = {}
    #: The same for what went from the archive.
    archive_deleted_bytes: dict[str, int] = {}
    #: Camera id -> when its oldest footage on the frames volume began.
    oldest_ms: dict[str, int] = {}
    #: Name of what is wrong -> what it is and what to do.
    conditions: dict[str, str] = {}
