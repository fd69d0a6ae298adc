"""Notes when sessions and tokens were last used: in memory, and in the database about once a minute."""

import threading
from typing import Final

import structlog
from sqlalchemy import Engine, update
from sqlalchemy.exc import SQLAlchemyError

from camera_ctrler.accounts.tables import SessionRow, TokenRow
from runtime.clock import Clock

#: How long a use may be known here alone, and how much later than the last one written the next one is.
WRITE_MS: Final = 60_000
#: Sessions and tokens that are noted at a time; of more than these, some uses are not written.
MOST_NOTED: Final = 10_000

log = structlog.get_logger(__name__)


class Uses:
    """Last uses, written by a thread of its own: no request waits for it. Safe to use from several threads."""

    def __init__(self, engine: Engine, clock: Clock, stopping: threading.Event) -> None:
        self._engine = engine
        self._clock = clock
        self._stopping = stopping
        self._lock = threading.Lock()
        #: (table, id) -> when, Unix ms.
        self._noted: dict[tuple[str, str], int] = {}
        self._thread: threading.Thread | None = None
        self.dropped = 0

    def note_session(self, session_id: str) -> None:
        """Say that a session is being used."""
        self._note("session", session_id)

    def note_token(self, token_id: str) -> None:
        """Say that a token is being used."""
        self._note("token", token_id)

    def _note(self, kind: str, key: str) -> None:
        with self._lock:
            if (kind, key) not in self._noted and len(self._noted) >= MOST_NOTED:
                self.dropped += 1
                return
            self._noted[kind, key] = self._clock.now_ms()
            if self._thread is None and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._run, name="account-uses", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._stopping.wait(WRITE_MS / 1000):
            self.write()

    def write(self) -> None:
        """Write what is noted; what cannot be written now is forgotten, for the next use says it again."""
        with self._lock:
            noted, self._noted = self._noted, {}
        if not noted:
            return
        try:
            with self._engine.begin() as connection:
                for (kind, key), at_ms in noted.items():
                    table = SessionRow if kind == "session" else TokenRow
                    connection.execute(update(table).where(table.id == key).values(last_used_at_ms=at_ms))
        except SQLAlchemyError as error:
            log.warning("account_uses_not_written", count=len(noted), error=str(error).splitlines()[0])

    def close(self) -> None:
        """Write the last of it; the event that the constructor was given is set by now."""
        thread = self._thread
        if thread is not None:
            thread.join()
        self.write()
