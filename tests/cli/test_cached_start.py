"""A run from the middle keeps the outputs that it does not write again."""

from __future__ import annotations

from cli.conftest import CommandLine


def steps(kivuko: CommandLine) -> dict[str, object]:
    return {file.stem: kivuko.read(str(file)) for file in (kivuko.folder / ".cli-cache" / "w").glob("*.json")}


def test_the_same_start_works_twice_and_one_step_alone_keeps_the_others(kivuko: CommandLine) -> None:
    jobs = [
        {"id": name, "expression": f"export default [s => ({{...s, {name}: 1}})]", "next": following}
        for name, following in (("a", "b"), ("b", "c"), ("c", None))
    ]
    kivuko.write("w.json", {"workflow": {"name": "w", "steps": jobs}})
    assert kivuko("w.json", "--cache-steps").exit == 0
    before = steps(kivuko)
    assert set(before) == {"a", "b", "c"}
    for words in (("--start", "b"), ("--start", "b"), ("--only", "c")):
        done = kivuko("w.json", "--cache-steps", *words)
        assert (done.exit, "Loaded cached state" in done.out, steps(kivuko)) == (0, True, before)
