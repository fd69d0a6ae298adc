"""What all tables of the farm are described in."""

from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """Metadata that the tables share."""
