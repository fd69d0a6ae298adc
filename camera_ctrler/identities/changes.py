"""What people put right: names, merges, splits, assignments; each is noted, and can be undone.

All of it is in the database, under the lock that the gallery writer takes, too: it needs no recogniser that runs, and
what a person has decided is not decided again by a machine.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Engine, insert, select, update

from camera_ctrler.identities.errors import (
    ChangeConflictError,
    ChangeNotFoundError,
    IdentityNotFoundError,
    SightingNotFoundError,
)
from contract.ids import new_identity_id
from database.gallery_lock import lock_gallery
from database.identities import identities, identity_change_tracks, identity_changes, sightings
from database.identity_rows import drop_if_unused
from runtime.clock import Clock, SystemClock

OPERATOR: Final = "operator"
#: Rows in one question: SQLite takes 32,766 parameters.
_BATCH: Final = 500


class IdentityChanges:
    """Changes identities. Safe to use from several threads.

    Every method raises `SQLAlchemyError` while the database is away; a change is made wholly or not at all.
    """

    def __init__(self, engine: Engine, clock: Clock | None = None) -> None:
        self._engine = engine
        self._clock = clock or SystemClock()

    def rename(self, identity: str, name: str | None) -> int:
        """Give an identity a name, or take it away; return the number of the change.

        Raises:
            IdentityNotFoundError: There is none.
        """
        with self._engine.begin() as connection:
            lock_gallery(connection)
            row = _row(connection, identity)
            connection.execute(update(identities).where(identities.c.identity == identity).values(name=name))
            return self._note(connection, "rename", identity, name_before=row.name)

    def merge(self, kept: str, dissolved: str) -> int:
        """Let all sightings of one identity be sightings of another; return the number of the change.

        Raises:
            IdentityNotFoundError: One of them is not there.
            ChangeConflictError: They are the same, or one was merged into another before.
        """
        if kept == dissolved:
            raise ChangeConflictError(f"{kept} cannot be merged with itself; name two identities")
        with self._engine.begin() as connection:
            lock_gallery(connection)
            to, away = _row(connection, kept), _row(connection, dissolved)
            name = to.name or away.name
            connection.execute(update(identities).where(identities.c.identity == kept).values(name=name))
            connection.execute(update(identities).where(identities.c.identity == dissolved).values(merged_into=kept))
            number = self._note(connection, "merge", kept, other=dissolved, name_before=to.name)
            rows = connection.execute(select(sightings).where(sightings.c.identity == dissolved)).all()
            self._move(connection, number, rows, kept)
            return number

    def split(self, identity: str, tracks: Collection[str]) -> tuple[int, str]:
        """Let some sightings of an identity be those of a new one; return the number of the change and the new id.

        Raises:
            IdentityNotFoundError: There is none.
            SightingNotFoundError: One of the tracks has no sighting.
            ChangeConflictError: One is a sighting of somebody else, or these are all that there are.
        """
        with self._engine.begin() as connection:
            lock_gallery(connection)
            _row(connection, identity)
            rows = _sightings(connection, tracks)
            for row in rows:
                if row.identity != identity:
                    raise ChangeConflictError(f"track {row.track} is a sighting of {row.identity}, not of {identity}")
            own = select(sightings.c.track).where(sightings.c.identity == identity)
            if len(connection.execute(own.limit(len(rows) + 1)).all()) <= len(rows):
                raise ChangeConflictError(f"these are all sightings of {identity}; leave one with it")
            new = self._new_identity(connection)
            number = self._note(connection, "split", identity, other=new)
            self._move(connection, number, rows, new)
            return number, new

    def assign(self, track: str, identity: str | None) -> int:
        """Say whose sighting a track is; None: nobody's that is known. Return the number of the change.

        Raises:
            SightingNotFoundError: The track has no sighting.
            IdentityNotFoundError: There is no such identity.
        """
        with self._engine.begin() as connection:
            lock_gallery(connection)
            if identity is not None:
                _row(connection, identity)
            rows = _sightings(connection, [track])
            number = self._note(connection, "assign", identity or rows[0].identity or "", other=rows[0].identity)
            self._move(connection, number, rows, identity)
            return number

    def undo(self, number: int, visible: frozenset[str] | None = None) -> None:
        """Take a change back.

        Args:
            number: Of the change.
            visible: Cameras whose sightings an error may name; None: all.

        Raises:
            ChangeNotFoundError: There is none of this number.
            ChangeConflictError: It was undone before, or what it changed was changed again since.
        """
        with self._engine.begin() as connection:
            lock_gallery(connection)
            change = connection.execute(select(identity_changes).where(identity_changes.c.number == number)).first()
            if change is None:
                raise ChangeNotFoundError(number)
            if change.undone_at_ms is not None:
                raise ChangeConflictError(f"change {number} was undone before")
            self._move_back(connection, number, visible)
            if change.kind == "merge":
                _free(connection, change.other, change.identity)
            if change.kind in {"merge", "rename"}:
                self._name_back(connection, change)
            if change.kind == "split":
                drop_if_unused(connection, change.other)
            values = {"undone_at_ms": self._clock.now_ms()}
            connection.execute(update(identity_changes).where(identity_changes.c.number == number).values(**values))

    # --- inside a transaction ---------------------------------------------------------------------------------------

    def _note(
        self,
        connection: Connection,
        kind: str,
        identity: str,
        *,
        other: str | None = None,
        name_before: str | None = None,
    ) -> int:
        values = {"kind": kind, "at_ms": self._clock.now_ms(), "identity": identity, "other": other}
        done = connection.execute(insert(identity_changes).values(name_before=name_before, **values))
        key = done.inserted_primary_key
        assert key is not None
        return int(key[0])

    def _new_identity(self, connection: Connection) -> str:
        identity = new_identity_id()
        connection.execute(insert(identities).values(identity=identity, created_at_ms=self._clock.now_ms()))
        return identity

    def _move(self, connection: Connection, number: int, rows: Sequence[Any], identity: str | None) -> None:
        """Let sightings be somebody's, and note whose they were."""
        for start in range(0, len(rows), _BATCH):
            some = rows[start : start + _BATCH]
            noted = [
                {
                    "change": number,
                    "track": row.track,
                    "before": row.identity,
                    "after": identity,
                    "decided_by": row.decided_by,
                }
                for row in some
            ]
            connection.execute(insert(identity_change_tracks), noted)
            is_one = sightings.c.track.in_([row.track for row in some])
            connection.execute(update(sightings).where(is_one).values(identity=identity, decided_by=OPERATOR))

    def _move_back(self, connection: Connection, number: int, visible: frozenset[str] | None) -> None:
        moved = identity_change_tracks
        query = select(moved, sightings.c.identity.label("now"), sightings.c.camera_id)
        query = query.join(sightings, sightings.c.track == moved.c.track)
        rows = connection.execute(query.where(moved.c.change == number)).all()  # those that are too old are gone
        for row in rows:
            if row.now != row.after:
                now = f"track {row.track} is a sighting of {row.now or 'nobody'} now"
                if visible is not None and row.camera_id not in visible:
                    now = "one of its sightings is another one's now"
                raise ChangeConflictError(f"{now}; undo later changes of it first")
        for row in rows:
            values = {"identity": row.before, "decided_by": row.decided_by}
            connection.execute(update(sightings).where(sightings.c.track == row.track).values(**values))

    def _name_back(self, connection: Connection, change: Any) -> None:
        is_it = identities.c.identity == change.identity
        connection.execute(update(identities).where(is_it).values(name=change.name_before))


def _row(connection: Connection, identity: str) -> Any:
    """Return the row of an identity that is not merged into another.

    Raises:
        IdentityNotFoundError: There is none.
        ChangeConflictError: It was merged into another.
    """
    row = connection.execute(select(identities).where(identities.c.identity == identity)).first()
    if row is None:
        raise IdentityNotFoundError(identity)
    if row.merged_into is not None:
        raise ChangeConflictError(f"{identity} was merged into {row.merged_into}; use that one, or undo the merge")
    return row


def _sightings(connection: Connection, tracks: Collection[str]) -> list[Any]:
    wanted, found = sorted(set(tracks)), list[Any]()
    for start in range(0, len(wanted), _BATCH):
        query = select(sightings).where(sightings.c.track.in_(wanted[start : start + _BATCH]))
        found += connection.execute(query).all()
    missing = set(wanted) - {row.track for row in found}
    if missing:
        raise SightingNotFoundError(min(missing))
    return found


def _free(connection: Connection, dissolved: str, kept: str) -> None:
    is_it = (identities.c.identity == dissolved) & (identities.c.merged_into == kept)
    connection.execute(update(identities).where(is_it).values(merged_into=None))
