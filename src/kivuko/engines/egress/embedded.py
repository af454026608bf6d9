"""IPv4 addresses inside IPv6 addresses: a filter must judge both."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network

__all__ = ["embedded_ipv4"]

_LAST_32_BITS = tuple(
    IPv6Network(one)
    for one in (
        "::ffff:0:0/96",  # IPv4-mapped, RFC 4291 §2.5.5.2
        "::ffff:0:0:0/96",  # IPv4-translated, RFC 2765
        "::/96",  # IPv4-compatible, RFC 4291 §2.5.5.1; :: and ::1 are none
        "64:ff9b::/96",  # NAT64, RFC 6052
        "64:ff9b:1::/48",  # NAT64 of a network's own, RFC 8215, with the prefix length of 96 that is usual
    )
)
_6TO4 = IPv6Network("2002::/16")  # RFC 3056
_TEREDO = IPv6Network("2001::/32")  # RFC 4380 §4
_ISATAP = (0x00005EFE, 0x02005EFE)  # RFC 5214 §6.1
_32_BITS = 0xFFFFFFFF


def embedded_ipv4(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses that a packet to ``address`` may reach by translation or a tunnel; empty for a plain IPv6 address."""
    number = int(address)
    if number <= 1:
        return ()
    last = IPv4Address(number & _32_BITS)
    if any(address in network for network in _LAST_32_BITS):
        return (last,)
    if address in _6TO4:
        return (IPv4Address(number >> 80 & _32_BITS),)
    if address in _TEREDO:
        return (IPv4Address(number >> 64 & _32_BITS), IPv4Address(number & _32_BITS ^ _32_BITS))
    if number >> 32 & _32_BITS in _ISATAP:
        return (last,)
    return ()
