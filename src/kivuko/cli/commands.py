"""Which commands there are and which module holds each. The modules are imported when their command is called."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from kivuko.cli.arguments import Option
    from kivuko.cli.call import Call

__all__ = ["COMMANDS", "Command", "Entry", "find", "load"]


class Entry(NamedTuple):
    """A line of the table: the words that call a command, its module, the form of its arguments and what it does in one line."""

    words: tuple[str, ...]
    module: str
    usage: str
    summary: str
    hidden: bool = False


class Command(NamedTuple):
    """What a command's module offers under the name ``COMMAND``.

    ``needs`` is how many words must follow; ``takes`` how many may (None = any number). ``name`` is the word of error lines.
    ``nothing`` is what the document of ``--json`` holds besides exit and error when the command fails before it has done anything.
    """

    name: str
    run: Callable[[Call], int]
    options: tuple[Option, ...]
    needs: int = 0
    takes: int | None = 0
    about: str = ""
    examples: tuple[str, ...] = ()
    log_level: str = "default"
    versions: bool = False
    nothing: Mapping[str, object] = MappingProxyType({})


COMMANDS = (
    Entry(("execute",), "execute", "execute <path>", "Run a job (.js) or a workflow (.json, .yaml); the default command"),
    Entry(("compile",), "compile", "compile [path]", "Print or write what a job or workflow compiles to"),
    Entry(("test",), "selftest", "test", "Run a small built-in workflow to see that everything works"),
    Entry(("docs",), "docs", "docs <adaptor> [operation]", "Show the operations of an adaptor, or explain one"),
    Entry(("docgen",), "docgen", "docgen <adaptor>", "Make the documentation file of an adaptor", hidden=True),
    Entry(("metadata",), "metadata", "metadata -a <adaptor> -s <state>", "Ask a system, through its adaptor, what it holds"),
    Entry(("repo", "list"), "repo_list", "repo list", "Show the adaptors that are installed"),
    Entry(("repo", "install"), "repo_install", "repo install [packages…]", "Install adaptors and other npm packages"),
    Entry(("repo", "clean"), "repo_clean", "repo clean", "Remove everything that is installed"),
    Entry(("repo",), "repo_list", "repo", "Short for repo list", hidden=True),
    Entry(("install",), "repo_install", "install [packages…]", "Short for repo install"),
    Entry(("version",), "version", "version", "Show the versions of the parts"),
    Entry(("doctor",), "doctor", "doctor", "Check this machine and say how to mend what is wrong"),
    Entry(("challenges", "serve"), "challenges_serve", "challenges serve", "Serve the data of the six challenges on this machine"),
    Entry(("challenges", "check"), "challenges_check", "challenges check [numbers…]", "Grade your solutions of the six challenges"),
    Entry(("adaptor", "new"), "adaptor_new", "adaptor new <name>", "Start a JavaScript adaptor of your own"),
    Entry(("adaptor", "test"), "adaptor_test", "adaptor test [folder]", "Load an adaptor and run its tests"),
    Entry(("serve",), "serve", "serve [project.yaml]", "Start the platform, or serve one project file"),
    Entry(("worker",), "worker", "worker [url]", "Execute work of a server on this machine"),
    Entry(("migrate",), "migrate", "migrate", "Bring the database of a server up to date, or move it to PostgreSQL"),
    Entry(("keys", "rotate"), "keys_rotate", "keys rotate", "Encrypt the stored secrets of a server with a new key"),
    Entry(("keys", "accept"), "keys_accept", "keys accept", "Take changed secrets as those of all servers of a PostgreSQL database"),
    Entry(("help",), "help", "help [command]", "Show this, or the help of a command"),
)


def find(words: tuple[str, ...]) -> Entry | None:
    """The command whose words ``words`` begins with; the longest one wins. None when there is none."""
    fitting = [entry for entry in COMMANDS if words[: len(entry.words)] == entry.words]
    return max(fitting, key=lambda entry: len(entry.words), default=None)


def load(entry: Entry) -> Command:
    """Import the module of a command."""
    command: Command = importlib.import_module(f"kivuko.cli.{entry.module}").COMMAND
    return command
