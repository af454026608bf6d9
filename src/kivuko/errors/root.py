"""The root of Kivuko's error tree."""

from __future__ import annotations

__all__ = [
    "KivukoError",
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
