"""The options that every command has, and those that several share."""

from __future__ import annotations

from kivuko.cli.arguments import Option

__all__ = ["ADAPTORS", "EXPAND", "JSON", "MONOREPO", "REPO_DIR", "SHARED_OPTIONS", "TRACE", "WORKSPACE"]

SHARED_OPTIONS = (
    Option("log", "How much to print: none, default, info or debug; component=level for cli, compiler, runtime or job", ("l",), "text"),
    Option("log-json", "Print log lines as JSON, one object a line"),
    Option("help", "Show this help", ("h",)),
    Option("version", "Show the version", ("v",)),
)
ADAPTORS = Option(
    "adaptors", "Adaptor of the job: http, http@7.2.10, an npm name, or name=folder; may be repeated", ("a", "adaptor"), "list"
)
REPO_DIR = Option("repo-dir", "Folder of installed adaptors (OPENFN_REPO_DIR, else ~/openfn/repo/cli)", (), "text")
MONOREPO = Option("use-adaptors-monorepo", "Take adaptors from the monorepo in OPENFN_ADAPTORS_REPO", ("m", "monorepo"))
EXPAND = Option("expand-adaptors", "Read http as @openfn/language-http (on; --no-expand-adaptors switches it off)")
JSON = Option("json", "Print one JSON document on standard output, and log lines on standard error")
TRACE = Option("trace", "Explain each step of the compiler", hidden=True)
WORKSPACE = Option("workspace", "Folder that the paths of --credentials start at (OPENFN_WORKSPACE, else the working folder)", (), "text")
