"""A sender's request to an inbox or webhook is not taken."""

from __future__ import annotations

from kivuko.errors.root import KivukoError

__all__ = [
    "BodyTooLarge",
    "BodyTooSlow",
    "HeadTooLarge",
    "MalformedBody",
    "MalformedJson",
    "MethodNotAllowed",
    "RateLimited",
    "RequestRefused",
    "ShuttingDown",
    "TriggerDisabled",
    "Unauthenticated",
    "UnknownAddress",
    "UnsupportedMediaType",
    "UnusableBody",
]


class RequestRefused(KivukoError):
    """A request to an inbox or webhook is not taken.

    ``retry_after_s`` says when the same request may be sent again, where that is known.
    """

    code = "request_refused"

    def __init__(self, message: str = "", *, retry_after_s: float | None = None, fix: str = "", details: str = "") -> None:
        super().__init__(message, fix=fix, details=details)
        self.retry_after_s = retry_after_s


class MalformedBody(RequestRefused):
    """The body cannot be read as what its content type says it is."""

    code = "malformed_body"
    fix = "Correct the body, or send the content type that it has."


class MalformedJson(MalformedBody):
    """The body is not JSON."""

    code = "malformed_json"
    fix = "Correct the JSON at the place that the message names; it must be UTF-8."


class HeadTooLarge(RequestRefused):
    """The address and the headers are longer than any request needs."""

    code = "head_too_large"
    fix = "Send what is long in the body."


class BodyTooLarge(RequestRefused):
    """The body is larger than this address takes."""

    code = "too_large"
    fix = "Send less at once, or let an administrator raise the limit."


class UnsupportedMediaType(RequestRefused):
    """The body has a content type or encoding that this address does not take."""

    code = "unsupported_media_type"
    fix = "Send JSON with the header content-type: application/json."


class UnusableBody(RequestRefused):
    """The body can be read, but holds what is never taken."""

    code = "validation_failed"


class BodyTooSlow(RequestRefused):
    """The body did not arrive in time."""

    code = "body_too_slow"
    may_be_retried = True
    fix = "Send it again over a better connection, or in smaller parts."


class Unauthenticated(RequestRefused):
    """The request brings no credentials that this address accepts.

    ``presented`` tells wrong ones from none.
    """

    code = "unauthenticated"
    fix = "Send an x-api-key header or Basic authentication that the project knows."

    def __init__(self, message: str = "", *, presented: bool = False, fix: str = "", details: str = "") -> None:
        super().__init__(message, fix=fix, details=details)
        self.presented = presented


class TriggerDisabled(RequestRefused):
    """The trigger is switched off."""

    code = "trigger_disabled"
    fix = "Switch the trigger on, in its workflow."


class UnknownAddress(RequestRefused):
    """Nothing listens at this address."""

    code = "not_found"
    fix = "Check the address: it is shown on the page of the inbox or the trigger."


class MethodNotAllowed(RequestRefused):
    """This address does not take that method."""

    code = "method_not_allowed"
    fix = "Use POST."


class RateLimited(RequestRefused):
    """More requests came than this address takes."""

    code = "rate_limited"
    may_be_retried = True
    fix = "Send more slowly; the header Retry-After says how long to wait."


class ShuttingDown(RequestRefused):
    """The server is stopping."""

    code = "shutting_down"
    may_be_retried = True
    fix = "Send the request again: another server, or this one after its restart, takes it."
