"""The flags of ``execute`` (cli.md §3.1) and what they mean together with the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast

from kivuko.cli.arguments import Option
from kivuko.cli.call import Call
from kivuko.cli.shared import ADAPTORS, EXPAND, JSON, MONOREPO, REPO_DIR, TRACE, WORKSPACE
from kivuko.errors import InputError, OptionInvalid, UsageError
from kivuko.value import value

__all__ = ["EXECUTE_OPTIONS", "WORD_OF_WORKSPACE", "ExecuteOptions", "ignored_names", "path_and_adaptors"]

SanitizePolicy = Literal["none", "remove", "summarize", "obfuscate"]
"""As ``kivuko.runtime.logs``, which is imported while hosts start."""

_POLICIES = ("none", "remove", "summarize", "obfuscate")
WORD_OF_WORKSPACE = (
    "-w has two meanings in OpenFn: --workspace up to 1.37, --workflow from 1.38 on. Write the long form, --workspace or --workflow."
)

EXECUTE_OPTIONS = (
    ADAPTORS,
    Option("state-path", "File with the state to start with (JSON)", ("s",), "text"),
    Option("state-stdin", "The state to start with, as JSON; - reads standard input", ("S",), "text"),
    Option("output-path", "File for the result (output.json beside the job)", ("o",), "text"),
    Option("output-stdout", "Print the result instead of writing a file", ("O",)),
    Option("credentials", "File of credential values by the ids that steps name (JSON or YAML)", ("creds",), "text"),
    Option("start", "Step to start from: an id, or a unique part of an id or name", (), "text"),
    Option("end", "Step to end with", (), "text"),
    Option("only", "Run this step alone", (), "text"),
    Option("cache-steps", "Keep the output of every step in .cli-cache, for --start (OPENFN_ALWAYS_CACHE_STEPS)"),
    Option("timeout", "Milliseconds that a step may take (300000)", ("t",), "number"),
    Option("memory", "Megabytes of memory that jobs may take (500)", (), "number"),
    Option("strict", "Exit with 1 when a step failed (KIVUKO_STRICT)"),
    Option("autoinstall", "Install adaptors that are missing (on; --no-autoinstall switches it off)", ("i",)),
    Option("compile", "Compile jobs (on; --no-compile runs them as they are)"),
    Option("ignore-imports", "Import nothing from adaptors, or leave out these names (a,b)", (), "optional"),
    Option("immutable", "Give each operation its own copy of the state"),
    Option("globals", "File or source of a module whose exports every job sees", (), "text"),
    Option("validate", "Check the structure of the workflow first"),
    Option("sanitize", "What objects look like in logs: none, remove, summarize or obfuscate", ("sanitise",), "text"),
    Option("watch", "Run again whenever the job, workflow or state changes"),
    JSON,
    REPO_DIR,
    MONOREPO,
    EXPAND,
    WORKSPACE,
    Option(
        "apikey", "Token for collections (OPENFN_API_KEY)", ("api-key", "token", "pat", "collections-api-key", "collections-token"), "text"
    ),
    Option("collections-endpoint", "Where collections are (https://app.openfn.org)", ("endpoint", "lightning"), "text"),
    Option("collections-version", "Version of the collections adaptor (latest)", (), "text"),
    Option("skip-adaptor-validation", "Do not warn when no adaptor is given"),
    TRACE,
    Option("expression", "Old form: the job's file, with -l as the adaptor", ("e",), "text", hidden=True),
    Option("w", "", (), "optional", hidden=True),
)


@value
class ExecuteOptions:
    """Flags and variables as typed values. Paths are as they were written; None = not given."""

    path: str
    adaptors: tuple[str, ...]
    workspace: Path
    autoinstall: bool
    compiled: bool
    ignore_imports: bool | frozenset[str]
    immutable: bool
    sanitize: SanitizePolicy
    timeout_ms: int | None
    memory_mb: int
    strict: bool
    cache_steps: bool
    skip_adaptor_validation: bool

    @classmethod
    def of(cls, call: Call) -> ExecuteOptions:
        """Read and check the flags. Raises OptionInvalid (exit 9), UsageError or InputError."""
        given = call.arguments
        if given.has("w"):
            raise OptionInvalid("workspace", WORD_OF_WORKSPACE)
        path, adaptors = path_and_adaptors(call)
        environment = call.environment
        return cls(
            path=path,
            adaptors=adaptors,
            workspace=call.folder / (call.setting("workspace", "OPENFN_WORKSPACE") or "."),
            autoinstall=given.flag("autoinstall", True),
            compiled=given.flag("compile", True),
            ignore_imports=ignored_names(call),
            immutable=given.flag("immutable"),
            sanitize=_policy(given.text("sanitize")),
            timeout_ms=_whole(call, "timeout", least=0),
            memory_mb=_whole(call, "memory", least=64) or 500,
            strict=given.flag("strict", environment.get("KIVUKO_STRICT", "").lower() == "true"),
            cache_steps=given.flag("cache-steps", environment.get("OPENFN_ALWAYS_CACHE_STEPS") == "true"),
            skip_adaptor_validation=given.flag("skip-adaptor-validation"),
        )


def ignored_names(call: Call) -> bool | frozenset[str]:
    """What ``--ignore-imports`` says: everything, some names, or nothing."""
    value = call.arguments.values.get("ignore-imports", False)
    return frozenset(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else bool(value)


def path_and_adaptors(call: Call) -> tuple[str, tuple[str, ...]]:
    """The job's path and the adaptors. Lists take every word up to the next flag, so in ``-a http job.js`` the last word is the path.

    Raises UsageError without a path.
    """
    words, adaptors = list(call.arguments.words), call.arguments.list("adaptors")
    old_form = call.arguments.text("expression")
    if old_form is not None:
        old_adaptor = call.arguments.text("log")
        return old_form, (*adaptors, *([_modern(old_adaptor)] if old_adaptor else []))
    if not words and len(adaptors) > 1 and adaptors[-1].endswith((".js", ".json", ".yaml", ".yml")) and "=" not in adaptors[-1]:
        words.append(adaptors.pop())
    if not words:
        raise UsageError("Not enough non-option arguments: got 0, need at least 1", fix="Name the job or workflow to run.")
    if len(words) > 1:
        call.log.warn(f"Only {words[0]} is run: a second word ({words[1]}) means nothing here")
    return words[0], tuple(adaptors)


def _modern(adaptor: str) -> str:
    """How the adaptor of OpenFn/core's command line is named today: ``language-http``, ``../language-http.Adaptor``."""
    name = adaptor.removesuffix(".Adaptor")
    return f"@openfn/{name}" if name.startswith("language-") else name


def _policy(word: str | None) -> SanitizePolicy:
    if word is None:
        return "none"
    if word not in _POLICIES:
        raise OptionInvalid("sanitize", f"Unknown sanitize value provided: {word}", fix=f"Use one of: {', '.join(_POLICIES)}.")
    return cast("SanitizePolicy", word)


def _whole(call: Call, option: str, *, least: int) -> int | None:
    value = call.arguments.number(option)
    if value is None:
        return None
    if value < least or value != int(value):
        raise InputError(f"Invalid value for --{option}: {value:g}", fix=f"It is a whole number, {least} or more.")
    return int(value)
