"""What separates a worker from its server."""

from __future__ import annotations

from kivuko.errors.root import KivukoError

__all__ = ["LinkDown", "LinkError", "LinkRefused"]


class LinkError(KivukoError):
    """A worker cannot talk to its server."""

    code = "link"


class LinkDown(LinkError):
    """The connection to the server is gone; whether the last message arrived is not known."""

    code = "link_down"
    may_be_retried = True
    fix = "The worker connects again by itself; look whether the server runs and can be reached."


class LinkRefused(LinkError):
    """The server does not let this worker in."""

    code = "link_refused"
    fix = "Give worker and server the same WORKER_SECRET."
