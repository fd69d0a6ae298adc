"""Hashes and checks passwords with Argon2id, a few at a time."""

import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from camera_ctrler.accounts.errors import LoginBusyError

#: Three passes over 32 MiB with one thread: RFC 9106's advice of three passes where memory is short, above OWASP's
#: least (19 MiB, two passes), and 60 to 100 ms of a core, which a person does not notice and 1,000 guesses a second do.
PASSES: Final = 3
MEMORY_KIB: Final = 32 * 1024
#: Hashes at a time: each takes a core and 32 MiB.
AT_ONCE: Final = 2
#: Who may wait for one of those. Everybody else is turned away: a thread that waits here answers nobody else.
WAITING: Final = 6
#: Longer than those who wait before him take.
WAIT_SECONDS: Final = 3.0


class Passwords:
    """Argon2id with bounded use of cores, memory and threads. Safe to use from several threads."""

    def __init__(self, hasher: PasswordHasher | None = None, *, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        """Prepare it.

        Args:
            hasher: Parameters of new hashes; default: the ones above.
            at_once: How many are hashed at a time.
            waiting: How many more may wait.
        """
        self._hasher = hasher or PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=1)
        self._slots = threading.BoundedSemaphore(at_once)
        self._places = threading.BoundedSemaphore(at_once + waiting)
        #: Of no password: checked where there is no user, so that it takes as long.
        self._nobodys: str | None = None
        self._nobodys_lock = threading.Lock()

    def hash(self, password: str) -> str:
        """Return the hash of a new password, with its parameters.

        Raises:
            LoginBusyError: Too many are at it.
        """
        with self._slot():
            return self._hasher.hash(_normal(password))

    def is_right(self, stored: str | None, password: str) -> bool:
        """Tell whether a password is the stored one; takes as long where there is no user (None).

        Raises:
            LoginBusyError: Too many are at it.
        """
        expected = stored if stored is not None else self._hash_of_nobody()
        with self._slot():
            try:
                right = self._hasher.verify(expected, _normal(password))
            except (VerificationError, InvalidHashError):
                return False
        return right and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Tell whether a hash was made with other parameters than new ones are."""
        return self._hasher.check_needs_rehash(stored)

    def _hash_of_nobody(self) -> str:
        with self._nobodys_lock:
            if self._nobodys is None:
                self._nobodys = self._hasher.hash(secrets.token_urlsafe(32))
            return self._nobodys

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise LoginBusyError
        try:
            if not self._slots.acquire(timeout=WAIT_SECONDS):
                raise LoginBusyError
            try:
                yield
            finally:
                self._slots.release()
        finally:
            self._places.release()


def _normal(password: str) -> str:
    """Return a password as it was when it was set: keyboards differ in how they compose characters."""
    return unicodedata.normalize("NFC", password)
