"""Reads identities, sightings, changes and the watch list: pages at a cost that does not grow with what is stored."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, exists, func, or_, select, tuple_

from camera_ctrler.accounts.visibility import of_cameras
from camera_ctrler.identities.errors import ChangeNotFoundError, IdentityNotFoundError, SightingNotFoundError
from database.identities import (
    embeddings,
    galleries,
    identities,
    identity_change_tracks,
    identity_changes,
    sightings,
    transit_times,
    watch_list,
)

#: Cameras that are named of an identity, those that saw it most.
MAX_CAMERAS: Final = 50
#: Marks in a text that mean something to LIKE.
_LIKE: Final = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


@dataclass(frozen=True, slots=True)
class IdentityFilter:
    """Which identities; what is empty or None asks for all."""

    #: Found in the name, or at the beginning of the id, whatever the case.
    text: str = ""
    #: Only those that have a name (True), or have none (False).
    named: bool | None = None
    #: Seen by one of these cameras, at some time of this range, Unix ms UTC, half open.
    cameras: frozenset[str] = frozenset()
    from_ms: int | None = None
    to_ms: int | None = None


@dataclass(frozen=True, slots=True)
class SightingFilter:
    """Which sightings; what is empty or None asks for all."""

    identity: str | None = None
    #: Only those of somebody (True), or of nobody that is known (False).
    identified: bool | None = None
    cameras: frozenset[str] = frozenset()
    from_ms: int | None = None
    to_ms: int | None = None
    #: Cameras that whoever asks may see; None: all.
    visible: frozenset[str] | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions on rows."""
        table = sightings.c
        found = of_cameras(table.camera_id, self.cameras, self.visible)
        if self.identity is not None:
            found.append(table.identity == self.identity)
        if self.identified is not None:
            found.append(table.identity.is_not(None) if self.identified else table.identity.is_(None))
        if self.from_ms is not None:
            found.append(table.last_ms >= self.from_ms)
        if self.to_ms is not None:
            found.append(table.first_ms < self.to_ms)
        return found


@dataclass(frozen=True, slots=True)
class IdentityView:
    """One identity with what its sightings come to."""

    identity: str
    name: str | None
    created_at_ms: int
    merged_into: str | None
    sightings: int
    #: None: it has no sightings any more.
    first_ms: int | None
    last_ms: int | None
    #: Cameras that saw it, the one that did most first.
    cameras: list[str]
    #: Track whose crop shows it best.
    best_track: str | None
    watched: bool


@dataclass(frozen=True, slots=True)
class SightingView:
    """One track, and whose sighting it is."""

    track: str
    camera_id: str
    class_name: str | None
    first_ms: int
    last_ms: int
    identity: str | None
    name: str | None
    similarity: float | None
    reason: str
    decided_by: str
    decided_at_ms: int
    crop_path: str
    quality: float


@dataclass(frozen=True, slots=True)
class ChangeView:
    """What somebody changed."""

    number: int
    kind: str
    at_ms: int
    identity: str
    #: What the identity is called now; None: nothing, or nobody may know.
    name: str | None
    other: str | None
    #: Sightings that it moved, as many of them as there still are.
    tracks: int
    undone_at_ms: int | None


