"""The API's own certificate: read again when it was renewed, kept when what replaced it cannot be used."""

import ssl
import threading
from pathlib import Path
from typing import Final

import structlog

from contract.errors import FarmError
from runtime.clock import Clock

#: How often the files are looked at, at most: connections come more often than certificates.
LOOK_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)

#: What of a file changes when it is another one: inode, size, time.
Stamp = tuple[tuple[int, int, int], ...]


class TlsError(FarmError):
    """FARM_TLS_CERT or FARM_TLS_KEY cannot be used; the text says why and what to do."""


class Certificate:
    """A certificate with its key, as it is on the disk now. Safe to use from several threads."""

    def __init__(self, certificate: Path, key: Path | None, clock: Clock) -> None:
        """Read it.

        Args:
            certificate: PEM, with the chain after it; with the key in it where `key` is None.
            key: PEM, without a passphrase.
            clock: Of this machine.

        Raises:
            TlsError: They cannot be used.
        """
        self._files = (certificate,) if key is None else (certificate, key)
        self._clock = clock
        self._lock = threading.Lock()
        self._looked_at = clock.monotonic()
        try:
            self._stamp = self._stamp_now()
            self._context = self._loaded()
        except (OSError, ssl.SSLError) as error:
            raise TlsError(_why(certificate, key, error)) from error

    def context(self) -> ssl.SSLContext:
        """Return what new connections are made with; those that there are keep theirs."""
        with self._lock:
            now = self._clock.monotonic()
            if now - self._looked_at >= LOOK_SECONDS:
                self._looked_at = now
                self._renew()
            return self._context

    def _renew(self) -> None:
        try:
            stamp = self._stamp_now()
            if stamp == self._stamp:
                return
            self._context = self._loaded()
        except (OSError, ssl.SSLError) as error:
            # Written half, perhaps: the stamp stays, so that it is tried again.
            log.error("certificate_not_renewed", file=str(self._files[0]), error=str(error))
            return
        self._stamp = stamp
        log.info("certificate_renewed", file=str(self._files[0]))

    def _loaded(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        # No passphrase is asked for: a server has no terminal.
        context.load_cert_chain(self._files[0], self._files[-1], password=_no_passphrase)
        return context

    def _stamp_now(self) -> Stamp:
        found = (path.stat() for path in self._files)
        return tuple((stat.st_ino, stat.st_size, stat.st_mtime_ns) for stat in found)


def _no_passphrase() -> str:
    return ""


def _why(certificate: Path, key: Path | None, error: Exception) -> str:
    named = f"FARM_TLS_CERT ({certificate})" + (f" and FARM_TLS_KEY ({key})" if key is not None else "")
    if isinstance(error, ssl.SSLError):
        reason = error.reason or error
        return f"{named}: no certificate with its key ({reason}); both must be PEM, the key without passphrase"
    return f"{named} cannot be read: {getattr(error, 'strerror', error)}; check the paths and who may read them"
