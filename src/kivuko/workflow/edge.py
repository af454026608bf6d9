"""An edge: where a workflow may go after a job or a trigger."""

from __future__ import annotations

from collections.abc import Mapping

from kivuko.value import fresh, value

__all__ = ["FAILURE_WORDS", "SUCCESS_WORDS", "Edge"]

SUCCESS_WORDS = frozenset({"on_job_success", "on_upstream_success"})
"""Conditions that hold unless the step just executed failed (OpenFn's words)."""

FAILURE_WORDS = frozenset({"on_job_failure", "on_upstream_fail"})
"""Conditions that hold if the step just executed failed (OpenFn's words)."""


@value
class Edge:
    """A link to ``target``, the id of a job or a trigger.

    ``condition`` is True (always followed, also after a failure), False (never), a text (one of OpenFn's words, or JavaScript over
    ``state``), or None where a plan holds something that is no condition; validation refuses the last. ``extra`` keeps the keys that
    mean nothing here, so that a plan can be written as it was read. ``failure_input`` says what an edge for failures hands on: ``initial``,
    the input of the job that failed, or ``at_error``, the state in which it failed (also None).
    """

    target: str
    condition: str | bool | None = True
    label: str | None = None
    disabled: bool = False
    extra: Mapping[str, object] = fresh(factory=dict)
    failure_input: str | None = None

    @property
    def may_be_followed(self) -> bool:
        """Whether anything can make a workflow follow this edge."""
        return not self.disabled and bool(self.word)

    @property
    def word(self) -> str | bool | None:
        """The condition without the white space around a text, and without words that say True or False."""
        if not isinstance(self.condition, str):
            return self.condition
        text = self.condition.strip()
        return {"always": True, "never": False, "true": True, "false": False, "": False}.get(text, text)

    @property
    def is_for_failure(self) -> bool:
        """Whether the edge is there for a failure and for nothing else."""
        return not self.disabled and self.word in FAILURE_WORDS
