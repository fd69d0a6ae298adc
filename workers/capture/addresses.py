"""Finds the addresses that a camera's name stands for now, and refuses those that no camera may have.

What was judged is what is connected to: a name that is looked up again may stand for another address by then.
"""

import socket
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from contract.camera_addresses import CameraAddresses
from contract.errors import StatusReason
from workers.capture.failures import CaptureError, failed

#: Family, kind, protocol, canonical name and socket address, as `socket.getaddrinfo` gives them.
Found = tuple[Any, ...]


def resolved(host: str, port: int, addresses: CameraAddresses, url: str) -> list[Found]:
    """Return what a host's name stands for; one address that is refused is enough to refuse all.

    Args:
        host: Name or address.
        port: TCP port.
        addresses: Says which are refused.
        url: The camera's, secrets included, for the error.

    Raises:
        CaptureError: name_not_found or address_refused.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        raise failed(StatusReason.NAME_NOT_FOUND, url) from None
    for info in found:
        if refusal := addresses.refusal(str(info[4][0])):
            raise refused(url, refusal)
    return list(found)


def refused(url: str, refusal: str) -> CaptureError:
    """Make the error for an address that no camera may have."""
    return failed(StatusReason.ADDRESS_REFUSED, url, refusal)


def pinned(url: str, address: str) -> str:
    """Return `url` with its host replaced by an address that was judged, so that nobody looks the name up again.

    Only where nothing depends on the name: a certificate is made out to one, so secure URLs stay as they are.
    """
    parts = urlsplit(url)
    if parts.scheme != "rtsp" or "%" in address or parts.hostname is None:
        return url
    userinfo, at, _ = parts.netloc.rpartition("@")
    host = f"[{address}]" if ip_address(address).version == 6 else address
    port = "" if parts.port is None else f":{parts.port}"
    return urlunsplit(parts._replace(netloc=f"{userinfo}{at}{host}{port}"))
