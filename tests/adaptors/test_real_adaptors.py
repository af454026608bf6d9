"""The real packages, from the registry: installed, bundled, loaded in real hosts (adaptors.md §11.1)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kivuko.adaptors import Adaptor, Layout, Notice, Repo, RepoSettings, parse_specifier
from kivuko.adaptors.docs import adaptor_docs
from kivuko.engines import Engine, EngineSettings, HostKey, RunRequest, find_node
from kivuko.errors import AdaptorNotFound, InstallFailed

pytestmark = [pytest.mark.network, pytest.mark.slow]

OVERRIDES = {"@openfn/language-common": "3.3.4"}


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """One repo for the module; KIVUKO_TEST_REPO names a folder that is kept from session to session."""
    kept = os.environ.get("KIVUKO_TEST_REPO")
    return Layout(Path(kept) if kept else tmp_path_factory.mktemp("real") / "repo")


@pytest.fixture(scope="module")
def engine(layout: Layout) -> Iterator[Engine]:
    with Engine(EngineSettings(store=layout.bundles, acorn=layout.acorn)) as engine:
        yield engine


@pytest.fixture(scope="module")
def repo(layout: Layout, engine: Engine) -> Repo:
    return Repo(layout.folder, loader=engine, settings=RepoSettings(OVERRIDES))


def had(repo: Repo, text: str) -> Adaptor:
    return repo.resolve(parse_specifier(text), install=True)


@pytest.mark.parametrize(
    ("text", "count", "name"),
    [
        ("common@1.2.5", 25, "alterState"),
        ("common@1.15.2", 36, "fn"),
        ("common@2.1.1", 36, "fn"),
        ("common@3.3.4", 41, "cursor"),
        ("http@3.1.5", 20, "get"),
        ("http@6.4.3", 31, "get"),
        ("http@7.2.10", 34, "get"),
        ("fhir@5.0.15", None, "createTransactionBundle"),
        ("collections@0.8.0", None, "collections"),
        ("openmrs@5.5.0", None, "upsert"),
        ("mysql@4.1.3", None, "sql"),
        ("mongodb@2.2.3", None, "findDocuments"),
    ],
)
def test_an_adaptor_is_bundled_and_loads_in_a_host(repo: Repo, engine: Engine, text: str, count: int | None, name: str) -> None:
    adaptor = had(repo, text)
    assert adaptor.files.form == "bundle"
    assert name in adaptor.exports
    assert tuple(engine.warm(HostKey("p", text, (adaptor.files,)))[adaptor.name]) == adaptor.exports
    # The specification counts `default` where a package has one.
    assert count is None or len(adaptor.exports) in {count, count - 1}


def test_versions_side_by_side_in_one_host(repo: Repo, engine: Engine) -> None:
    old, middle, new = (had(repo, f"http@{version}") for version in ("3.1.5", "6.4.3", "7.2.10"))
    key = HostKey("p", "c", (old.files, middle.files, new.files))
    engine.warm(key)
    script = """(async function(M,X,O,D){'use strict';const {fn,request}=M["@openfn/language-http"]; return (async function(){
O.push(()=>fn(s => ({...s, data: [Object.keys(M).length, typeof request]})));
})()})"""
    files = {"@openfn/language-http": new.files.key, "old": old.files.key, "middle": middle.files.key}
    request = RunRequest(key, "a1", "j", "j", script, "", b'{"data":{}}', modules=files, operations=(("fn", 1),))
    result = engine.run(request)
    assert result.error is None
    assert result.state is not None
    assert json.loads(result.state)["data"][1] == "function"


def test_a_cursor_key_does_not_reach_the_next_attempt(repo: Repo, engine: Engine) -> None:
    common = had(repo, "common@3.3.4")
    key = HostKey("p", "cursor", (common.files,))

    def run(attempt: str, operation: str) -> dict[str, object]:
        script = (
            "(async function(M,X,O,D){'use strict';const {cursor}=M[\"@openfn/language-common\"]; return (async function(){\n"
            f"O.push(()=>{operation});\n}})()}})"
        )
        modules = {common.name: common.files.key}
        request = RunRequest(key, attempt, "j", "j", script, "", b'{"data":{}}', modules=modules, operations=(("cursor", 1),))
        result = engine.run(request)
        assert result.error is None
        state: dict[str, object] = json.loads(result.state or b"{}")
        return state

    assert run("one", "cursor(1, {key: 'mine'})")["mine"] == 1
    assert run("one", "cursor(2)")["mine"] == 2
    assert run("two", "cursor(3)")["cursor"] == 3


def test_adaptors_share_the_files_of_third_party_packages(repo: Repo, layout: Layout) -> None:
    def scripts(adaptor: Adaptor) -> set[str]:
        return {part["file"] for part in json.loads(Path(adaptor.files.file).read_text())["scripts"] if part["kind"] == "vendor"}

    common, fhir = scripts(had(repo, "common@3.3.4")), scripts(had(repo, "fhir@5.0.15"))
    assert len(common & fhir) > len(common) / 2


def test_every_bundle_has_its_code_cache(repo: Repo, layout: Layout) -> None:
    had(repo, "http@7.2.10")
    for part in json.loads((layout.bundles / "@openfn+language-http@7.2.10.json").read_text())["scripts"]:
        assert list(layout.bundles.glob(f"{part['file'][:-3]}.v*.cache"))


def test_what_openfn_installed_is_bundled_at_its_first_use(repo: Repo, layout: Layout, tmp_path: Path) -> None:
    """A hoisted tree, as npm makes it in the repo itself, without a folder of Kivuko's."""
    source = had(repo, "common@3.3.4").folder
    other = Layout(tmp_path / "theirs")
    (other.node_modules / "@openfn").mkdir(parents=True)
    for package in (source / "node_modules").iterdir():
        if package.name != "@openfn":
            (other.node_modules / package.name).symlink_to(package)
    theirs = Repo(other.folder, loader=repo._loader, node=find_node())
    target = other.package("@openfn/language-common", "3.3.4")
    target.mkdir()
    for entry in source.iterdir():
        if entry.name != "node_modules":
            (target / entry.name).write_bytes(entry.read_bytes()) if entry.is_file() else (target / entry.name).symlink_to(entry)
    adaptor = theirs.resolve(parse_specifier("common@3.3.4"), install=False)
    assert adaptor.exports == had(repo, "common@3.3.4").exports


