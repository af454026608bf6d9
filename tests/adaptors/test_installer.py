"""A package is there completely, or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from kivuko.adaptors import Layout
from kivuko.adaptors.installer import add_package, remove_package
from kivuko.errors import AdaptorNotFound, InstallFailed, KivukoError, RegistryUnreachable

from .conftest import NAME, Registry, toy, write


def listed(layout: Layout) -> dict[str, str]:
    """The dependencies in the repo's package.json."""
    dependencies = json.loads(layout.package_json.read_text())["dependencies"]
    return dict(dependencies)


def untouched(layout: Layout) -> bool:
    """Whether nothing of a failed install is left."""
    staged = list(layout.staging.iterdir()) if layout.staging.exists() else []
    return not layout.package_json.exists() and not layout.node_modules.exists() and not staged


def test_a_package_lies_under_its_alias_as_openfn_lays_it(layout: Layout, registry: Registry) -> None:
    add_package(layout, registry, NAME, "1.0.0", {})
    assert json.loads((layout.package(NAME, "1.0.0") / "package.json").read_text())["name"] == NAME
    assert json.loads(layout.package_json.read_text()) == {
        "name": "openfn-repo",
        "private": True,
        "version": "1.0.0",
        "dependencies": {f"{NAME}_1.0.0": f"npm:{NAME}@^1.0.0"},
    }


def test_what_npm_lays_beside_a_package_moves_into_it(layout: Layout, registry: Registry) -> None:
    registry.beside[f"{NAME}@1.0.0"] = {
        "lodash": {"package.json": "{}"},
        "@openfn/language-common": {"package.json": "{}"},
        ".bin": {"x": ""},
    }
    add_package(layout, registry, NAME, "1.0.0", {})
    inner = layout.package(NAME, "1.0.0") / "node_modules"
    assert sorted(str(file.parent.relative_to(inner)) for file in inner.rglob("package.json")) == ["@openfn/language-common", "lodash"]
    assert sorted(os.listdir(layout.node_modules)) == ["@openfn"]


def test_versions_lie_side_by_side_and_do_not_touch_each_other(layout: Layout, registry: Registry) -> None:
    registry.beside = {f"{NAME}@{v}": {"dep": {"package.json": json.dumps({"version": v})}} for v in ("1.0.0", "1.2.0")}
    for version in ("1.2.0", "1.0.0"):
        add_package(layout, registry, NAME, version, {})
    versions = [json.loads((layout.package(NAME, v) / "node_modules/dep/package.json").read_text())["version"] for v in ("1.0.0", "1.2.0")]
    assert versions == ["1.0.0", "1.2.0"]
    assert list(listed(layout)) == [f"{NAME}_1.0.0", f"{NAME}_1.2.0"]


def test_when_a_name_is_taken_inside_the_package_npm_nests_everything(layout: Layout, registry: Registry) -> None:
    registry.packages[f"{NAME}@1.0.0"] = {**toy(), "node_modules/dep/package.json": '{"version": "1"}'}
    registry.beside[f"{NAME}@1.0.0"] = {"dep": {"package.json": '{"version": "2"}'}}
    add_package(layout, registry, NAME, "1.0.0", {})
    assert [install["nested"] for install in registry.installs] == [False, True]


@pytest.mark.parametrize("problem", [RegistryUnreachable(), InstallFailed("The disk is full.")])
def test_a_failure_of_npm_leaves_nothing(layout: Layout, registry: Registry, problem: KivukoError) -> None:
    registry.problem = problem
    with pytest.raises(type(problem), match=f"{NAME}@1.0.0 was not installed"):
        add_package(layout, registry, NAME, "1.0.0", {})
    assert untouched(layout)


def test_a_stop_in_the_middle_leaves_nothing(layout: Layout, registry: Registry) -> None:
    def stop(folder: Path) -> None:
        raise KeyboardInterrupt

    registry.breaks_after = stop
    with pytest.raises(KeyboardInterrupt):
        add_package(layout, registry, NAME, "1.0.0", {})
    assert untouched(layout)


