"""Which addresses are private: of this machine, or of a network that is not public."""

import ipaddress

__all__ = ["is_private"]

# Python 3.11 and 3.13 do not agree on all of it.
_PROTOCOLS = ipaddress.ip_network("192.0.0.0/24")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_private(address: str) -> bool:
    """Whether an address is of this machine or of a network that is not public.

    IPv6 addresses that stand for an IPv4 one (mapped, 6to4, Teredo, NAT64) are what that one is.
    """
    found: _Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        last = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if found in _NAT64:
            return not _is_public(last)
        inner = [found.ipv4_mapped, found.sixtofour, *(found.teredo or ())]
        if any(each is not None and not _is_public(each) for each in inner):
            return True
    return not _is_public(found)


def _is_public(address: _Address) -> bool:
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and address not in _PROTOCOLS
    )
