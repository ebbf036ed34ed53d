"""Bounds on connections, as a server is started with them."""

from dataclasses import dataclass

from serving.access.addresses import Network

__all__ = ["ConnectionLimits"]


@dataclass(frozen=True)
class ConnectionLimits:
    """What clients may ask for before the API sees a request.

    Attributes:
        max_connections: open at a time; more get 503.
        max_per_address: of one address, or of one /64 of IPv6; more get 429. Named proxies have no
            such limit.
        head_s: seconds in which a request's line and headers must come; else 408.
        head_bytes: of these; more get 431.
        rest_s: seconds in which the rest of a body must come once its request is answered. A
            connection that is reset at once takes the answer with it.
        rest_bytes: of this rest; more is not waited for.
        stall_s: seconds for which a client may take nothing of its answer.
        proxies: addresses and networks of proxies.
    """

    max_connections: int = 512
    max_per_address: int = 128
    head_s: float = 15.0
    head_bytes: int = 1 << 16
    rest_s: float = 15.0
    rest_bytes: int = 1 << 23
    stall_s: float = 120.0
    proxies: frozenset[Network] = frozenset()
