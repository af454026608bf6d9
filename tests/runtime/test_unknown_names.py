"""A name that nobody declares: what the person can do."""

from __future__ import annotations

import pytest

from kivuko.engines import RunError
from kivuko.runtime.unknown_names import with_advice

EXPORTS = ("fn", "fnIf", "get", "post", "each")


def advice(message: str, exports: tuple[str, ...] = EXPORTS) -> str:
    return with_advice(RunError("RuntimeCrash", "crash", message), exports).fix


def test_a_name_near_an_export_is_asked_after() -> None:
    assert advice("ReferenceError: fnn is not defined") == "Did you mean fn or fnIf?"
    assert advice("ReferenceError: pots is not defined") == "Did you mean post?"


def test_a_name_that_no_adaptor_has_is_said_to_be_so() -> None:
    assert advice("ReferenceError: patients is not defined").startswith("The step's adaptors do not export it")


def test_a_name_of_node_or_of_browsers_is_told_with_what_to_use_instead() -> None:
    assert advice("ReferenceError: process is not defined").startswith("process is not there in a job: use state.configuration")
    assert "Buffer.from(text).toString('base64')" in advice("ReferenceError: btoa is not defined")
    assert advice("ReferenceError: fetch is not defined", ("batch",)).startswith("fetch is not there in a job")


def test_an_import_in_the_middle_of_a_job_is_told_where_imports_belong() -> None:
    said = advice("TypeError: A dynamic import callback was not specified.")
    assert said.startswith("import() is not there in a job: use import … from '…' at the top")


def test_a_step_without_an_adaptor_is_told_to_name_one() -> None:
    assert advice("ReferenceError: get is not defined", ()) == (
        "The step has no adaptor, and the job does not declare it: name an adaptor that has get, or declare it."
    )


@pytest.mark.parametrize("message", ["ReferenceError: mine", "TypeError: x is not defined", "Cannot access 'a' before initialization"])
def test_other_errors_stay_as_they_are(message: str) -> None:
    error = RunError("RuntimeCrash", "crash", message)
    assert with_advice(error, EXPORTS) is error


def test_advice_that_is_there_is_kept() -> None:
    error = RunError("RuntimeCrash", "crash", "ReferenceError: fnn is not defined", fix="mine")
    assert with_advice(error, EXPORTS) is error
