"""The socket that the server listens on, bound before anything else, so that a port in use is said at once and the real one is known."""

from __future__ import annotations

import errno
import socket

from kivuko.errors import SettingInvalid

__all__ = ["listen", "url_of"]

_BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises SettingInvalid when the address is none of the machine's or the port is taken."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except socket.gaierror as problem:
        raise SettingInvalid(f"host is {host!r}, which is no address", fix="Use 127.0.0.1, 0.0.0.0 or :: (--host).") from problem
    # The protocol is named, so that asyncio switches Nagle's algorithm off.
    listening = socket.socket(family, kind, protocol or socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as problem:
        listening.close()
        if problem.errno == errno.EADDRINUSE:
            raise SettingInvalid(f"port {port} of {host} is in use by another program", fix="End that one, or choose --port.") from problem
        raise SettingInvalid(
            f"port {port} of {host} cannot be listened on: {problem.strerror}", fix="Choose --host and --port."
        ) from problem
    return listening


def url_of(listening: socket.socket) -> str:
    """The address to open: of a socket that listens everywhere, on this machine."""
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
