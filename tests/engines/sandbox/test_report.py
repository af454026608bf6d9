"""The report of layers, for `kivuko doctor`."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from kivuko.engines.sandbox import Layer, availability, available_layers, landlock, libc, probe, seccomp
from kivuko.engines.sandbox import confinement as terms


def test_every_layer_is_reported_and_agrees_with_what_is_available():
    reports = probe()
    assert [report.layer for report in reports] == list(Layer)
    assert {report.layer for report in reports if report.active} == available_layers()
    assert [report.name for report in reports] == [layer.value for layer in Layer]


def test_a_layer_that_is_missing_says_what_is_lost_and_what_to_do():
    for report in probe():
        assert bool(report.detail)
        assert bool(report.lost) == bool(report.fix) == (not report.active)


@pytest.fixture
def other_machine(monkeypatch: pytest.MonkeyPatch):
    """Asks the availability anew under changed circumstances."""

    def ask(**changes):
        for module, name, value in changes.pop("patches"):
            monkeypatch.setattr(module, name, value)
        return availability.available_layers.__wrapped__()

    return ask


def test_a_machine_without_landlock_lacks_only_that(other_machine):
    found = other_machine(patches=[(landlock, "abi", lambda: 0)])
    assert Layer.LANDLOCK not in found
    assert found >= available_layers() - {Layer.LANDLOCK}


def test_a_container_without_seccomp_lacks_level_two_as_well(other_machine):
    found = other_machine(patches=[(seccomp, "knows_filters", lambda: False)])
    assert not found & {Layer.SECCOMP, Layer.CONNECT_WATCH}


def test_another_processor_keeps_the_limits(other_machine):
    assert other_machine(patches=[(availability, "machine", lambda: None)]) == {Layer.LIMITS}


def test_another_system_keeps_the_limits(other_machine):
    assert other_machine(patches=[(availability, "LINUX", False)]) == {Layer.LIMITS}


def test_yama_can_forbid_level_two(monkeypatch):
    monkeypatch.setattr(seccomp, "_may_look_into_children", lambda: False)
    assert not seccomp.knows_listeners.__wrapped__()


@pytest.mark.parametrize("version", range(1, 9))
def test_rights_that_a_kernel_does_not_know_are_left_out(version):
    sizes = {1: 8, 2: 8, 3: 8, 4: 16, 5: 16}
    attributes = landlock._attributes(version, False)
    assert len(attributes) == sizes.get(version, 24)
    rights = int.from_bytes(attributes[:8], "little")
    assert rights.bit_length() == {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)


def test_the_machine_is_one_of_those_with_numbers():
    assert libc.machine() in (None, "x86_64", "aarch64")
    assert terms.Layer.LIMITS in available_layers()


CONTAINER = """
import json, os, sys
from kivuko.engines.sandbox import Confinement, available_layers, bpf, privileges, probe, seccomp, spawn
from kivuko.engines.sandbox.numbers import number

tests = [(number(name), bpf.refuse(1)) for name in sys.argv[1].split()]
privileges.forbid_new_privileges()
program = bpf.assemble([bpf.load(0), *(one for nr, end in tests for one in (bpf.jump_if_equal(nr, 0, 1), end)), bpf.ret(bpf.ALLOW)])
seccomp.install(program.text, listen=False)
reports = {one.name: one.active for one in probe()}
null = os.open(os.devnull, os.O_RDWR)
child = spawn([sys.argv[2]], env={}, pass_fds={}, confinement=Confinement(watch_connect=True), stderr=null)
status = child.wait()
print(json.dumps([reports, sorted(one.value for one in child.missing), status, child.listener is not None]))
"""


@pytest.mark.skipif(Layer.SECCOMP not in available_layers(), reason="the stand-in for a container is itself a seccomp filter")
@pytest.mark.parametrize(
    ("refused", "lost"),
    [
        ("landlock_create_ruleset", {Layer.LANDLOCK}),
        ("pidfd_getfd", {Layer.CONNECT_WATCH}),
        ("pidfd_open", {Layer.CONNECT_WATCH}),
        ("pidfd_open pidfd_getfd", {Layer.CONNECT_WATCH}),
        ("landlock_create_ruleset pidfd_getfd", {Layer.LANDLOCK, Layer.CONNECT_WATCH}),
        ("seccomp", {Layer.SECCOMP, Layer.CONNECT_WATCH}),
    ],
)
def test_a_container_that_refuses_calls_loses_layers_and_nothing_else(refused, lost):
    command = [sys.executable, "-c", CONTAINER, refused, os.path.realpath("/bin/true")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    reports, missing, status, listens = json.loads(answer.stdout)
    expected = lost | (frozenset(Layer) - available_layers())
    assert {name for name, active in reports.items() if not active} == {one.value for one in expected}
    assert set(missing) == {one.value for one in expected}
    assert (status, listens) == (0, Layer.CONNECT_WATCH not in expected)
