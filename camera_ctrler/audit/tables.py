"""The table of the audit; migration 0011 makes it, and the triggers that let nobody change or shorten it."""

from typing import Final

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, String, Table

from database.base import Base

#: Widths of its texts; what is longer is cut.
MAX_ACTOR: Final = 128
MAX_ADDRESS: Final = 64
MAX_ACTION: Final = 64
MAX_WHAT: Final = 512

#: One row for each thing that somebody did. Rows are inserted, never updated; the database refuses to delete those of
#: the last 30 days.
audit: Final = Table(
    "audit",
    Base.metadata,
    # SQLite numbers rows by itself only where the key is an INTEGER, which holds 64 bits there.
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    #: Unix ms UTC by the clock of who wrote it.
    Column("at_ms", BigInteger, nullable=False),
    #: Name of a user, ``token:`` and a token's name, or ``cli:`` and the account of the operating system.
    Column("actor", String(MAX_ACTOR), nullable=False),
    #: What was done: the name of the API's operation, or what the command line has in its place.
    Column("action", String(MAX_ACTION), nullable=False),
    #: What it was done to: the id of a camera, a name, a path.
    Column("what", String(MAX_WHAT), nullable=False),
    #: What was asked for, secrets masked.
    Column("detail", JSON, nullable=False),
    #: Whence: the address of the client; empty: this machine.
    Column("address", String(MAX_ADDRESS), nullable=False),
    Index("ix_audit_at", "at_ms"),
    Index("ix_audit_actor", "actor", "number"),
    Index("ix_audit_action", "action", "number"),
)
