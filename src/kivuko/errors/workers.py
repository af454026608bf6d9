"""What separates a worker from its server."""

from __future__ import annotations

from kivuko.errors.root import KivukoError

__all__ = ["AttemptGone", "LinkDown", "LinkError", "ServerRefused"]


class LinkError(KivukoError):
    """A worker cannot talk to its server."""

    code = "link"


class LinkDown(LinkError):
    """The connection to the server is gone; whether the last message arrived is not known."""

    code = "link_down"
    may_be_retried = True
    fix = "The worker connects again by itself; look whether the server runs and can be reached."


class AttemptGone(LinkError):
    """The Attempt is no longer this worker's: another one has it, or nobody needs it any more."""

    code = "attempt_gone"
    fix = "Nothing has to be done: whoever has the Attempt now goes on with it."


class ServerRefused(LinkError):
    """The server does not take what a worker reports."""

    code = "server_refused"
    fix = "Update server and worker to versions that go together."
