"""Plans made ready once a snapshot, with adaptors that are installed when they are missing."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from kivuko.adaptors import Notice, Specifier
from kivuko.engines import ModuleFiles
from kivuko.errors import InstallFailed, PlanError, RegistryUnreachable
from kivuko.runtime import AttemptSettings
from kivuko.worker.programs import Programs
from worker.test_plan import ONE, TWO, plan

HTTP = "@openfn/language-http"


class Shelf:
    """A repo without npm: adaptors are "installed" when they are asked for."""

    def __init__(self) -> None:
        self.resolved: list[tuple[str, bool]] = []
        self.installed: set[str] = set()
        self.fails: RegistryUnreachable | None = None
        self.held = threading.Event()
        self.held.set()

    def resolve(self, specifier: Specifier, *, install: bool, progress: Any) -> Any:
        """An adaptor."""
        self.held.wait(20)
        if self.fails:
            raise self.fails
        self.resolved.append((str(specifier), install))
        if str(specifier) not in self.installed:
            progress(Notice("installed", f"Installed {specifier}", "success", specifier.name, specifier.version))
            self.installed.add(str(specifier))
        files = ModuleFiles(specifier.name, f"{specifier.name}@1.0.0", "bundle", "/store/http")
        return SimpleNamespace(files=files, exports=("fn", "get"))


class Judge:
    """An engine that accepts every script."""

    def check(self, *_: object, **__: object) -> None:
        """Fine."""

    check_condition = check


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def programs(shelf: Shelf) -> Programs:
    return Programs(Judge(), shelf, install=True)  # type: ignore[arg-type]


SETTINGS = AttemptSettings(project="p", one_host=False)


def get(programs: Programs, snapshot: str = "s1", document: Mapping[str, object] | None = None, said: list[str] | None = None) -> Any:
    """A program."""
    told = said if said is not None else []
    return programs.get(snapshot, document or plan(), SETTINGS, lambda level, text: told.append(f"{level}: {text}"))


def test_a_snapshot_is_prepared_once_and_starts_anywhere(programs: Programs, shelf: Shelf) -> None:
    said: list[str] = []
    first = get(programs, said=said)
    assert get(programs) is first
    assert shelf.resolved == [(f"{HTTP}@7.0.0", True)]
    assert said == [f"info: Installed {HTTP}@7.0.0"]
    assert first.starting_at(TWO).plan.start == TWO
    assert first.starting_at(ONE).jobs is first.program.jobs
    assert get(programs, "s2") is not first


def test_those_who_need_the_same_one_wait_for_the_same_work(programs: Programs, shelf: Shelf) -> None:
    shelf.held.clear()
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(get, programs) for _ in range(4)]
        shelf.held.set()
        found = {id(each.result(20)) for each in waiting}
    assert (len(found), len(shelf.resolved)) == (1, 1)


def test_what_could_not_be_installed_is_told_and_tried_again_next_time(programs: Programs, shelf: Shelf) -> None:
    shelf.fails = RegistryUnreachable("The registry does not answer", details="npm said no")
    with pytest.raises(InstallFailed) as caught:
        get(programs)
    assert caught.value.message == f"Error installing {HTTP}@7.0.0: The registry does not answer\nnpm said no"
    shelf.fails = None
    assert get(programs).program.jobs[ONE].fault is None


@pytest.mark.parametrize(
    "adaptor", ["@openfn/language-http=/srv/adaptors/http", "/srv/adaptors/http", "../http"], ids=["named", "bare", "relative"]
)
def test_a_plan_cannot_name_a_folder_of_the_workers_machine(programs: Programs, shelf: Shelf, adaptor: str) -> None:
    with pytest.raises(InstallFailed, match="names a folder"):
        get(programs, document=plan(jobs=[{"id": ONE, "body": "fn(s => s)", "adaptor": adaptor}, {"id": TWO, "body": "fn(s => s)"}]))
    assert shelf.resolved == []


def test_a_job_that_is_no_program_has_its_fault_and_others_none(programs: Programs) -> None:
    jobs = [{"id": ONE, "body": "fn(s => {{ ("}, {"id": TWO, "body": "fn(s => s)"}]
    found = get(programs, document=plan(jobs=jobs)).program
    fault = found.jobs[ONE].fault
    assert fault is not None
    assert (fault.name, found.jobs[TWO].fault) == ("CompileError", None)


def test_a_structure_that_is_wrong_is_refused(programs: Programs) -> None:
    edges = [{"source_job_id": ONE, "target_job_id": TWO}, {"source_job_id": TWO, "target_job_id": ONE}]
    with pytest.raises(PlanError, match="Circular"):
        get(programs, document=plan(edges=edges))


def test_without_a_snapshot_nothing_is_kept(programs: Programs) -> None:
    assert get(programs, "") is not get(programs, "")
