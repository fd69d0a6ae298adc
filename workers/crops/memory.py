"""How many bytes of crops wait in memory, over all cameras of a worker."""

import threading
from typing import Final

#: Bytes of crops in memory of all cameras together, and of one.
MOST_BYTES: Final = 64_000_000
CAMERA_BYTES: Final = 4_000_000


class CropMemory:
    """Counts what all cameras hold. Safe to use from several threads."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._bytes = 0

    @property
    def bytes(self) -> int:
        """What is held now."""
        return self._bytes

    def take(self, size_bytes: int) -> bool:
        """Ask for room; False: there is none, and none was taken."""
        with self._lock:
            if self._bytes + size_bytes > self._most_bytes:
                return False
            self._bytes += size_bytes
            return True

    def give_back(self, size_bytes: int) -> None:
        """Give room back that was taken."""
        with self._lock:
            self._bytes -= size_bytes