def test_a_package_whose_dependency_does_not_exist_says_so_and_leaves_nothing(tmp_path: Path, engine: Engine) -> None:
    repo = Repo(tmp_path / "repo", loader=engine)
    with pytest.raises(InstallFailed, match=r"asks for @openfn/language-common@3\.3\.5") as caught:
        repo.install([parse_specifier("openmrs@5.5.0")])
    assert "KIVUKO_NPM_OVERRIDES" in caught.value.fix
    assert repo.installed() == {}


def test_a_version_that_does_not_exist(tmp_path: Path, engine: Engine) -> None:
    with pytest.raises(AdaptorNotFound, match=r"does not have @openfn/language-common@99\.0\.0"):
        Repo(tmp_path / "repo", loader=engine).install([parse_specifier("common@99.0.0")])


def test_the_newest_version_is_looked_up(repo: Repo) -> None:
    notices: list[Notice] = []
    version = repo.version(parse_specifier("collections"), look_up=True, refresh=True, progress=notices.append)
    assert notices[0].text == f"Looked up latest version of @openfn/language-collections: found {version}"


def test_the_operations_of_http_are_documented_offline(repo: Repo) -> None:
    functions = adaptor_docs(had(repo, "http@7.2.10"))["functions"]
    assert isinstance(functions, list)
    documented = {function["name"]: function for function in functions}
    assert {"get", "post", "put", "patch", "del", "request", "parseXML", "fn", "each"} <= set(documented)
    assert [parameter["name"] for parameter in documented["get"]["parameters"]] == ["path", "options"]
    assert documented["each"]["package"] == "@openfn/language-common"
    assert documented["get"]["examples"][0]["code"].startswith("get(")
