"""Kivuko's error tree.

    KivukoError
    ├── InputError             a file, flag or text that a person gave cannot be used
    │   ├── FileMissing
    │   ├── InvalidJson
    │   ├── UsageError         a command line cannot be understood
    │   ├── SettingInvalid     a setting of the server is not known, or has a value that it cannot have
    │   ├── DataFolderRefused  the server's data folder cannot be used
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
    ├── AskingRefused          the platform does not do what a person or program asks of it
    │   ├── ValidationFailed
    │   ├── ObjectMissing
    │   ├── Conflict
    │   ├── AlreadyFinished
    │   ├── IdempotencyConflict
    │   ├── ChangedMeanwhile
    │   ├── Forbidden
    │   ├── TokenExpired
    │   ├── MalformedCursor
    │   └── SecretUnreadable
    ├── LinkError              a worker cannot talk to its server
    │   ├── LinkDown
    │   ├── AttemptGone
    │   └── ServerRefused
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

from kivuko.errors.adaptors import (
    AdaptorBroken,
    AdaptorMissing,
    AdaptorNotFound,
    AdaptorProblem,
    InstallFailed,
    InvalidSpecifier,
    RegistryUnreachable,
)
from kivuko.errors.asking import (
    AlreadyFinished,
    AskingRefused,
    ChangedMeanwhile,
    Conflict,
    Forbidden,
    IdempotencyConflict,
    MalformedCursor,
    ObjectMissing,
    SecretUnreadable,
    TokenExpired,
    ValidationFailed,
)
from kivuko.errors.compiling import (
    CompileError,
    JobSyntaxError,
    LazyStateError,
    SourceTooLarge,
)
from kivuko.errors.engine import (
    EngineClosed,
    EngineError,
    HostFailed,
    NodeMissing,
)
from kivuko.errors.input import (
    CircularDependency,
    DataFolderRefused,
    FileMissing,
    InputError,
    InvalidJson,
    InvalidKey,
    OptionInvalid,
    PlanError,
    SettingInvalid,
    UnknownStart,
    UnknownTarget,
    UsageError,
)
from kivuko.errors.records import (
    BodyWiped,
    MoveRefused,
    RecordMissing,
    RecordsError,
    RecordsUnavailable,
    StaleClaim,
    TooSoon,
)
from kivuko.errors.requests import (
    BodyTooLarge,
    BodyTooSlow,
    HeadTooLarge,
    MalformedBody,
    MalformedJson,
    MethodNotAllowed,
    RateLimited,
    RequestRefused,
    ShuttingDown,
    TriggerDisabled,
    Unauthenticated,
    UnknownAddress,
    UnsupportedMediaType,
    UnusableBody,
)
from kivuko.errors.root import (
    KivukoError,
)
from kivuko.errors.workers import AttemptGone, LinkDown, LinkError, ServerRefused

__all__ = [
    "AdaptorBroken",
    "AdaptorMissing",
    "AdaptorNotFound",
    "AdaptorProblem",
    "AlreadyFinished",
    "AskingRefused",
    "AttemptGone",
    "BodyTooLarge",
    "BodyTooSlow",
    "BodyWiped",
    "ChangedMeanwhile",
    "CircularDependency",
    "CompileError",
    "Conflict",
    "DataFolderRefused",
    "EngineClosed",
    "EngineError",
    "FileMissing",
    "Forbidden",
    "HeadTooLarge",
    "HostFailed",
    "IdempotencyConflict",
    "InputError",
    "InstallFailed",
    "InvalidJson",
    "InvalidKey",
    "InvalidSpecifier",
    "JobSyntaxError",
    "KivukoError",
    "LazyStateError",
    "LinkDown",
    "LinkError",
    "MalformedBody",
    "MalformedCursor",
    "MalformedJson",
    "MethodNotAllowed",
    "MoveRefused",
    "NodeMissing",
    "ObjectMissing",
    "OptionInvalid",
    "PlanError",
    "RateLimited",
    "RecordMissing",
    "RecordsError",
    "RecordsUnavailable",
    "RegistryUnreachable",
    "RequestRefused",
    "SecretUnreadable",
    "ServerRefused",
    "SettingInvalid",
    "ShuttingDown",
    "SourceTooLarge",
    "StaleClaim",
    "TokenExpired",
    "TooSoon",
    "TriggerDisabled",
    "Unauthenticated",
    "UnknownAddress",
    "UnknownStart",
    "UnknownTarget",
    "UnsupportedMediaType",
    "UnusableBody",
    "UsageError",
    "ValidationFailed",
]
