"""Sees that a port is free before something is started that needs it."""

import errno
import socket

from contract.errors import FarmError


class PortBusyError(FarmError):
    """A port cannot be listened on; the text names it and the setting."""


def check_port(host: str, port: int, setting: str, *, host_setting: str = "") -> None:
    """Raise `PortBusyError` unless this process could listen on `host` and `port`.

    Args:
        host: Name or address.
        port: 1 to 65535.
        setting: How another port is chosen, for example ``FARM_API_PORT``.
        host_setting: How another address is chosen.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except socket.gaierror as error:
        raise PortBusyError(f"the address {host!r} is unknown ({error.strerror}); set {host_setting}") from error
    except OSError as error:
        raise PortBusyError(_text(error, host, port, setting, host_setting)) from error


def _text(error: OSError, host: str, port: int, setting: str, host_setting: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is used by another program; end that one, or choose another port with {setting}"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine; set {host_setting}"
    if error.errno == errno.EACCES:
        return f"port {port} needs rights this user does not have; choose one above 1023 with {setting}"
    return f"cannot listen on port {port} of {host}: {error.strerror}"
