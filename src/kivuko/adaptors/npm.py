"""npm as the store uses it: look a version up, install into a folder. One npm process per call."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from kivuko.adaptors.toolchain import child_environment
from kivuko.errors import AdaptorNotFound, AdaptorProblem, InstallFailed, InvalidSpecifier, RegistryUnreachable
from kivuko.value import fresh, value

__all__ = ["Npm", "PackageManager"]

_UNREACHABLE = frozenset(
    {
        "ENOTFOUND",
        "EAI_AGAIN",
        "ECONNREFUSED",
        "ECONNRESET",
        "ETIMEDOUT",
        "ENETUNREACH",
        "EHOSTUNREACH",
        "ENOTCACHED",
        "ERR_SOCKET_TIMEOUT",
        "FETCH_ERROR",
        "EIDLETIMEOUT",
        "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
        "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
        "SELF_SIGNED_CERT_IN_CHAIN",
        "DEPTH_ZERO_SELF_SIGNED_CERT",
        "CERT_HAS_EXPIRED",
        "E500",
        "E502",
        "E503",
        "E504",
        "E429",
    }
)
_WANTED = re.compile(r"No matching version found for (\S+?)\.(?:\s|$)|resource '([^']+)' could not")


class PackageManager(Protocol):
    """Where packages come from."""

    def view(self, name: str, wanted: str) -> str:
        """The exact version that a tag or range stands for now. Raises AdaptorNotFound, RegistryUnreachable, InstallFailed."""

    def install(self, folder: Path, *, nested: bool = False) -> None:
        """Installs what the folder's package.json asks for. Raises AdaptorNotFound, RegistryUnreachable, InstallFailed."""

    def install_locked(self, folder: Path) -> None:
        """Installs exactly what the folder's package-lock.json says. Raises RegistryUnreachable, InstallFailed."""


@value
class Npm:
    """The npm of a Node installation. ``node`` is the binary, ``script`` npm's own entry file."""

    node: Path
    script: Path
    environment: Mapping[str, str] = fresh(factory=dict)

    @classmethod
    def beside(cls, node: Path) -> Npm:
        """The npm that came with a Node: ``../lib/node_modules`` of its folder, or beside the binary on Windows."""
        real = node.resolve()
        places = [real.parent.parent / "lib", real.parent]
        scripts = [place / "node_modules" / "npm" / "bin" / "npm-cli.js" for place in places]
        return cls(node, next((script for script in scripts if script.is_file()), scripts[0]))

    def view(self, name: str, wanted: str) -> str:
        """See PackageManager."""
        text = self._run(["view", f"{name}@{wanted}", "version", "--json"], Path.cwd())
        try:
            answer = json.loads(text)
        except ValueError:
            answer = None
        if isinstance(answer, list) and answer:
            answer = answer[-1]
        if not isinstance(answer, str):
            raise AdaptorNotFound(f"The npm registry has no version of {name} that matches {wanted!r}.")
        return answer

    def install(self, folder: Path, *, nested: bool = False) -> None:
        """See PackageManager."""
        flags = ["--install-strategy=nested"] if nested else []
        self._run(["install", "--ignore-scripts", "--no-package-lock", "--omit=dev", *flags, *_QUIET], folder)

    def install_locked(self, folder: Path) -> None:
        """See PackageManager."""
        self._run(["ci", "--ignore-scripts", *_QUIET], folder)

    def _run(self, arguments: Sequence[str], folder: Path) -> str:
        command = [str(self.node), str(self.script), *arguments]
        try:
            done = subprocess.run(
                command, cwd=folder, env=self._environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
            )
        except OSError as error:
            raise InstallFailed(f"npm cannot be started: {error}", fix="Check the Node.js installation with `kivuko doctor`.") from error
        if done.returncode != 0:
            raise _problem(done.stdout, done.stderr)
        return done.stdout

    def _environment(self) -> dict[str, str]:
        inherited = child_environment()
        # npm starts programs by name (node-gyp, git); they must find the Node that runs npm.
        path = os.pathsep.join([str(self.node.parent), inherited.get("PATH", os.defpath)])
        return {**inherited, **self.environment, "PATH": path}


_QUIET = ("--no-audit", "--no-fund", "--json", "--loglevel=error", "--no-update-notifier")


def _problem(stdout: str, stderr: str) -> AdaptorProblem:
    code, summary, detail = _report(stdout)
    words = "\n".join(part for part in (summary, detail) if part) or stderr.strip()[-2000:]
    if code in {"ETARGET", "E404", "ENOVERSIONS"}:
        return AdaptorNotFound(f"The npm registry does not have {_wanted(summary, detail)}.", details=words)
    if code == "EINVALIDPACKAGENAME" or code == "EINVALIDTAGNAME":
        return InvalidSpecifier(f"npm refuses the name: {summary}", details=words)
    if code in _UNREACHABLE:
        return RegistryUnreachable(f"The npm registry does not answer ({code}).", details=words)
    if code == "ENOSPC":
        return InstallFailed("The disk is full.", fix="Make room on the disk of the repo folder, then install again.", details=words)
    if code in {"EACCES", "EPERM", "EROFS"}:
        return InstallFailed(
            f"npm may not write: {summary or code}", fix="Check the rights of the repo folder and npm's cache.", details=words
        )
    return InstallFailed(f"npm failed{f' ({code})' if code else ''}: {summary or _last_line(stderr)}", details=words)


def _report(stdout: str) -> tuple[str, str, str]:
    start = stdout.find("{")
    try:
        error = json.loads(stdout[start:])["error"]
        return str(error.get("code") or ""), str(error.get("summary") or ""), str(error.get("detail") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", "", ""


def _wanted(summary: str, detail: str) -> str:
    match = _WANTED.search(f"{summary}\n{detail}")
    return (match.group(1) or match.group(2)) if match else summary or "what was asked for"


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no message"
