"""What a person gave cannot be used: files, flags, workflows."""

from __future__ import annotations

from kivuko.errors.root import KivukoError

__all__ = [
    "CircularDependency",
    "DataFolderRefused",
    "FileMissing",
    "InputError",
    "InvalidJson",
    "InvalidKey",
    "OptionInvalid",
    "PlanError",
    "SettingInvalid",
    "UnknownStart",
    "UnknownTarget",
    "UsageError",
]


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


class SettingInvalid(InputError):
    """A setting of the server is not known, or has a value that it cannot have."""

    code = "setting_invalid"


class DataFolderRefused(InputError):
    """The server's data folder cannot be used."""

    code = "data_folder_refused"


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
