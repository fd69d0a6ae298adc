"""Whom people want to be told of, what they say of ways between cameras, and embedding anew: all that is only noted."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Engine, delete, func, insert, select, update

from camera_ctrler.identities.errors import ChangeConflictError, IdentityNotFoundError, WatchNotFoundError
from contract.ids import new_watch_id
from database.gallery_lock import lock_gallery
from database.identities import embeddings, galleries, identities, transit_times, watch_list
from runtime.clock import Clock, SystemClock

SAID: Final = "said"


@dataclass(frozen=True, slots=True)
class SaidTransit:
    """What a person says of the way from one camera to another, milliseconds."""

    from_camera: str
    to_camera: str
    #: None: no bound.
    shortest_ms: int | None = None
    longest_ms: int | None = None
    is_impossible: bool = False


class IdentityWishes:
    """Notes wishes. Safe to use from several threads; every method raises `SQLAlchemyError` without a database."""

    def __init__(self, engine: Engine, clock: Clock | None = None) -> None:
        self._engine = engine
        self._clock = clock or SystemClock()

    def watch(self, identity: str, note: str = "") -> str:
        """Ask to be told when an identity is seen; return the id of the entry. Asking again gives the same entry.

        Raises:
            IdentityNotFoundError: There is none.
        """
        with self._engine.begin() as connection:
            lock_gallery(connection)
            if connection.execute(select(identities).where(identities.c.identity == identity)).first() is None:
                raise IdentityNotFoundError(identity)
            is_it = (watch_list.c.identity == identity) & (watch_list.c.note == note)
            known = connection.scalar(select(watch_list.c.watch).where(is_it))
            if known is not None:
                return str(known)
            watch = new_watch_id()
            values = {"watch": watch, "identity": identity, "note": note, "created_at_ms": self._clock.now_ms()}
            connection.execute(insert(watch_list).values(**values))
            return watch

    def unwatch(self, watch: str) -> None:
        """Take an entry off the watch list.

        Raises:
            WatchNotFoundError: There is none.
        """
        with self._engine.begin() as connection:
            lock_gallery(connection)
            if not connection.execute(delete(watch_list).where(watch_list.c.watch == watch)).rowcount:
                raise WatchNotFoundError(watch)

    def say_transit(self, said: SaidTransit) -> None:
        """Say how long a way takes; it wins over what was learnt."""
        with self._engine.begin() as connection:
            lock_gallery(connection)
            connection.execute(delete(transit_times).where(*_way(said.from_camera, said.to_camera)))
            values = {"shortest_ms": said.shortest_ms, "longest_ms": said.longest_ms}
            connection.execute(
                insert(transit_times).values(
                    from_camera=said.from_camera,
                    to_camera=said.to_camera,
                    source=SAID,
                    is_impossible=said.is_impossible,
                    **values,
                )
            )

    def forget_transit(self, from_camera: str, to_camera: str) -> bool:
        """Say nothing of a way any more; return whether anything had been said."""
        with self._engine.begin() as connection:
            lock_gallery(connection)
            return bool(connection.execute(delete(transit_times).where(*_way(from_camera, to_camera))).rowcount)

    def reembed(self) -> tuple[str, str, int]:
        """Ask that the embeddings of the former embedder are made anew with the newest one.

        Returns:
            The former and the new version, and how many embeddings there are to be made.

        Raises:
            ChangeConflictError: There is nothing to be made anew, or it is being made already.
        """
        with self._engine.begin() as connection:
            last = lock_gallery(connection)
            newest = connection.execute(
                select(galleries).order_by(galleries.c.created_at_ms.desc(), galleries.c.version).limit(1)
            ).first()
            if newest is None:
                raise ChangeConflictError("there is no gallery yet; it is made when a ReID worker starts")
            if newest.reembed_from is not None:
                raise ChangeConflictError(f"embeddings of {newest.reembed_from} are being made anew already")
            counted = select(embeddings.c.version, func.count()).where(embeddings.c.version != newest.version)
            former = connection.execute(counted.group_by(embeddings.c.version).order_by(func.count().desc())).first()
            if former is None:
                raise ChangeConflictError(f"all embeddings are of {newest.version} already")
            values = {"reembed_from": former[0], "reembed_at": 0, "reembed_to": last}
            connection.execute(
                update(galleries)
                .where(galleries.c.version == newest.version)
                .values(reembedded=0, reembed_lost=0, **values)
            )
            return str(former[0]), str(newest.version), int(former[1])


def _way(from_camera: str, to_camera: str) -> tuple[ColumnElement[bool], ...]:
    table = transit_times.c
    return (table.from_camera == from_camera, table.to_camera == to_camera, table.source == SAID)
