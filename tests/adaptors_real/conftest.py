"""The systems that the real jobs talk to, fresh for every test, and the way to run a job."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from systems.collections_api import CollectionsApi
from systems.fhir import FhirServer
from systems.job_run import Outcome, RunJob, run_job
from systems.mariadb import MariaDb, need_mariadb
from systems.openmrs import OpenMrs
from systems.web import WebApi

JOBS = Path(__file__).parent


@pytest.fixture
def run(tmp_path: Path) -> RunJob:
    """``run("http/01_list", state, *flags)`` runs a job of this folder with its adaptor."""

    def run_named(name: str, state: dict[str, Any], *flags: str) -> Outcome:
        return run_job(JOBS / f"{name}.js", tmp_path, state, *flags)

    return run_named


@pytest.fixture
def web() -> Iterator[WebApi]:
    """A plain web API."""
    api = WebApi()
    with api.server:
        yield api


@pytest.fixture
def fhir() -> Iterator[FhirServer]:
    """An empty FHIR server."""
    api = FhirServer()
    with api.server:
        yield api


@pytest.fixture
def openmrs() -> Iterator[OpenMrs]:
    """OpenMRS with five patients."""
    api = OpenMrs()
    with api.server:
        yield api


@pytest.fixture
def collections() -> Iterator[CollectionsApi]:
    """Three collections of a health programme."""
    patients = {
        "KIB-1": '{"name":"Amina","age":3}',
        "KIB-2": '{"name":"Joseph","age":41}',
        "NYO-3": '{"name":"Fatuma","age":1}',
        "LRD-4": '{"name":"Peter","age":29}',
        "LRD-5": '{"name":"Grace","age":4}',
    }
    api = CollectionsApi({"patients": patients, "settings": {}, "events": {}})
    with api.server:
        yield api


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    """A MariaDB server for the session. Where MariaDB is not installed its tests are skipped with one sentence, in CI they fail."""
    need_mariadb()
    with MariaDb() as server:
        yield server
