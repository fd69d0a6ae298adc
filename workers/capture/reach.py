"""Finds out whether a host can be reached at all, before libav is asked, whose errors do not tell."""

import errno
import select
import socket
from contextlib import closing
from typing import Any, Final
from urllib.parse import urlsplit

from contract.camera_addresses import CameraAddresses
from contract.errors import StatusReason
from runtime.clock import Clock
from workers.capture.addresses import resolved
from workers.capture.failures import Stage, classify, failed
from workers.capture.socket_guard import DEFAULT_PORTS, besides_libav
from workers.capture.watch import Watch

#: Seconds between two looks at the stop request.
_TICK_SECONDS: Final = 0.1


def reach(url: str, timeout_seconds: float, watch: Watch, clock: Clock, addresses: CameraAddresses) -> str:
    """Connect to the host of `url` and hang up; return the address that answers.

    Raises:
        CaptureError: name_not_found, address_refused, refused, unreachable or timeout.
        CaptureStoppedError: Asked to stop meanwhile.
    """
    parts = urlsplit(url)
    found = resolved(parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme], addresses, url)
    failure = failed(StatusReason.NAME_NOT_FOUND, url)
    for family, kind, protocol, _, address in found:
        try:
            probe = socket.socket(family, kind, protocol)
            with besides_libav(probe), closing(probe):
                _connect(probe, address, timeout_seconds / len(found), watch, clock)
                return str(address[0])
        except OSError as error:
            failure = classify(error, Stage.OPENING, url)
    raise failure


def _connect(probe: socket.socket, address: Any, timeout_seconds: float, watch: Watch, clock: Clock) -> None:
    probe.setblocking(False)
    code = probe.connect_ex(address)
    if code not in (0, errno.EINPROGRESS):
        raise OSError(code, "connect failed")
    deadline = clock.monotonic() + timeout_seconds
    while not select.select([], [probe], [], _TICK_SECONDS)[1]:
        watch.sleep(0)
        if clock.monotonic() >= deadline:
            raise TimeoutError
    code = probe.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, "connect failed")
