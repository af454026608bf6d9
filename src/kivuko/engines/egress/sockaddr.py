"""Socket addresses as the kernel reads them (ip(7), ipv6(7))."""

from __future__ import annotations

import errno
import ipaddress
import os
import struct

from kivuko.engines.egress.destinations import Address
from kivuko.value import value

__all__ = ["AF_INET", "AF_INET6", "AF_NETLINK", "AF_UNIX", "AF_UNSPEC", "MAX_SIZE", "SocketAddress", "parse_address"]

AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 0, 1, 2, 10, 16
MAX_SIZE = 128
"""sizeof(struct sockaddr_storage): the kernel refuses longer ones."""

_IPV4_SIZE, _IPV6_SIZE = 8, 24  # without padding and scope


@value
class SocketAddress:
    """A family, and for the internet families an address and a port."""

    family: int
    address: Address | None = None
    port: int = 0


def parse_address(raw: bytes) -> SocketAddress:
    """Read a sockaddr. Raises OSError (EINVAL) when it is too short for its family."""
    if len(raw) < 2:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    (family,) = struct.unpack_from("<H", raw)
    if family == AF_INET and len(raw) >= _IPV4_SIZE:
        return SocketAddress(family, ipaddress.IPv4Address(raw[4:8]), struct.unpack_from(">H", raw, 2)[0])
    if family == AF_INET6 and len(raw) >= _IPV6_SIZE:
        return SocketAddress(family, ipaddress.IPv6Address(raw[8:24]), struct.unpack_from(">H", raw, 2)[0])
    if family in (AF_INET, AF_INET6):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    return SocketAddress(family)
