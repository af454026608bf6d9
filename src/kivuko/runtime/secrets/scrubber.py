"""Taking secrets out of everything that people or records get to see."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from kivuko.engines.run import LogLine, RunError
from kivuko.runtime.secrets.forms import forms_of
from kivuko.runtime.secrets.values import logins, secret_values
from kivuko.value import replace

__all__ = ["MASK", "Scrubber"]

MASK = "****"
"""What stands in the place of a secret, as in OpenFn's logs."""


class Scrubber:
    """Replaces the secrets of some credentials, in every form of them, by ``****``. Without secrets it costs nothing."""

    def __init__(self, forms: Iterable[str] = ()) -> None:
        self.forms = tuple(forms)
        """The texts that are hidden, longest first."""

    @classmethod
    def of(cls, configurations: Iterable[tuple[object, Mapping[str, object] | None]]) -> Scrubber:
        """A scrubber for configurations, each with the schema of its adaptor or None."""
        known = [(configuration, schema) for configuration, schema in configurations if configuration]
        secrets = {value for configuration, schema in known for value in secret_values(configuration, schema)}
        pairs = {login for configuration, _ in known for login in logins(configuration) if login[1] in secrets}
        return cls(forms_of(secrets, pairs))

    def text(self, text: str) -> str:
        """The text without secrets."""
        for form in self.forms:
            if form in text:
                text = text.replace(form, MASK)
        return text

    def value(self, value: object) -> object:
        """A JSON value without secrets, in keys and values; the same object when it has none."""
        if not self.forms or not isinstance(value, str | dict | list | tuple):
            return value
        if isinstance(value, str):
            return self.text(value)
        written = json.dumps(value, ensure_ascii=False)
        return self._copy(value) if any(form in written for form in self.forms) else value

    def line(self, line: LogLine) -> LogLine:
        """A log line without secrets."""
        if not self.forms:
            return line
        text = None if line.text is None else tuple(None if part is None else self.text(part) for part in line.text)
        return replace(line, message=tuple(self.value(part) for part in line.message), text=text)

    def error(self, error: RunError) -> RunError:
        """An error without secrets: message, report, stack, source line, fix and details."""
        if not self.forms:
            return error
        report = self.value(dict(error.report))
        return replace(
            error,
            message=self.text(error.message),
            report=report if isinstance(report, dict) else {},
            src=None if error.src is None else self.text(error.src),
            stack=self.text(error.stack),
            fix=self.text(error.fix),
            details=self.value(error.details),
        )

    def _copy(self, value: object) -> object:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(key)): self._copy(item) for key, item in value.items()}
        return [self._copy(item) for item in value] if isinstance(value, list | tuple) else value
