"""Which addresses no camera has: those of the machine's own neighbourhood that answer with secrets. Pure.

Whoever may register a camera lets workers ask any address of their network. Clouds answer at link-local addresses, and
some at others, with credentials of the machine; what is asked there must be nobody's choice.
"""

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

Network = IPv4Network | IPv6Network

#: Networks that are refused, with what they are.
REFUSED: Final = tuple(
    (ip_network(network), what)
    for network, what in (
        ("169.254.0.0/16", "link-local, where clouds give out credentials"),
        ("fe80::/10", "link-local"),
        ("fd00:ec2::/32", "a cloud's metadata service"),
        ("100.100.100.200/32", "a cloud's metadata service"),
        ("168.63.129.16/32", "a cloud's metadata service"),
        ("192.0.0.192/32", "a cloud's metadata service"),
        ("0.0.0.0/8", "no address of a host"),
        ("::/128", "no address of a host"),
        ("224.0.0.0/4", "a multicast address"),
        ("ff00::/8", "a multicast address"),
        ("255.255.255.255/32", "the broadcast address"),
    )
)
#: Networks of IPv6 whose addresses have one of IPv4 within, and the bit at which it begins.
_EMBEDDED: Final = (
    (IPv6Network("::ffff:0:0/96"), 96),
    (IPv6Network("::/96"), 96),
    (IPv6Network("64:ff9b::/96"), 96),
    (IPv6Network("2002::/16"), 16),
)


class CameraAddresses:
    """Which addresses cameras may have: all but those of `REFUSED`, and of these the ones that are allowed."""

    def __init__(self, allowed: str = "") -> None:
        """Read networks separated by commas, such as ``169.254.10.0/24,fe80::/10``.

        Raises:
            ValueError: Names what is no network.
        """
        parts = [part.strip() for part in allowed.split(",") if part.strip()]
        self._allowed: Final = tuple(_network(part) for part in parts)

    def refusal(self, address: str) -> str:
        """Return what is wrong with an address in words, one of a host's name or IP; empty: nothing is.

        Names are not looked up: their addresses are asked about when they are connected to.
        """
        parsed = _parsed(address)
        if parsed is None:
            return ""
        for candidate in (parsed, *_within(parsed)):
            if any(candidate in network for network in self._allowed):
                return ""
        for candidate in (parsed, *_within(parsed)):
            for network, what in REFUSED:
                if candidate in network:
                    return f"{address} is {what}"
        return ""

    def refusal_of_url(self, url: str) -> str:
        """Return what is wrong with the host of a URL where that is an address."""
        return self.refusal(urlsplit(url).hostname or "")


def _network(text: str) -> Network:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is no network; write for example 169.254.10.0/24 or fe80::/10") from None


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a text stands for, as resolvers read it; None: it is a name."""
    text = address.partition("%")[0].strip("[]")
    try:
        return ip_address(text)
    except ValueError:
        pass
    try:
        # 169.254.43518, 0xa9fea9fe and 2852039166 are 169.254.169.254 to every resolver.
        return IPv4Address(socket.inet_aton(text)) if text and text[0].isdigit() and " " not in text else None
    except OSError:
        return None


def _within(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    """Return addresses of IPv4 that an address of IPv6 leads to."""
    if isinstance(address, IPv4Address):
        return []
    return [
        IPv4Address(int(address) >> (96 - start) & 0xFFFF_FFFF)
        for network, start in _EMBEDDED
        if address in network and int(address) > 1
    ]
