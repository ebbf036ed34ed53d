"""Addresses of clients and proxies."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

from s2s.errors import SettingsError

__all__ = ["Network", "counted_address", "is_here", "is_within", "read_networks"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_OWN_BITS = 64


@lru_cache(maxsize=4096)
def counted_address(host: str) -> str:
    """The address that a client is counted by: of IPv6, whoever has one has its whole /64."""
    address = _read(host)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(address), _OWN_BITS), strict=False))
    return host if address is None else str(address)


def is_here(host: str) -> bool:
    """Whether it is an address of this machine to itself: all its programs and users share it."""
    address = _read(host)
    return address is not None and address.is_loopback


def is_within(host: str, networks: Iterable[Network]) -> bool:
    """Whether an address is of one of some networks."""
    address = _read(host)
    return address is not None and any(address in network for network in networks)


def read_networks(texts: Iterable[str]) -> frozenset[Network]:
    """Addresses, and networks such as 10.0.0.0/8.

    Raises:
        SettingsError: if one is neither.
    """
    return frozenset(map(_network, texts))


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise SettingsError(
            f"--proxy {text}: {error}: name an address, or a network such as 10.0.0.0/8"
        ) from error


def _read(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
