"""What people and programs ask of the platform, and cannot have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kivuko.errors.root import KivukoError

__all__ = [
    "AlreadyFinished",
    "AskingRefused",
    "ChangedMeanwhile",
    "Conflict",
    "Forbidden",
    "IdempotencyConflict",
    "MalformedCursor",
    "ObjectMissing",
    "SecretUnreadable",
    "TokenExpired",
    "ValidationFailed",
]


class AskingRefused(KivukoError):
    """The platform does not do what was asked of it."""

    code = "asking_refused"


class ValidationFailed(AskingRefused):
    """What was written is not valid.

    ``errors`` maps a path (``triggers.0.cron_expression``) to sentences about it; the empty path is the whole.
    """

    code = "values_refused"
    fix = "Correct the fields that `errors` names."

    def __init__(self, message: str = "", *, errors: Mapping[str, Sequence[str]] | None = None, fix: str = "", details: str = "") -> None:
        self.errors = {path: list(sentences) for path, sentences in (errors or {}).items()}
        first = next((f"{path}: {sentences[0]}" if path else sentences[0] for path, sentences in self.errors.items() if sentences), "")
        super().__init__(message or first, fix=fix, details=details)


class ObjectMissing(AskingRefused):
    """There is nothing with this id, or nothing that you may see."""

    code = "object_missing"
    fix = "Check the id, and that you are a member of its project."


class Conflict(AskingRefused):
    """What was asked contradicts what is there."""

    code = "conflict"


class AlreadyFinished(AskingRefused):
    """What was to be stopped has ended."""

    code = "already_finished"


class IdempotencyConflict(AskingRefused):
    """This Idempotency-Key was used for something else, or its first request is still under way.

    ``retry_after_s`` is set in the second case.
    """

    code = "idempotency_conflict"
    fix = "Use a new key for a new request."

    def __init__(self, message: str = "", *, retry_after_s: float | None = None, fix: str = "", details: str = "") -> None:
        super().__init__(message, fix=fix, details=details)
        self.retry_after_s = retry_after_s


class ChangedMeanwhile(AskingRefused):
    """Somebody else has changed this since you read it.

    ``current`` is how it is now, as JSON values, where whoever raises it knows.
    """

    code = "changed_meanwhile"
    fix = "Look at `current`, apply your change to that, and send its lock_version."

    def __init__(self, message: str = "", *, current: Mapping[str, object] | None = None, fix: str = "", details: str = "") -> None:
        super().__init__(message, fix=fix, details=details)
        self.current = current


class Forbidden(AskingRefused):
    """Your role does not allow this."""

    code = "forbidden"
    fix = "Ask an administrator of the project."


class TokenExpired(AskingRefused):
    """The token is past its time."""

    code = "token_expired"
    fix = "Make a new token."


class MalformedCursor(AskingRefused):
    """The cursor is none that this list has given."""

    code = "malformed_cursor"
    fix = "Use next_cursor as it came, with the same filters; leave it away to begin at the newest."


class SecretUnreadable(AskingRefused):
    """A secret that is stored encrypted cannot be read."""

    code = "secret_unreadable"
    fix = "Start the server with the keys that it had before: KIVUKO_ENCRYPTION_KEYS=new,old. Or enter the secret again."
