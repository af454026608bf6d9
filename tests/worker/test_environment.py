"""Settings of a worker from WORKER_* names and flags."""

from __future__ import annotations

from pathlib import Path

import pytest

from kivuko.engines.egress import MULTI_TENANT, OPEN, SELF_HOSTED
from kivuko.errors import InputError
from kivuko.worker import Workloop, read_workloops
from kivuko.worker.environment import RemoteWorker, read_environment

SECRET = {"WORKER_SECRET": "s" * 32}


def read(given: dict[str, str] | None = None, **environment: str) -> RemoteWorker:
    """What the environment says, with a secret."""
    return read_environment({**SECRET, **environment}, given or {})


def test_nothing_but_a_secret_is_needed() -> None:
    remote = read(DEPLOYED_POD_NAME="pod-7")
    settings = remote.settings
    assert (remote.url, remote.secret, settings.name, remote.port) == ("ws://localhost:4000/worker", "s" * 32, "pod-7", None)
    assert settings.workloops == (Workloop(("manual", "*"), 5),)
    assert (settings.memory_mb, settings.payload_mb, settings.timeout_s, settings.poll_s) == (500, 10, 300, (1, 10))
    assert (settings.egress, settings.removed_keys, settings.fences) == (SELF_HOSTED, ("configuration", "response"), True)
    assert remote.worker_id.startswith("pod-7-")
    assert remote.worker_id != read(DEPLOYED_POD_NAME="pod-7").worker_id


def test_every_name_does_something() -> None:
    remote = read(
        WORKER_LIGHTNING_SERVICE_URL="ws://kivuko:4000/worker",
        WORKER_NAME="w",
        WORKER_CAPACITY="9",
        WORKER_BACKOFF="0.5/4",
        WORKER_REPO_DIR="/srv/adaptors",
        WORKER_MAX_RUN_MEMORY_MB="256",
        WORKER_MAX_PAYLOAD_MB="2.5",
        WORKER_MAX_RUN_DURATION_SECONDS="60",
        WORKER_BATCH_INTERVAL="100",
        WORKER_BATCH_LIMIT="50",
        WORKER_STATE_PROPS_TO_REMOVE="configuration, secret",
        WORKER_PORT="2222",
        WORKER_LOG_LEVEL="DEBUG",
        WORKER_EGRESS="multi-tenant",
        WORKER_ALLOW="db.example.org:5432, 10.0.0.1:80",
        WORKER_SANDBOX_USER="65534:65534",
        WORKER_HOSTS="3",
        WORKER_GRACE_SECONDS="5",
    )
    settings = remote.settings
    assert (remote.url, remote.port, remote.log_level, remote.grace_s) == ("ws://kivuko:4000/worker", 2222, "debug", 5)
    assert (settings.name, settings.capacity, settings.poll_s, settings.repo_dir) == ("w", 9, (0.5, 4), Path("/srv/adaptors"))
    assert (settings.memory_mb, settings.payload_mb, settings.timeout_s) == (256, 2.5, 60)
    assert (settings.batch_ms, settings.batch_lines, settings.removed_keys) == (100, 50, ("configuration", "secret"))
    assert settings.egress.blocked == MULTI_TENANT.blocked
    assert settings.egress.allowed == ("db.example.org:5432", "10.0.0.1:80")
    assert (settings.sandbox_user, settings.most_hosts) == ((65534, 65534), 3)


def test_flags_go_before_the_environment() -> None:
    remote = read({"CAPACITY": "2", "EGRESS": "open"}, WORKER_WORKLOOPS="fast_lane:1 manual>*:4", WORKER_EGRESS="self-hosted")
    assert remote.settings.workloops == (Workloop(("manual", "*"), 2),)
    assert remote.settings.egress.blocked == OPEN.blocked


def test_what_means_nothing_here_is_passed_over_and_said() -> None:
    assert read(WORKER_SENTRY_DSN="x", WORKER_PROFILE="true", WORKER_BATCH_LOGS="true").passed_over == (
        "WORKER_BATCH_LOGS",
        "WORKER_PROFILE",
        "WORKER_SENTRY_DSN",
    )


@pytest.mark.parametrize("secret", [{}, {"WORKER_SECRET": ""}, {"WORKER_SECRET": "<secret>"}])
def test_without_a_secret_nobody_signs_in(secret: dict[str, str]) -> None:
    with pytest.raises(InputError, match="secret"):
        read_environment(secret, {})


def test_the_secret_is_never_printed() -> None:
    assert "sss" not in repr(read())


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"WORKER_CAPACTIY": "3"}, "no setting WORKER_CAPACTIY"),
        ({"WORKER_CAPACITY": "0"}, "WORKER_CAPACITY cannot be '0'"),
        ({"WORKER_CAPACITY": "3", "WORKER_WORKLOOPS": "*:3"}, "cannot both"),
        ({"WORKER_BACKOFF": "10/1"}, "WORKER_BACKOFF"),
        ({"WORKER_BACKOFF": "10"}, "WORKER_BACKOFF"),
        ({"WORKER_EGRESS": "closed"}, "WORKER_EGRESS"),
        ({"WORKER_ALLOW": "nowhere"}, "no destination"),
        ({"WORKER_SANDBOX_USER": "nobody"}, "WORKER_SANDBOX_USER"),
        ({"WORKER_PORT": "x"}, "WORKER_PORT"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(environment: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        read(**environment)
    assert caught.value.fix


def test_workloops_are_read_as_openfns_worker_reads_them() -> None:
    assert read_workloops("fast_lane:1 manual>*:4") == (Workloop(("fast_lane",), 1), Workloop(("manual", "*"), 4))
    assert str(read_workloops("manual>*:4")[0]) == "manual>*:4"


@pytest.mark.parametrize("text", ["", "manual", "manual:0", "manual:-1", "*>manual:1", "a b:1", "ma-nual:1", ">*:1", "manual:x"])
def test_workloops_that_say_nothing_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        read_workloops(text)
