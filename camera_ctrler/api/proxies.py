"""Who really sends a request that comes through a proxy: only those that are trusted are believed."""

from collections.abc import Callable, Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

Networks = tuple[IPv4Network | IPv6Network, ...]
#: What a host has of IPv6: it may use any address in it.
_IPV6_HOST_BITS: Final = 64


def network_of(address: str) -> str:
    """Return what one host is counted as: an IPv4 address, or the /64 network of an IPv6 address."""
    try:
        read = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(read, IPv6Address):
        return str(read.ipv4_mapped or ip_network((read, _IPV6_HOST_BITS), strict=False))
    return str(read)


def client_of(peer: str, forwarded_for: str, trusted: Networks) -> str:
    """Return the address of who sends a request.

    Args:
        peer: Who holds the connection.
        forwarded_for: ``X-Forwarded-For``: each proxy adds at the end whom it has it from.
        trusted: Proxies whose word counts; what is written before the first one of others may be made up.
    """
    chain = [part.strip() for part in forwarded_for.split(",") if part.strip()]
    client = peer
    while chain and _is_in(client, trusted):
        said = chain.pop()
        try:
            client = str(ip_address(said))
        except ValueError:  # a proxy that is trusted writes no such thing
            break
    return client


def _is_in(address: str, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    try:
        read = ip_address(address)
    except ValueError:
        return False
    if isinstance(read, IPv6Address) and read.ipv4_mapped:
        read = read.ipv4_mapped
    return any(read in network for network in networks)


class TrustedProxies:
    """WSGI: says who sent a request, and whether he used TLS, as the proxies in FARM_TRUSTED_PROXIES say it."""

    def __init__(self, app: Callable[..., Any], trusted: Networks) -> None:
        self._app = app
        self._trusted = trusted

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        """Answer a request."""
        peer = str(environ.get("REMOTE_ADDR", ""))
        if _is_in(peer, self._trusted):
            environ["REMOTE_ADDR"] = client_of(peer, environ.get("HTTP_X_FORWARDED_FOR", ""), self._trusted)
            scheme = environ.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip().lower()
            if scheme in {"http", "https"}:
                environ["wsgi.url_scheme"] = scheme
        return self._app(environ, start_response)
