"""The step cache and its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from kivuko.cli.step_cache import StepCache
from kivuko.errors import InputError


def test_outputs_are_kept_by_workflow_and_step(tmp_path: Path) -> None:
    cache = StepCache.beside(tmp_path, "My nice flow")
    cache.clear()
    cache.write("step one", b'{"data":1}')
    assert (tmp_path / ".cli-cache/My-nice-flow/step-one.json").read_bytes() == b'{"data":1}'
    assert (tmp_path / ".cli-cache/.gitignore").read_text() == "*\n"
    assert cache.read("step one") == b'{"data":1}'
    assert cache.read("other") is None


def test_clearing_removes_what_was_kept(tmp_path: Path) -> None:
    cache = StepCache.beside(tmp_path, "wf")
    cache.clear()
    cache.write("a", b"{}")
    cache.clear()
    assert cache.read("a") is None


def test_only_the_steps_that_are_named_are_cleared(tmp_path: Path) -> None:
    cache = StepCache.beside(tmp_path, "wf", ("a", "b"))
    cache.clear()
    for step in ("a", "b"):
        cache.write(step, b"{}")
    cache.clear(["b", "c"])
    assert (cache.read("a"), cache.read("b")) == (b"{}", None)


@pytest.mark.parametrize("name", ["../../etc", "a/b", "..", "a\\b", ""])
def test_no_name_leads_out_of_the_cache(tmp_path: Path, name: str) -> None:
    cache = StepCache.beside(tmp_path, name)
    assert cache.folder.parent == tmp_path / ".cli-cache"
    assert cache.file(name).parent == cache.folder


def test_steps_whose_names_fall_together_have_files_of_their_own(tmp_path: Path) -> None:
    steps = ("a b", "a/b", "a-b", "a-b~2", "fetch")
    cache = StepCache.beside(tmp_path, "wf", steps)
    assert [cache.file(step).name for step in ("a-b", "a-b~2", "fetch")] == ["a-b.json", "a-b~2.json", "fetch.json"]
    for step in steps:
        cache.write(step, step.encode())
    assert [cache.read(step) for step in steps] == [step.encode() for step in steps]


def test_an_output_that_cannot_be_kept_leaves_nothing_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:1])
        raise OSError(28, "No space left on device")

    cache = StepCache.beside(tmp_path, "wf", ("a",))
    cache.clear()
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        cache.write("a", b"{}")
    assert list(cache.folder.iterdir()) == []


def test_a_cache_that_cannot_be_made_says_how_to_go_on(tmp_path: Path) -> None:
    (tmp_path / ".cli-cache").write_text("in the way")
    with pytest.raises(InputError) as problem:
        StepCache.beside(tmp_path, "wf").clear()
    assert "--cache-steps" in problem.value.fix
