"""An adaptor cannot be had."""

from __future__ import annotations

from kivuko.errors.root import KivukoError

__all__ = [
    "AdaptorBroken",
    "AdaptorMissing",
    "AdaptorNotFound",
    "AdaptorProblem",
    "InstallFailed",
    "InvalidSpecifier",
    "RegistryUnreachable",
]


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
