"""The registry for somebody who must not wait: a database that hangs is as good as one that is away.

A server that is stuck answers nothing and closes nothing; what asks it waits for as long as that lasts. The manager
holds the lead meanwhile, so its steps must not wait with it.
"""

import threading
from collections.abc import Callable, Iterable
from typing import Any, Final, Generic, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from camera_ctrler.registry import Listing, Registry

#: Seconds that a database may take to answer before it counts as away: ten thousand cameras are read in one.
PATIENCE_SECONDS: Final = 2.0

Answer = TypeVar("Answer")


class RegistryHangsError(SQLAlchemyError):
    """The database has not answered in time."""

    def __init__(self) -> None:
        super().__init__(f"the database has not answered for {PATIENCE_SECONDS:.0f} s or longer")


class _Call(Generic[Answer]):
    """A question on its way, on a thread of its own that may hang for as long as it likes."""

    def __init__(self, about: object, ask: Callable[[], Answer]) -> None:
        self.about: Final = about
        self.done: Final = threading.Event()
        self.is_late = False
        self._ask = ask
        self._answer: Answer
        self._error: Exception | None = None
        threading.Thread(target=self._run, name="registry", daemon=True).start()

    def _run(self) -> None:
        try:
            self._answer = self._ask()
        except Exception as error:  # raised again where it was asked
            self._error = error
        finally:
            self.done.set()

    def answer(self) -> Answer:
        if self._error is not None:
            raise self._error
        return self._answer


class PatientRegistry:
    """Asks the registry, and waits only so long. Not thread-safe.

    A call that hangs is not repeated: as long as it does, the same question is answered at once, with an error.
    """

    def __init__(self, registry: Registry, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._registry = registry
        self._patience_seconds = patience_seconds
        self._calls: dict[str, _Call[Any]] = {}

    def read(self, known_revision: int) -> tuple[int, Listing | None]:
        """Return the revision, and all cameras unless it is the one that is known.

        Raises:
            SQLAlchemyError: The database is away, or hangs.
        """

        def ask() -> tuple[int, Listing | None]:
            revision = self._registry.revision()
            return revision, None if revision == known_revision else self._registry.list_all()

        return self._ask("read", known_revision, ask)

    def epochs(self, camera_ids: Iterable[str]) -> dict[str, int]:
        """As `Registry.epochs`, or `SQLAlchemyError` where the database hangs."""
        ids = sorted(camera_ids)
        return self._ask("epochs", ids, lambda: self._registry.epochs(ids))

    def record_epochs(self, epochs: dict[str, int]) -> None:
        """As `Registry.record_epochs`, or `SQLAlchemyError` where the database hangs."""
        self._ask("record_epochs", epochs, lambda: self._registry.record_epochs(epochs))

    def next_epochs(self, camera_ids: Iterable[str], above: dict[str, int]) -> dict[str, int]:
        """As `Registry.next_epochs`, or `SQLAlchemyError` where the database hangs."""
        ids = sorted(camera_ids)
        return self._ask("next_epochs", (ids, above), lambda: self._registry.next_epochs(ids, above=above))

    def _ask(self, name: str, about: object, ask: Callable[[], Answer]) -> Answer:
        call: _Call[Answer] | None = self._calls.get(name)
        if call is not None and call.done.is_set() and call.about != about:
            call = None  # it answers a question that is no longer asked
        if call is None:
            call = self._calls[name] = _Call(about, ask)
        if not call.done.wait(0 if call.is_late else self._patience_seconds):
            call.is_late = True
            raise RegistryHangsError
        del self._calls[name]
        if call.about != about:
            return self._ask(name, about, ask)
        return call.answer()
