"""How an adaptor is had that is asked for."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from kivuko.adaptors import Layout, Notice, Repo, RepoSettings, Specifier, parse_specifier
from kivuko.adaptors.record import Record, fingerprint, load_record, node_identity, save_record
from kivuko.engines import find_node
from kivuko.errors import AdaptorBroken, AdaptorMissing, AdaptorNotFound, InputError, InstallFailed, RegistryUnreachable

from .conftest import NAME, Clock, CountingLoader, Registry, toy, write

TOY = Specifier(NAME)
PINNED = Specifier(NAME, "1.0.0")


def put(layout: Layout, *versions: str, bundled: bool = True) -> None:
    """Installed versions, with what is known of them, as an earlier process left them."""
    dependencies = {f"{NAME}_{version}": f"npm:{NAME}@^{version}" for version in versions}
    write(layout.folder, {"package.json": json.dumps({"name": "openfn-repo", "dependencies": dependencies})})
    for version in versions:
        folder = write(layout.package(NAME, version), toy(version))
        manifest = write(layout.bundles, {f"toy@{version}.json": "{}"}) / f"toy@{version}.json"
        names = ("execute", "fn")
        record = Record(6, NAME, version, fingerprint(folder), node_identity(find_node()), "bundle", str(manifest), names)
        if bundled:
            save_record(layout, record)


@pytest.fixture
def no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any start of a program fails the test."""

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError(f"started {arguments}")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(subprocess, "run", refuse)


