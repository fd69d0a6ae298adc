"""Follows an existing table of cameras in somebody else's database: reads its rows, reconciles the registry."""

from collections.abc import Iterable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Final

import structlog
from pydantic import ValidationError
from sqlalchemy import Engine, Executable, MetaData, Table, column, select
from sqlalchemy.exc import SQLAlchemyError

from camera_ctrler.audit.entry import AuditEntry
from camera_ctrler.audit.noting import listen, noting
from camera_ctrler.registry import ORIGIN_EXTERNAL, CameraExistsError, CameraNotFoundError, Registry
from camera_ctrler.registry.camera_secrets import same_url
from contract.camera_specs import CameraCreate, CameraPatch
from contract.errors import FarmError
from database.engine import open_engine
from runtime.clock import SystemClock
from runtime.settings import ControllerSettings

#: Problems named in one report; the rest are counted.
_NAMED_PROBLEMS: Final = 5
_LONGEST_NAMED_ID: Final = 64
#: Looks in a row after which a table that lost more than half of its rows is believed: it may be being reloaded, or
#: be another table of that name, and a camera that is removed loses its settings.
_LOOKS_BEFORE_MOST_GO: Final = 3
#: Who changes cameras that follow the table, as the audit names it.
ACTOR: Final = "external table"

log = structlog.get_logger(__name__)


class CameraSourceError(FarmError):
    """The external table cannot be read."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row of the external table."""

    id: str
    url: str
    name: str


class CameraSource:
    """The external table. Read only."""

    def __init__(self, settings: ControllerSettings) -> None:
        self._engine: Engine = open_engine(
            settings.camera_source_url.get_secret_value(), setting="FARM_CAMERA_SOURCE_URL", read_only=True
        )
        schema, _, table = settings.camera_source_table.rpartition(".")
        names = [settings.camera_source_id_column, settings.camera_source_url_column]
        if settings.camera_source_name_column:
            names.append(settings.camera_source_name_column)
        source = Table(table, MetaData(), schema=schema or None)
        self._query: Executable = select(*(column(name) for name in names)).select_from(source)

    def rows(self) -> list[SourceRow]:
        """Return every row.

        Raises:
            CameraSourceError: The database is away, or has no such table or column.
        """
        try:
            with self._engine.connect() as connection:
                found = connection.execute(self._query).all()
        except SQLAlchemyError as error:
            cause = str(getattr(error, "orig", error)).strip().splitlines()[0]
            raise CameraSourceError(
                f"the external camera table cannot be read: {cause}; cameras stay as they are"
            ) from error
        return [SourceRow(*(_text(value) for value in (*row, "")[:3])) for row in found]

    def close(self) -> None:
        """Give the database connections back."""
        self._engine.dispose()


def _text(value: object) -> str:
    """Return a column's value as text: ids may be numbers, NULL is no text, CHAR(n) is padded with spaces."""
    return "" if value is None else str(value).strip(" ")


class SourceFollower:
    """Keeps the cameras of origin ``external`` in the registry equal to the rows of the external table."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        listen(registry.engine)
        #: Rows that the registry agrees with; a row that is equal to its entry here is not looked at again.
        self._applied: dict[str, SourceRow] = {}
        #: Looks in a row that missed more than half of the cameras.
        self._short_looks = 0

    def reconcile(self, rows: Iterable[SourceRow]) -> list[str]:
        """Insert, update and delete cameras.

        A row that cannot be used changes nothing: a camera that follows it stays as it was. A table that is suddenly
        empty, or lost more than half of its rows, must be so three times in a row before cameras are removed.

        Returns:
            One sentence for each row that cannot be used, and one while removals wait.
        """
        wanted: dict[str, SourceRow] = {}
        problems = []
        for row in rows:
            if row.id in wanted:
                problems.append(f"row {_short(row.id)}: the id stands in the table twice; the first row counts")
            else:
                wanted[row.id] = row
        registered = {camera.id: camera for camera in self._registry.all() if camera.origin == ORIGIN_EXTERNAL}
        problems += self._remove(registered.keys() - wanted.keys(), len(registered))
        for camera_id, row in wanted.items():
            if camera_id in registered and self._applied.get(camera_id) == row:
                continue
            problem = self._apply(row, exists=camera_id in registered)
            if problem:
                problems.append(f"row {_short(camera_id)}: {problem}")
            else:
                self._applied[camera_id] = row
        return problems

    def _remove(self, gone: set[str], registered: int) -> list[str]:
        """Remove cameras whose rows are gone, or say why not yet."""
        self._short_looks = self._short_looks + 1 if 2 * len(gone) > registered else 0
        if 0 < self._short_looks < _LOOKS_BEFORE_MOST_GO:
            return [
                f"the table lacks {len(gone)} of {registered} cameras that follow it; they are removed if look "
                f"{_LOOKS_BEFORE_MOST_GO} in a row says so (this was {self._short_looks})"
            ]
        for camera_id in gone:
            # Not there: another manager was quicker.
            with suppress(CameraNotFoundError), _noted("delete_camera", camera_id):
                self._registry.remove(camera_id, by_origin=ORIGIN_EXTERNAL)
            self._applied.pop(camera_id, None)
            log.info("external_camera_removed", camera=camera_id)
        return []

    def _apply(self, row: SourceRow, *, exists: bool) -> str:
        try:
            if not exists:
                with _noted("create_camera", row.id, name=row.name, url=row.url):
                    self._registry.add(CameraCreate(id=row.id, url=row.url, name=row.name), origin=ORIGIN_EXTERNAL)
                log.info("external_camera_added", camera=row.id)
                return ""
            camera = self._registry.get(row.id)
            patch = CameraPatch(name=row.name, url=row.url)
            if same_url(row.url, camera, self._registry.secrets_of(camera)):
                patch = CameraPatch(name=row.name)
            with _noted("update_camera", row.id, **patch.model_dump(mode="json", exclude_unset=True)):
                self._registry.update(row.id, patch, by_origin=ORIGIN_EXTERNAL)
        except ValidationError as error:
            return "; ".join(f"{item['loc'][-1] if item['loc'] else 'row'}: {item['msg']}" for item in error.errors())
        except CameraExistsError:
            return "a camera registered in CamFarm has this id; rename one of them"
        except FarmError as error:
            return str(error)
        return ""


def _noted(action: str, camera_id: str, **asked: object) -> AbstractContextManager[object]:
    """Note in the audit what the table makes of a camera, if that changes anything."""
    return noting(lambda: AuditEntry(ACTOR, action, camera_id, asked), SystemClock())


def _short(row_id: str) -> str:
    """Return an id fit for a report, whatever somebody has put into the column."""
    return repr(row_id if len(row_id) <= _LONGEST_NAMED_ID else f"{row_id[:_LONGEST_NAMED_ID]}…")


def summary_of(problems: list[str]) -> str:
    """Return the first few problems as one text."""
    named = "; ".join(problems[:_NAMED_PROBLEMS])
    more = len(problems) - _NAMED_PROBLEMS
    return f"{named}; and {more} more" if more > 0 else named
