"""The three policies that Kivuko offers (engine.md §12.1)."""

from __future__ import annotations

from kivuko.engines.run import EgressPolicy

__all__ = ["LINK_LOCAL", "LOOPBACK", "METADATA", "MULTI_TENANT", "OPEN", "PRIVATE", "SELF_HOSTED"]

LINK_LOCAL = ("169.254.0.0/16", "fe80::/10")
"""Where most clouds answer with the credentials of the machine (169.254.169.254, and 169.254.170.2 for tasks)."""

METADATA = (
    "fd00:ec2::/32",  # AWS: instance metadata ::254, pod identity ::23
    "fd20:ce::254/128",  # Google Cloud
    "fd00:a9fe:a9fe::/48",  # Akamai (Linode)
    "fd00:42::42/128",  # Scaleway
    "100.100.100.200/32",  # Alibaba Cloud
    "168.63.129.16/32",  # Azure, the virtual host's own service
    "192.0.0.192/32",  # Oracle Cloud Classic
)
"""Metadata services outside link-local, in ranges that are otherwise open. From memory of the providers' documentation; not complete."""

LOOPBACK = ("127.0.0.0/8", "0.0.0.0/8", "::1/128", "::/128")
"""This machine. Linux connects 0.0.0.0 and :: to it."""

PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10")
"""Networks of the operator (RFC 1918, RFC 6598, RFC 4193, RFC 3879)."""

OPEN = EgressPolicy()
"""The command line: a person's own program on their own network."""

SELF_HOSTED = EgressPolicy(blocked=LINK_LOCAL + METADATA, unix_sockets=False)
"""A server of one organisation: everything but the machine's own credentials."""

MULTI_TENANT = EgressPolicy(blocked=LINK_LOCAL + METADATA + LOOPBACK + PRIVATE, unix_sockets=False)
"""A server for people who do not know each other: only the public network."""