@pytest.mark.usefixtures("no_processes")
class TestWarm:
    """What is installed costs no process and no network."""

    def test_an_installed_pinned_adaptor(self, repo: Repo, layout: Layout, registry: Registry) -> None:
        put(layout, "1.0.0")
        adaptor = repo.resolve(PINNED, install=True)
        assert (adaptor.name, adaptor.version, adaptor.exports) == (NAME, "1.0.0", ("execute", "fn"))
        assert (adaptor.files.specifier, adaptor.files.key, adaptor.files.form) == (NAME, f"{NAME}@1.0.0", "bundle")
        assert adaptor.folder == layout.package(NAME, "1.0.0")
        assert not registry.asked
        assert not registry.installs

    def test_a_moving_version_while_the_answer_is_fresh(self, repo: Repo, layout: Layout, registry: Registry, clock: Clock) -> None:
        put(layout, "1.2.0")
        assert repo.resolve(TOY, install=True).version == "1.2.0"
        clock.now += 3600
        assert repo.resolve(TOY, install=True).version == "1.2.0"
        assert registry.asked == [f"{NAME}@latest"]
        clock.now += 86_400
        repo.resolve(TOY, install=True)
        assert len(registry.asked) == 2

    def test_refresh_asks_all_the_same(self, repo: Repo, layout: Layout, registry: Registry) -> None:
        put(layout, "1.2.0")
        repo.resolve(TOY, install=True)
        repo.resolve(TOY, install=True, refresh=True)
        assert len(registry.asked) == 2

    def test_the_line_about_the_version_is_printed_from_the_answer(self, repo: Repo, layout: Layout, notices: list[Notice]) -> None:
        put(layout, "1.2.0")
        for _ in range(2):
            repo.resolve(TOY, install=True, progress=notices.append)
        assert [notice.text for notice in notices] == [f"Looked up latest version of {NAME}: found 1.2.0"] * 2

    def test_without_installing_the_newest_installed_version_by_number(self, repo: Repo, layout: Layout, notices: list[Notice]) -> None:
        put(layout, "9.0.0", "10.0.0")
        assert repo.resolve(TOY, install=False, progress=notices.append).version == "10.0.0"
        assert [(notice.level, notice.text) for notice in notices] == [("debug", f"Using latest installed version of {NAME}: 10.0.0")]

    def test_a_partial_version_finds_its_family(self, repo: Repo, layout: Layout) -> None:
        put(layout, "1.0.0", "1.2.0", "2.0.0")
        assert repo.resolve(Specifier(NAME, "1"), install=False).version == "1.2.0"

    def test_offline_the_newest_installed_version_is_used_with_a_warning(
        self, repo: Repo, layout: Layout, registry: Registry, notices: list[Notice]
    ) -> None:
        put(layout, "1.0.0")
        registry.problem = RegistryUnreachable()
        assert repo.resolve(TOY, install=True, progress=notices.append).version == "1.0.0"
        assert [notice.level for notice in notices] == ["warn"]
        assert "1.0.0" in notices[0].text

    @pytest.mark.parametrize(
        ("wanted", "found"), [("^1.0.0", "1.2.0"), ("~1.0", "1.0.0"), ("<7", "1.2.0"), ("=1.0.0", "1.0.0"), ("1 || 2", "1.2.0")]
    )
    def test_offline_a_range_takes_the_newest_installed_version_inside_it(
        self, repo: Repo, layout: Layout, registry: Registry, wanted: str, found: str
    ) -> None:
        put(layout, "1.0.0", "1.2.0", "7.0.0")
        registry.problem = RegistryUnreachable()
        assert repo.resolve(Specifier(NAME, wanted), install=True).version == found

    def test_offline_a_version_outside_the_range_is_never_run(self, repo: Repo, layout: Layout, registry: Registry) -> None:
        put(layout, "7.2.10")
        registry.problem = RegistryUnreachable()
        with pytest.raises(RegistryUnreachable, match="is not installed"):
            repo.resolve(Specifier(NAME, "^3.0.0"), install=True)

    def test_what_is_installed_is_listed_by_name_oldest_first(self, repo: Repo, layout: Layout) -> None:
        put(layout, "10.0.0", "9.0.0")
        assert repo.installed() == {NAME: ("9.0.0", "10.0.0")}

    def test_an_empty_repo_lists_nothing(self, repo: Repo) -> None:
        assert repo.installed() == {}

    def test_what_is_installed_already_is_skipped(self, repo: Repo, layout: Layout, notices: list[Notice]) -> None:
        put(layout, "1.0.0")
        [done] = repo.install([PINNED], progress=notices.append)
        assert done.already
        assert [(notice.text, notice.level) for notice in notices] == [(f"Skipping {NAME}@1.0.0 as already installed", "always")]

    def test_a_repo_that_cannot_be_written_still_answers(self, repo: Repo, layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
        put(layout, "1.2.0")

        def refuse(*_: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("kivuko.adaptors.answers.write_json", refuse)
        assert repo.resolve(TOY, install=True).version == "1.2.0"


class TestMissing:
    """What is not there is said, or brought."""

    def test_a_missing_adaptor_is_not_installed_unasked(self, repo: Repo, registry: Registry) -> None:
        for specifier in (PINNED, TOY):
            with pytest.raises(AdaptorMissing) as caught:
                repo.resolve(specifier, install=False)
            assert str(specifier) in caught.value.fix
        assert registry.installs == []

    def test_offline_and_not_installed_the_message_says_both(self, repo: Repo, registry: Registry) -> None:
        registry.problem = RegistryUnreachable()
        with pytest.raises(RegistryUnreachable, match=rf"{NAME} is not installed, and the npm registry does not answer"):
            repo.resolve(TOY, install=True)

    def test_a_name_that_the_registry_does_not_know(self, repo: Repo) -> None:
        with pytest.raises(AdaptorNotFound):
            repo.resolve(parse_specifier("nope"), install=True)

    def test_a_missing_adaptor_is_installed_and_told(self, repo: Repo, layout: Layout, notices: list[Notice]) -> None:
        adaptor = repo.resolve(TOY, install=True, progress=notices.append)
        assert (adaptor.version, adaptor.exports) == ("1.2.0", ("execute", "fn"))
        assert layout.has(NAME, "1.2.0")
        assert [notice.kind for notice in notices if notice.level != "debug"] == ["looked-up", "installing", "installed"]

    def test_installing_asks_the_registry_again_and_gives_what_it_did(self, repo: Repo, registry: Registry) -> None:
        first, second = repo.install([TOY, PINNED])
        assert (first.version, first.already, second.version, second.already) == ("1.2.0", False, "1.0.0", False)
        assert [done.already for done in repo.install([TOY, PINNED])] == [True, True]
        assert registry.asked == [f"{NAME}@latest"] * 2

    def test_without_a_bundler_the_package_is_loaded_from_its_folder(self, repo: Repo, layout: Layout, notices: list[Notice]) -> None:
        adaptor = repo.resolve(PINNED, install=True, progress=notices.append)
        assert adaptor.files.form == "folder"
        assert adaptor.files.file == str(layout.package(NAME, "1.0.0") / "index.js")
        assert str(layout.package(NAME, "1.0.0")) in adaptor.files.readable
        assert "the bundler could not be installed" in notices[-1].text

    def test_what_openfn_installed_is_made_ready_at_its_first_use(self, repo: Repo, layout: Layout, registry: Registry) -> None:
        put(layout, "1.0.0", bundled=False)
        assert repo.resolve(PINNED, install=False).exports == ("execute", "fn")
        assert registry.installs == []
        assert load_record(layout, NAME, "1.0.0", find_node())

    def test_a_package_that_was_installed_anew_is_read_anew(self, repo: Repo, layout: Layout) -> None:
        put(layout, "1.0.0")
        write(layout.package(NAME, "1.0.0"), {**toy(), "index.js": "export const other = 1"})
        write(layout.package(NAME, "1.0.0"), {"package.json": toy()["package.json"] + "\n"})
        assert repo.resolve(PINNED, install=False).exports == ("other",)

    def test_an_adaptor_that_does_not_load_says_why_in_both_forms(self, repo: Repo, registry: Registry) -> None:
        registry.packages[f"{NAME}@1.0.0"] = {**toy(), "index.js": "import 'not-there'; export const a = 1"}
        with pytest.raises(AdaptorBroken) as caught:
            repo.resolve(PINNED, install=True)
        assert "as ES module: Cannot find package 'not-there'" in caught.value.message
        assert "as CommonJS" in caught.value.message

    def test_adaptors_before_the_failing_one_stay(self, repo: Repo, layout: Layout) -> None:
        with pytest.raises(AdaptorNotFound):
            repo.install([PINNED, Specifier(NAME, "7.0.0")])
        assert layout.has(NAME, "1.0.0")

    def test_a_repo_folder_that_cannot_be_made(self, tmp_path: Path, loader: CountingLoader, registry: Registry) -> None:
        (tmp_path / "file").touch()
        repo = Repo(tmp_path / "file" / "repo", loader=loader, node=find_node(), npm=registry)
        with pytest.raises(InstallFailed, match="cannot be changed"):
            repo.install([PINNED])


class TestClean:
    """`repo clean` and taking single versions out."""

    def test_the_whole_folder_goes(self, repo: Repo, layout: Layout) -> None:
        put(layout, "1.0.0")
        repo.clean()
        assert not layout.folder.exists()
        repo.clean()

    def test_a_failure_is_reported(self, repo: Repo, layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
        put(layout, "1.0.0")

        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("shutil.rmtree", refuse)
        with pytest.raises(InstallFailed, match="cannot be removed"):
            repo.clean()

    def test_one_version_goes_and_is_missing_then(self, repo: Repo, layout: Layout) -> None:
        put(layout, "1.0.0", "1.2.0")
        repo.remove(NAME, "1.0.0")
        assert repo.installed() == {NAME: ("1.2.0",)}
        with pytest.raises(AdaptorMissing):
            repo.resolve(PINNED, install=False)


class TestSettings:
    """KIVUKO_NPM_OVERRIDES."""

    def test_overrides_are_read_from_the_environment(self) -> None:
        settings = RepoSettings.from_environment({"KIVUKO_NPM_OVERRIDES": '{"xlsx": "0.18.5"}'})
        assert settings.overrides == {"xlsx": "0.18.5"}

    def test_nothing_set_means_no_overrides(self) -> None:
        assert RepoSettings.from_environment({}) == RepoSettings.from_environment({"KIVUKO_NPM_OVERRIDES": " "}) == RepoSettings()

    @pytest.mark.parametrize("text", ["{", "[]", "3"])
    def test_what_is_no_object_is_refused_with_an_example(self, text: str) -> None:
        with pytest.raises(InputError, match="KIVUKO_NPM_OVERRIDES") as caught:
            RepoSettings.from_environment({"KIVUKO_NPM_OVERRIDES": text})
        assert "KIVUKO_NPM_OVERRIDES='{" in caught.value.fix
