"""Of which cameras an answer may be: those that are asked for, as far as whoever asks may see them. Pure."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement


def asked_and_seen(asked: Collection[str], visible: frozenset[str] | None) -> frozenset[str] | None:
    """Return the cameras that an answer may be of; None: all; none at all where it is empty.

    Args:
        asked: Cameras that are asked for; empty: all.
        visible: Cameras that whoever asks may see; None: all.
    """
    if visible is None:
        return frozenset(asked) if asked else None
    return visible & frozenset(asked) if asked else visible


def of_cameras(
    column: ColumnElement[Any], asked: Collection[str], visible: frozenset[str] | None
) -> list[ColumnElement[bool]]:
    """Return the same as conditions on rows whose camera is in `column`."""
    cameras = asked_and_seen(asked, visible)
    return [] if cameras is None else [column.in_(sorted(cameras))]