def test_a_package_that_is_not_the_one_asked_for_is_refused(layout: Layout, registry: Registry) -> None:
    registry.packages[f"{NAME}@1.0.0"] = toy("9.9.9")
    with pytest.raises(InstallFailed, match=r"9\.9\.9 instead of"):
        add_package(layout, registry, NAME, "1.0.0", {})
    assert untouched(layout)


def test_a_version_that_does_not_exist_is_not_tried_with_overrides(layout: Layout, registry: Registry) -> None:
    with pytest.raises(AdaptorNotFound, match=rf"does not have {NAME}@9\.0\.0"):
        add_package(layout, registry, NAME, "9.0.0", {"dep": "1"})
    assert len(registry.installs) == 1


def test_overrides_are_used_when_an_install_fails_without_them(layout: Layout, registry: Registry) -> None:
    registry.needs_override = "@openfn/language-common@3.3.5"
    add_package(layout, registry, NAME, "1.0.0", {"@openfn/language-common": "3.3.4"})
    assert [install.get("overrides") for install in registry.installs] == [None, {"@openfn/language-common": "3.3.4"}]
    assert layout.has(NAME, "1.0.0")


def test_a_package_that_installs_as_published_is_installed_as_published(layout: Layout, registry: Registry) -> None:
    add_package(layout, registry, NAME, "1.0.0", {"@openfn/language-common": "3.3.4"})
    assert [install.get("overrides") for install in registry.installs] == [None]


def test_a_missing_dependency_names_the_setting_that_helps(layout: Layout, registry: Registry) -> None:
    registry.needs_override = "@openfn/language-common@3.3.5"
    with pytest.raises(InstallFailed) as caught:
        add_package(layout, registry, NAME, "1.0.0", {})
    assert "asks for @openfn/language-common@3.3.5, which the npm registry does not have" in caught.value.message
    assert 'KIVUKO_NPM_OVERRIDES=\'{"@openfn/language-common": ' in caught.value.fix


def test_a_complete_folder_that_is_not_listed_is_only_listed(layout: Layout, registry: Registry) -> None:
    write(layout.package(NAME, "1.0.0"), toy())
    add_package(layout, registry, NAME, "1.0.0", {})
    assert registry.installs == []
    assert f"{NAME}_1.0.0" in listed(layout)


def test_a_torn_folder_is_replaced(layout: Layout, registry: Registry) -> None:
    write(layout.package(NAME, "1.0.0"), {"index.js": "torn"})
    add_package(layout, registry, NAME, "1.0.0", {})
    assert "export" in (layout.package(NAME, "1.0.0") / "index.js").read_text()


def test_what_others_wrote_into_package_json_stays(layout: Layout, registry: Registry) -> None:
    layout.folder.mkdir(parents=True)
    layout.package_json.write_text('{"name": "mine", "dependencies": {"lodash": "^4.0.0"}, "extra": 1}')
    add_package(layout, registry, NAME, "1.0.0", {})
    content = json.loads(layout.package_json.read_text())
    assert (content["name"], content["extra"]) == ("mine", 1)
    assert content["dependencies"]["lodash"] == "^4.0.0"


def test_npms_own_cache_of_the_tree_is_dropped(layout: Layout, registry: Registry) -> None:
    write(layout.node_modules, {".package-lock.json": "{}"})
    add_package(layout, registry, NAME, "1.0.0", {})
    assert not (layout.node_modules / ".package-lock.json").exists()


def test_a_version_can_be_removed(layout: Layout, registry: Registry) -> None:
    for version in ("1.0.0", "1.2.0"):
        add_package(layout, registry, NAME, version, {})
    remove_package(layout, NAME, "1.0.0")
    assert list(listed(layout)) == [f"{NAME}_1.2.0"]
    assert not layout.package(NAME, "1.0.0").exists()
    assert layout.has(NAME, "1.2.0")
    assert list(layout.staging.iterdir()) == []


def test_removing_what_is_not_there_changes_nothing(layout: Layout, registry: Registry) -> None:
    add_package(layout, registry, NAME, "1.0.0", {})
    before = layout.package_json.read_bytes()
    remove_package(layout, NAME, "7.0.0")
    assert layout.package_json.read_bytes() == before
