"""The registry for somebody who must not wait: a database that hangs is as good as one that is away.

A server that is stuck answers nothing and closes nothing; what asks it waits for as long as that lasts. The manager
holds the lead meanwhile, so its steps must not wait with it.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from sqlalchemy.exc import SQLAlchemyError

from camera_ctrler.registry import Listing, Registry
from runtime.patience import on_its_own

#: Seconds that a database may take to answer before it counts as away: ten thousand cameras are read in one.
PATIENCE_SECONDS: Final = 2.0

Answer = TypeVar("Answer")


class RegistryHangsError(SQLAlchemyError):
    """The database has not answered in time."""

    def __init__(self) -> None:
        super().__init__(f"the database has not answered for {PATIENCE_SECONDS:.0f} s or longer")


@dataclass(slots=True)
class _Call:
    """A question on its way."""

    about: object
    answer: Future[Any]
    #: Whether it has been waited for in vain.
    is_late: bool = False


class PatientRegistry:
    """Asks the registry, and waits only so long. Not thread-safe.

    A call that hangs is not repeated: as long as it does, the same question is answered at once, with an error.
    """

    def __init__(self, registry: Registry, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._registry = registry
        self._patience_seconds = patience_seconds
        self._calls: dict[str, _Call] = {}

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
        call = self._calls.get(name)
        if call is None or (call.answer.done() and call.about != about):
            call = self._calls[name] = _Call(about, on_its_own(ask, "registry"))
        done, _ = wait([call.answer], 0 if call.is_late else self._patience_seconds)
        if not done:
            call.is_late = True
            raise RegistryHangsError
        if call.about != about:  # it answers what is no longer asked
            return self._ask(name, about, ask)
        del self._calls[name]
        return cast("Answer", call.answer.result())
