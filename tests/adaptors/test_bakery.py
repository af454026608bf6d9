"""Loading an adaptor at its installation: it can do nothing but answer (engine.md §11)."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

import kivuko.adaptors
import kivuko.engines
from kivuko.adaptors.bakery import Baked, Bakery, _read
from kivuko.adaptors.workshop import HOST_FLAGS
from kivuko.engines import find_node
from kivuko.engines.sandbox import Layer, available_layers
from kivuko.errors import AdaptorBroken

from .conftest import write
from .test_loader import bundle, script, toy_bundle

LOADER = Path(kivuko.engines.__file__).parent / "javascript" / "loader.js"
BAKE = Path(kivuko.adaptors.__file__).parent / "bundler" / "bake.js"
OPEN_FLAGS = (*HOST_FLAGS, "--allow-fs-read=*", "--allow-fs-write=*", "--allow-child-process")
"""Node itself permits everything: what is left is what the operating system refuses."""
confined = pytest.mark.skipif(
    not {Layer.LANDLOCK, Layer.SECCOMP, Layer.CONNECT_WATCH} <= available_layers(), reason="this machine lacks layers of the sandbox"
)


def bake(module: dict[str, str], readable: Path, *, flags: tuple[str, ...] = HOST_FLAGS, time_limit_s: float = 60) -> Baked:
    parts = json.loads(Path(module["file"]).read_text())["scripts"] if module["form"] == "bundle" else []
    bakery = Bakery(find_node(), flags, (str(BAKE), str(LOADER)), time_limit_s)
    return bakery.bake(module, [str(readable), str(BAKE.parent), str(LOADER.parent)], scripts=[part["file"] for part in parts])


def folder_with(folder: Path, code: str) -> dict[str, str]:
    write(folder, {"package.json": '{"name": "x", "type": "module"}', "index.js": code})
    return {"specifier": "x", "key": "x@1", "form": "folder", "file": str(folder / "index.js")}


def test_a_folder_gives_its_export_names(tmp_path: Path) -> None:
    baked = bake(folder_with(tmp_path / "x", "export const b = 1; export const a = 2; setInterval(() => {}, 1000)"), tmp_path / "x")
    assert (baked.names, dict(baked.caches)) == (("a", "b"), {})


def test_a_bundle_gives_the_code_caches_of_its_scripts_and_writes_nothing(tmp_path: Path) -> None:
    module = toy_bundle(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    baked = bake(module, tmp_path)
    assert baked.names == ("call", "dep")
    assert set(baked.caches) == {path.name for path in tmp_path.glob("*.js")}
    assert all(len(cache) > 100 for cache in baked.caches.values())
    assert list(baked.late) == ["dep@1/index.js"]
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


ATTACK = """
import fs from 'node:fs'
import net from 'node:net'
const results = []
const attempt = (name, act) => { try { act(); results.push(`${name}_done`) } catch (error) { results.push(`${name}_${error.code}`) } }
attempt('bundle', () => fs.writeFileSync('%(victim)s', 'mine now'))
attempt('own', () => fs.writeFileSync('%(own)s', 'mine now'))
attempt('secret', () => fs.readFileSync('%(secret)s'))
const code = await new Promise(done => {
  const socket = net.connect(%(port)d, '127.0.0.1', () => done('done'))
  socket.on('error', error => done(error.code))
})
results.push(`net_${code}`)
const found = Object.fromEntries(results.map(name => [name, 1]))
export default found
"""


@confined
@pytest.mark.parametrize("flags", [HOST_FLAGS, OPEN_FLAGS], ids=["as it is", "without Node's own permissions"])
def test_a_package_that_attacks_while_it_is_installed_gets_nowhere(tmp_path: Path, flags: tuple[str, ...]) -> None:
    write(tmp_path, {"bundles/other.js": "// honest", "secret": "s3cret"})
    with socket.create_server(("127.0.0.1", 0)) as server:
        places = {"victim": tmp_path / "bundles/other.js", "own": tmp_path / "x/index.js", "secret": tmp_path / "secret"}
        code = ATTACK % {**{name: str(path) for name, path in places.items()}, "port": server.getsockname()[1]}
        names = bake(folder_with(tmp_path / "x", code), tmp_path / "x", flags=flags).names
    assert sorted(name.partition("_")[0] for name in names) == ["bundle", "net", "own", "secret"]
    assert [name for name in names if name.endswith("_done")] == []
    assert (tmp_path / "bundles/other.js").read_text() == "// honest"
    assert (tmp_path / "x/index.js").read_text() == code


@confined
@pytest.mark.parametrize("flags", [HOST_FLAGS, OPEN_FLAGS], ids=["as it is", "without Node's own permissions"])
def test_a_package_that_starts_a_program_while_it_is_installed_does_not_get_it(tmp_path: Path, flags: tuple[str, ...]) -> None:
    start = "const { error } = spawnSync('/bin/true'); if (error) throw error"
    with pytest.raises(AdaptorBroken):
        bake(folder_with(tmp_path / "x", f"import {{ spawnSync }} from 'node:child_process'; {start}"), tmp_path / "x", flags=flags)


def test_a_package_that_does_not_load_says_why(tmp_path: Path) -> None:
    with pytest.raises(AdaptorBroken, match="boom"):
        bake(folder_with(tmp_path / "x", "throw new Error('boom')"), tmp_path / "x")


def test_a_package_that_never_ends_loading_is_ended(tmp_path: Path) -> None:
    with pytest.raises(AdaptorBroken, match="did not load within 1 s"):
        bake(folder_with(tmp_path / "x", "while (true);"), tmp_path / "x", time_limit_s=1)


def test_a_package_that_ends_the_process_is_told_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(AdaptorBroken, match=r"ended Node\.js") as caught:
        bake(folder_with(tmp_path / "x", "console.error('last words'); process.exit(3)"), tmp_path / "x")
    assert "last words" in caught.value.details


def test_code_caches_are_those_that_a_loader_accepts(tmp_path: Path) -> None:
    module = bundle(tmp_path, "toy", {"adaptor toy@1": script([("toy@1/i.js", 0, {}, "function(m,e){e.a=1}")])}, "toy@1/i.js")
    baked = bake(module, tmp_path)
    for file, data in baked.caches.items():
        (tmp_path / f"{file[:-3]}.{baked.cache_key}.cache").write_bytes(data)
    assert dict(bake(module, tmp_path).caches) == {}  # what was accepted is not made again


GOOD = {"ok": True, "names": ["a"], "cacheKey": "v24-x64-1", "caches": [["a.js", 3]], "late": {"dep": ["x"]}}


def answer(change: dict[str, object], body: bytes = b"abc") -> bytes:
    return json.dumps({**GOOD, **change}).encode() + b"\n" + body


def test_a_good_answer_is_read() -> None:
    assert _read(answer({}), ["a.js"]) == Baked(("a",), "v24-x64-1", {"a.js": b"abc"}, {"dep": ["x"]})


@pytest.mark.parametrize(
    "change",
    [
        {"names": "a"},
        {"names": [1]},
        {"cacheKey": "../../x"},
        {"cacheKey": None},
        {"caches": {"a.js": 3}},
        {"caches": [["a.js", 4]]},
        {"caches": [["a.js", -1]]},
        {"caches": [["../other.js", 3]]},
        {"caches": [["b.js", 3]]},
        {"caches": [["a.js", 2], ["a.js", 2]]},
        {"late": []},
        {"late": {"dep": "x"}},
        {"ok": 1},
    ],
)
def test_a_forged_answer_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(AdaptorBroken):
        _read(answer(change), ["a.js"])


@pytest.mark.parametrize("text", [b"x\n", b"[]\n", b"\n", b"[" * 100_000])
def test_an_answer_that_is_no_object_is_refused(text: bytes) -> None:
    with pytest.raises(AdaptorBroken, match="spoiled"):
        _read(text, [])