class IdentityReading:
    """The reading side, for somebody who sees all cameras or some. Safe to use from several threads.

    To who sees some, sightings by others are not there, and so neither is an identity that only others have seen.
    Every method raises `SQLAlchemyError` while the database is away.
    """

    def __init__(self, engine: Engine, visible: frozenset[str] | None = None) -> None:
        """Prepare.

        Args:
            engine: The database.
            visible: Cameras that whoever asks may see; None: all.
        """
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._visible = visible

    def seen_by(self, visible: frozenset[str] | None) -> "IdentityReading":
        """Return the same for somebody who sees these cameras; None: all."""
        return self if visible is None else IdentityReading(self._engine, visible)

    def find(self, identity: str) -> IdentityView:
        """Return one identity.

        Raises:
            IdentityNotFoundError: There is none.
        """
        with self._engine.connect() as connection:
            query = select(identities).where(identities.c.identity == identity, *self._seen(identities.c.identity))
            rows = connection.execute(query).all()
            if not rows:
                raise IdentityNotFoundError(identity)
            return _views(connection, rows, self._visible)[0]

    def page(self, wanted: IdentityFilter, *, limit: int, before: tuple[int, str] | None = None) -> list[IdentityView]:
        """Return identities, the one that became known last first; those that were merged into another are left out.

        Args:
            wanted: Which ones.
            limit: How many at most.
            before: Only those that became known before the one of this time and id.
        """
        table = identities.c
        query = select(identities).where(table.merged_into.is_(None), *_identity_conditions(wanted, self._visible))
        if before is not None:
            query = query.where(tuple_(table.created_at_ms, table.identity) < tuple_(*before))
        query = query.order_by(table.created_at_ms.desc(), table.identity.desc()).limit(limit)
        with self._engine.connect() as connection:
            return _views(connection, connection.execute(query).all(), self._visible)

    def sighting(self, track: str) -> SightingView:
        """Return whose sighting a track is.

        Raises:
            SightingNotFoundError: It has none.
        """
        with self._engine.connect() as connection:
            is_it = (sightings.c.track == track, *of_cameras(sightings.c.camera_id, (), self._visible))
            row = connection.execute(_with_names().where(*is_it)).first()
        if row is None:
            raise SightingNotFoundError(track)
        return _sighting(row)

    def of_tracks(self, tracks: Collection[str]) -> dict[str, SightingView]:
        """Return track -> whose sighting it is, for those of the tracks that are sightings; 1,000 tracks at most."""
        if not tracks:
            return {}
        with self._engine.connect() as connection:
            are_seen = of_cameras(sightings.c.camera_id, (), self._visible)
            rows = connection.execute(_with_names().where(sightings.c.track.in_(sorted(tracks)), *are_seen))
            return {row.track: _sighting(row) for row in rows}

    def tracks_of(self, wanted: SightingFilter, *, limit: int) -> frozenset[str]:
        """Return the ids of the newest tracks that are such sightings."""
        query = select(sightings.c.track).where(*replace(wanted, visible=self._visible).conditions())
        query = query.order_by(sightings.c.first_ms.desc())
        with self._engine.connect() as connection:
            return frozenset(connection.scalars(query.limit(limit)))

    def sightings(
        self, wanted: SightingFilter, *, limit: int, before: tuple[int, str] | None = None
    ) -> list[SightingView]:
        """Return sightings, those that began last first; `before`: older than that one."""
        place = tuple_(sightings.c.first_ms, sightings.c.track)
        query = _with_names().where(*replace(wanted, visible=self._visible).conditions())
        if before is not None:
            query = query.where(place < tuple_(*before))
        query = query.order_by(sightings.c.first_ms.desc(), sightings.c.track.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [_sighting(row) for row in connection.execute(query)]

    def journey(
        self, wanted: SightingFilter, *, limit: int, after: tuple[int, str] | None = None
    ) -> list[SightingView]:
        """Return sightings in the order in which they began; `after`: newer than the one that began then."""
        place = tuple_(sightings.c.first_ms, sightings.c.track)
        query = _with_names().where(*replace(wanted, visible=self._visible).conditions())
        if after is not None:
            query = query.where(place > tuple_(*after))
        query = query.order_by(sightings.c.first_ms, sightings.c.track).limit(limit)
        with self._engine.connect() as connection:
            return [_sighting(row) for row in connection.execute(query)]

    def changes(self, *, limit: int, before: int | None = None) -> list[ChangeView]:
        """Return what people changed, newest first; `before`: older than the change of this number."""
        query = self._changes().order_by(identity_changes.c.number.desc()).limit(limit)
        if before is not None:
            query = query.where(identity_changes.c.number < before)
        with self._engine.connect() as connection:
            return [self._change(row) for row in connection.execute(query)]

    def change(self, number: int) -> ChangeView:
        """Return one change.

        Raises:
            ChangeNotFoundError: There is none of this number.
        """
        with self._engine.connect() as connection:
            row = connection.execute(self._changes().where(identity_changes.c.number == number)).first()
        if row is None:
            raise ChangeNotFoundError(number)
        return self._change(row)

    def _changes(self) -> Select[Any]:
        """Return what asks for changes, each with how many sightings it moved, as far as they may be seen."""
        table, moved = identity_changes.c, identity_change_tracks.c
        tracks = select(func.count()).where(moved.change == table.number)
        named = select(identities.c.name).where(identities.c.identity == table.identity, *self._seen(table.identity))
        name = named.scalar_subquery().label("name")
        if self._visible is None:
            return select(identity_changes, tracks.scalar_subquery().label("tracks"), name)
        seen = of_cameras(sightings.c.camera_id, (), self._visible)
        tracks = tracks.join(sightings, sightings.c.track == moved.track).where(*seen)
        query = select(identity_changes, tracks.scalar_subquery().label("tracks"), name)
        return query.where(or_(tracks.scalar_subquery() > 0, *self._seen(table.identity)))

    def _change(self, row: Any) -> ChangeView:
        # Who moves no sighting that may be seen is not named either.
        other = row.other if self._visible is None or row.tracks else None
        moved = int(row.tracks)
        return ChangeView(row.number, row.kind, row.at_ms, row.identity, row.name, other, moved, row.undone_at_ms)

    def _seen(self, identity: ColumnElement[Any]) -> list[ColumnElement[bool]]:
        """Return the condition that an identity was seen by a camera that may be seen; none where all may be."""
        if self._visible is None:
            return []
        seen = of_cameras(sightings.c.camera_id, (), self._visible)
        return [exists().where(and_(sightings.c.identity == identity, *seen))]

    def watched(self) -> list[Any]:
        """Return the watch list, the newest entry first, with the names of identities."""
        query = select(watch_list, identities.c.name).join(identities, identities.c.identity == watch_list.c.identity)
        query = query.where(*self._seen(watch_list.c.identity))
        with self._engine.connect() as connection:
            return list(connection.execute(query.order_by(watch_list.c.created_at_ms.desc(), watch_list.c.watch)))

    def transits(self) -> list[Any]:
        """Return what is known of the ways between cameras, both of which may be seen."""
        table = transit_times.c
        seen = [
            each for camera in (table.from_camera, table.to_camera) for each in of_cameras(camera, (), self._visible)
        ]
        with self._engine.connect() as connection:
            query = select(transit_times).where(*seen).order_by(table.from_camera, table.to_camera, table.source)
            return list(connection.execute(query))

    def galleries(self) -> list[tuple[Any, int]]:
        """Return the galleries, one for each embedder, the newest first, each with how many embeddings it has."""
        table = galleries.c
        counted = select(embeddings.c.version, func.count()).group_by(embeddings.c.version)
        with self._engine.connect() as connection:
            counts: dict[str, int] = {row[0]: int(row[1]) for row in connection.execute(counted)}
            rows = connection.execute(select(galleries).order_by(table.created_at_ms.desc(), table.version)).all()
        return [(row, counts.get(row.version, 0)) for row in rows]


def _identity_conditions(wanted: IdentityFilter, visible: frozenset[str] | None) -> list[ColumnElement[bool]]:
    table = identities.c
    found: list[ColumnElement[bool]] = []
    if wanted.text:
        text = wanted.text.lower().translate(_LIKE)
        found.append(
            or_(func.lower(table.name).like(f"%{text}%", escape="\\"), table.identity.like(f"{text}%", escape="\\"))
        )
    if wanted.named is not None:
        found.append(table.name.is_not(None) if wanted.named else table.name.is_(None))
    seen = SightingFilter(cameras=wanted.cameras, from_ms=wanted.from_ms, to_ms=wanted.to_ms, visible=visible)
    if conditions := seen.conditions():
        found.append(exists().where(and_(sightings.c.identity == table.identity, *conditions)))
    return found


def _with_names() -> Select[Any]:
    return select(sightings, identities.c.name).outerjoin(identities, identities.c.identity == sightings.c.identity)


def _views(connection: Connection, rows: Sequence[Any], visible: frozenset[str] | None) -> list[IdentityView]:
    """Return identities with what their sightings come to, by cameras that may be seen."""
    names = [row.identity for row in rows]
    seen = _seen(connection, names, visible)
    watched = set(connection.scalars(select(watch_list.c.identity).where(watch_list.c.identity.in_(names))))
    best = _best_tracks(connection, names, visible)
    found = []
    for row in rows:
        by_camera = sorted(seen[row.identity], key=lambda each: (-each.count, each.camera_id))
        found.append(
            IdentityView(
                identity=row.identity,
                name=row.name,
                created_at_ms=row.created_at_ms,
                merged_into=row.merged_into,
                sightings=sum(each.count for each in by_camera),
                first_ms=min((each.first_ms for each in by_camera), default=None),
                last_ms=max((each.last_ms for each in by_camera), default=None),
                cameras=[each.camera_id for each in by_camera[:MAX_CAMERAS]],
                best_track=best.get(row.identity),
                watched=row.identity in watched,
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class _SeenBy:
    camera_id: str
    count: int
    first_ms: int
    last_ms: int


def _seen(connection: Connection, names: Collection[str], visible: frozenset[str] | None) -> dict[str, list[_SeenBy]]:
    table = sightings.c
    query = select(
        table.identity, table.camera_id, func.count(), func.min(table.first_ms), func.max(table.last_ms)
    ).where(table.identity.in_(names), *of_cameras(table.camera_id, (), visible))
    found: dict[str, list[_SeenBy]] = defaultdict(list)
    for identity, camera_id, count, first_ms, last_ms in connection.execute(
        query.group_by(table.identity, table.camera_id)
    ):
        found[identity].append(_SeenBy(camera_id, int(count), int(first_ms), int(last_ms)))
    return found


def _best_tracks(connection: Connection, names: Collection[str], visible: frozenset[str] | None) -> dict[str, str]:
    table = sightings.c
    is_seen = of_cameras(table.camera_id, (), visible)
    best = (
        select(table.identity, func.max(table.quality).label("quality"))
        .where(table.identity.in_(names), *is_seen)
        .group_by(table.identity)
        .subquery()
    )
    query = select(table.identity, func.max(table.track)).join(
        best, and_(best.c.identity == table.identity, best.c.quality == table.quality)
    )
    return {row[0]: row[1] for row in connection.execute(query.where(*is_seen).group_by(table.identity))}


def _sighting(row: Any) -> SightingView:
    return SightingView(**{name: getattr(row, name) for name in SightingView.__slots__})
