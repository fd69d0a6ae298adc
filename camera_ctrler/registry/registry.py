"""Cameras in SQL: add, change, remove, list; hands out epochs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import structlog
from sqlalchemy import Engine, Row, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from camera_ctrler.registry.camera_secrets import CameraSecretBox
from camera_ctrler.registry.errors import (
    CameraExistsError,
    CameraNotFoundError,
    CameraOwnedElsewhereError,
    CameraUnreadableError,
)
from camera_ctrler.registry.registered_camera import RegisteredCamera
from camera_ctrler.registry.tables import CameraEpochRow, CameraRow, RegistryStateRow
from contract.camera_addresses import CameraAddresses
from contract.camera_specs import CameraCreate, CameraPatch
from contract.camera_urls import CameraSecrets
from contract.errors import REMEDIES, InvalidUrlError, StatusReason
from contract.ids import new_camera_id
from database.engine import check_schema, migrate, open_engine
from runtime.clock import Clock, SystemClock
from runtime.secret_box import SecretBox

ORIGIN_FARM: Final = "farm"
ORIGIN_EXTERNAL: Final = "external"
#: Id of a camera that is tried before there is one.
DRAFT_ID: Final = "new-camera"
#: SQLite allows 32,766 bound parameters in a statement; this leaves room.
_BATCH: Final = 5_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Listing:
    """All cameras, by id."""

    cameras: list[RegisteredCamera]
    #: Ids of cameras whose rows cannot be read; the log says why.
    unreadable: list[str]


class Registry:
    """The camera registry. Safe to use from several threads and processes."""

    def __init__(
        self,
        database_url: str,
        secret_box: SecretBox,
        clock: Clock | None = None,
        addresses: CameraAddresses | None = None,
    ) -> None:
        self._engine = open_engine(database_url)
        self._sessions = sessionmaker(self._engine, expire_on_commit=False)
        self._secrets = CameraSecretBox(secret_box)
        self._clock = clock or SystemClock()
        self._addresses = addresses or CameraAddresses()
        #: Camera id -> its row and what was made of it, of the last `list_all`. Replaced whole, never changed.
        self._listed: dict[str, tuple[Row[Any], RegisteredCamera]] = {}
        #: Camera id -> columns, of unreadable rows that the log has named.
        self._named: dict[str, list[str]] = {}

    @property
    def engine(self) -> Engine:
        """The database behind it, for tables that other parts keep beside the cameras."""
        return self._engine

    def migrate(self) -> None:
        """Bring the database to the current schema; several processes may do it at once."""
        migrate(self._engine)

    def check(self) -> None:
        """Raise `DatabaseError` unless the database answers and has the current schema."""
        check_schema(self._engine)

    def close(self) -> None:
        """Give the database connections back."""
        self._engine.dispose()

    # --- reading -------------------------------------------------------------------------------------------------

    def revision(self) -> int:
        """Return a number that rises with every change."""
        with self._sessions() as session:
            return session.scalar(select(RegistryStateRow.revision)) or 0

    def get(self, camera_id: str) -> RegisteredCamera:
        """Return one camera.

        Raises:
            CameraNotFoundError: There is none with that id.
            CameraUnreadableError: Its row was edited into something that cannot be used.
        """
        with self._sessions() as session:
            camera = RegisteredCamera(_row(session, camera_id))
        camera.check()
        return camera

    def exists(self, camera_id: str) -> bool:
        """Tell whether a camera has that id."""
        with self._sessions() as session:
            return session.get(CameraRow, camera_id) is not None

    def page(self, *, after: str = "", limit: int = 100) -> list[RegisteredCamera]:
        """Return at most `limit` readable cameras with an id greater than `after`, by id; fewer only at the end."""
        found: list[RegisteredCamera] = []
        while (missing := limit - len(found)) > 0:
            query = select(CameraRow).where(CameraRow.id > after).order_by(CameraRow.id).limit(missing)
            with self._sessions() as session:
                rows = session.scalars(query).all()
            found += self._listing(rows).cameras
            if len(rows) < missing:
                break
            after = rows[-1].id
        return found

    def all(self) -> list[RegisteredCamera]:
        """Return every camera whose row can be read, by id."""
        return self.list_all().cameras

    def list_all(self) -> Listing:
        """Return every camera, and those that cannot be read.

        Rows that are as they were the last time give the same objects: checking ten thousand takes most of a second.
        """
        with self._sessions() as session:
            rows = session.execute(select(*CameraRow.__table__.columns).order_by(CameraRow.id)).all()
        listing, known = Listing([], []), self._listed
        listed: dict[str, tuple[Row[Any], RegisteredCamera]] = {}
        for row in rows:
            before = known.get(row.id)
            if before is not None and before[0] == row:
                listed[row.id] = before
                listing.cameras.append(before[1])
            else:
                fresh = self._listing([CameraRow(**row._mapping)])
                listing.unreadable.extend(fresh.unreadable)
                listing.cameras.extend(fresh.cameras)
                listed |= {camera.id: (row, camera) for camera in fresh.cameras}
        self._listed = listed
        return listing

    def _listing(self, rows: Iterable[CameraRow]) -> Listing:
        """Sort out rows that were edited into nonsense, which must not stop the others; name each once in the log."""
        listing = Listing([], [])
        for camera in map(RegisteredCamera, rows):
            try:
                camera.check()
            except CameraUnreadableError as error:
                listing.unreadable.append(camera.id)
                if self._named.get(camera.id) != error.columns:
                    self._named[camera.id] = error.columns
                    log.error("camera_unreadable", camera=camera.id, columns=error.columns)
            else:
                listing.cameras.append(camera)
                self._named.pop(camera.id, None)
        return listing

    def count(self) -> int:
        """Return how many cameras are registered."""
        with self._sessions() as session:
            return session.scalar(select(func.count()).select_from(CameraRow)) or 0

    # --- changing ------------------------------------------------------------------------------------------------

    def add(self, spec: CameraCreate, *, origin: str = ORIGIN_FARM) -> RegisteredCamera:
        """Register one camera.

        Raises:
            CameraExistsError: The id is taken.
        """
        return self.add_many([spec], origin=origin)[0]

    def add_many(self, specs: Sequence[CameraCreate], *, origin: str = ORIGIN_FARM) -> list[RegisteredCamera]:
        """Register all of `specs`, or none of them.

        Raises:
            CameraExistsError: Names the first id that is taken, or given twice.
            InvalidUrlError: One has an address that no camera may have.
        """
        for spec in specs:
            self._check_addresses(spec.url, spec.main_url)
        rows = [self._new_row(spec, origin) for spec in specs]
        seen: set[str] = set()
        with self._sessions() as session:
            _lock(session)
            for row in rows:
                if row.id in seen or session.get(CameraRow, row.id) is not None:
                    raise CameraExistsError(row.id)
                seen.add(row.id)
                session.add(row)
            _rise_revision(session)
            try:
                session.commit()
            except IntegrityError as error:  # somebody registered the same id in between
                session.rollback()
                taken = next((row.id for row in rows if session.get(CameraRow, row.id) is not None), rows[0].id)
                raise CameraExistsError(taken) from error
        return [RegisteredCamera(row) for row in rows]

    def update(self, camera_id: str, patch: CameraPatch, *, by_origin: str | None = ORIGIN_FARM) -> RegisteredCamera:
        """Change one camera.

        Args:
            camera_id: Which one.
            patch: What changes.
            by_origin: Whose cameras may be changed without reserve; None: everybody's.

        Raises:
            CameraNotFoundError: There is none with that id.
            CameraOwnedElsewhereError: Its name, URL or credentials follow the external table.
            InvalidUrlError: The URL has `***` for secrets that are not stored, or an address that no camera may have.
            CameraUnreadableError: Its row was edited into something that cannot be used, and still would be.
        """
        return self.update_many([camera_id], patch, by_origin=by_origin)[0]

    def update_many(
        self, camera_ids: Sequence[str], patch: CameraPatch, *, by_origin: str | None = ORIGIN_FARM
    ) -> list[RegisteredCamera]:
        """Change several cameras alike, or none of them; see `update`."""
        self._check_addresses(patch.url, patch.main_url)
        with self._sessions() as session:
            _lock(session)
            rows = [_row(session, camera_id) for camera_id in camera_ids]
            changed = [self._is_changed(session, row, patch.changes(), by_origin) for row in rows]
            if any(changed):
                _rise_revision(session)
                session.commit()
            return [RegisteredCamera(row) for row in rows]

    def drafted(self, camera_id: str | None, patch: CameraPatch) -> RegisteredCamera:
        """Return a camera as it would be after a change, or as a new one would be; nothing is stored.

        Args:
            camera_id: Which one; None: a new one.
            patch: What changes; of a new one, all that is known of it, its URL at least.

        Raises:
            CameraNotFoundError: There is none with that id.
            InvalidUrlError: The URL has `***` for secrets that are not stored.
            CameraUnreadableError: It could not be used.
        """
        if camera_id is None:
            row = self._new_row(CameraCreate(id=DRAFT_ID, **patch.changes()), ORIGIN_FARM)
        else:
            with self._sessions() as session:
                row = CameraRow(**_row(session, camera_id).as_dict())
            self._change(row, patch.changes())
        drafted = RegisteredCamera(row)
        drafted.check()
        return drafted

    def _check_addresses(self, *urls: str | None) -> None:
        for url in urls:
            if url is not None and (refusal := self._addresses.refusal_of_url(url)):
                raise InvalidUrlError(f"{refusal}. {REMEDIES[StatusReason.ADDRESS_REFUSED]}")

    def _is_changed(self, session: Session, row: CameraRow, changes: dict[str, Any], by_origin: str | None) -> bool:
        """Change a row; return whether it is another one now."""
        if by_origin not in {None, row.origin} and changes.keys() & {"name", "url", "username", "password"}:
            raise CameraOwnedElsewhereError(row.id)
        self._change(row, changes)
        RegisteredCamera(row).check()
        if not session.is_modified(row):
            return False
        row.updated_at_ms = self._clock.now_ms()
        return True

    def _change(self, row: CameraRow, changes: dict[str, Any]) -> None:
        if changes.keys() & {"url", "username", "password"}:
            row.url, secrets = self._secrets.changed(row, changes)
            row.secrets = self._secrets.encrypted(secrets)
        if "main_url" in changes:
            row.main_url, row.main_secrets = self._secrets.changed_main(row, changes["main_url"])
        for name in changes.keys() - {"url", "main_url", "username", "password"}:
            setattr(row, name, changes[name])

    def remove(self, camera_id: str, *, by_origin: str | None = ORIGIN_FARM) -> None:
        """Forget one camera; its saved frames stay until they are too old.

        Args:
            camera_id: Which one.
            by_origin: Whose cameras may be removed; None: everybody's.

        Raises:
            CameraNotFoundError: There is none with that id.
            CameraOwnedElsewhereError: It follows the external table.
        """
        with self._sessions() as session:
            _lock(session)
            row = _row(session, camera_id)
            if by_origin not in {None, row.origin}:
                raise CameraOwnedElsewhereError(camera_id)
            session.delete(row)
            _rise_revision(session)
            session.commit()

    def next_epochs(self, camera_ids: Iterable[str], *, above: dict[str, int] | None = None) -> dict[str, int]:
        """Give out a new epoch for each camera: greater than every one given out before.

        Args:
            camera_ids: Cameras that are about to be assigned.
            above: Epochs seen in use by camera id; the new ones are greater than these too (a registry that was
                restored from an old backup must not go back).
        """
        ids = sorted(set(camera_ids))
        floor = above or {}
        given: dict[str, int] = {}
        with self._sessions() as session:
            _lock(session)
            for start in range(0, len(ids), _BATCH):
                batch = ids[start : start + _BATCH]
                query = select(CameraEpochRow).where(CameraEpochRow.camera_id.in_(batch))
                known = {row.camera_id: row for row in session.scalars(query)}
                for camera_id in batch:
                    row = known.get(camera_id)
                    epoch = max(row.epoch if row else 0, floor.get(camera_id, 0)) + 1
                    if row is None:
                        session.add(CameraEpochRow(camera_id=camera_id, epoch=epoch))
                    else:
                        row.epoch = epoch
                    given[camera_id] = epoch
            session.commit()
        return given

    def record_epochs(self, epochs: Mapping[str, int]) -> None:
        """Take note of epochs that were given out while the database was away; none falls."""
        with self._sessions() as session:
            _lock(session)
            for camera_id, epoch in epochs.items():
                row = session.get(CameraEpochRow, camera_id)
                if row is None:
                    session.add(CameraEpochRow(camera_id=camera_id, epoch=epoch))
                else:
                    row.epoch = max(row.epoch, epoch)
            session.commit()

    def epochs(self, camera_ids: Iterable[str]) -> dict[str, int]:
        """Return the newest epoch given out for each camera; those that never had one are left out."""
        ids = sorted(set(camera_ids))
        found: dict[str, int] = {}
        with self._sessions() as session:
            for start in range(0, len(ids), _BATCH):
                query = select(CameraEpochRow).where(CameraEpochRow.camera_id.in_(ids[start : start + _BATCH]))
                found |= {row.camera_id: row.epoch for row in session.scalars(query)}
        return found

    def secrets_of(self, camera: RegisteredCamera) -> CameraSecrets:
        """Return a camera's secrets in clear; only for comparing and for opening its stream."""
        return self._secrets.decrypted(camera.assignment(epoch=1).secrets)

    def _new_row(self, spec: CameraCreate, origin: str) -> CameraRow:
        url, secrets = self._secrets.split(spec)
        main_url, main_secrets = self._secrets.split_main(spec.main_url)
        now_ms = self._clock.now_ms()
        return CameraRow(
            id=spec.id or new_camera_id(),
            name=spec.name,
            url=url,
            secrets=self._secrets.encrypted(secrets),
            main_url=main_url,
            main_secrets=main_secrets,
            enabled=spec.enabled,
            origin=origin,
            created_at_ms=now_ms,
            updated_at_ms=now_ms,
            **spec.settings().model_dump(mode="json"),
            **spec.placement().model_dump(mode="json"),
            **spec.recording().model_dump(mode="json"),
            **spec.drawing().model_dump(mode="json"),
        )


def _row(session: Session, camera_id: str) -> CameraRow:
    row = session.get(CameraRow, camera_id)
    if row is None:
        raise CameraNotFoundError(camera_id)
    return row


def _lock(session: Session) -> None:
    """Let one process at a time change the registry, until it commits.

    What is read afterwards stays true until then. On SQLite a transaction that begins by reading and writes later
    would not wait for another writer; this one begins by writing.
    """
    session.execute(update(RegistryStateRow).values(revision=RegistryStateRow.revision))


def _rise_revision(session: Session) -> None:
    risen = session.execute(update(RegistryStateRow).values(revision=RegistryStateRow.revision + 1))
    if cast("Any", risen).rowcount == 0:
        session.add(RegistryStateRow(id=1, revision=1))
