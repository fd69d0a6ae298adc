"""Page cursors: opaque to clients, and refused when they were not made here or for another list."""

from typing import Final

from camera_ctrler.api.problems import FieldError, invalid_request
from runtime.secret_box import SecretBox, SecretKeyError

_SEPARATOR: Final = "\n"


class Cursors:
    """Makes and reads cursors with the farm's secret key, so that every controller understands them."""

    def __init__(self, box: SecretBox) -> None:
        self._box = box

    def make(self, scope: str, after: str) -> str:
        """Return a cursor that continues the list `scope` after the entry `after`."""
        return self._box.encrypt(f"{scope}{_SEPARATOR}{after}")

    def read(self, scope: str, cursor: str | None) -> str | None:
        """Return the entry after which the list goes on; None for the first page.

        Raises:
            ProblemError: 400; the cursor was altered, or belongs to another list or other filters.
        """
        if cursor is None:
            return None
        try:
            made_for, _, after = self._box.decrypt(cursor).partition(_SEPARATOR)
        except (SecretKeyError, ValueError) as error:  # ValueError: not even ASCII
            raise _refused("is not one that this API gave out; start again without it") from error
        if made_for != scope:
            raise _refused("belongs to another list or other filters; start again without it")
        return after


def _refused(message: str) -> Exception:
    return invalid_request([FieldError(field="cursor", message=message)])
