"""The adaptors that the benchmarks use, in the project's own cache, and an engine for one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kivuko.adaptors import Adaptor, Layout, Repo, parse_specifier
from kivuko.engines import Engine, EngineSettings, HostKey, RunRequest
from kivuko.language import AdaptorNames, compile_job

__all__ = ["http_engine", "install_all", "repo"]

_ROOT = Path(__file__).resolve().parents[1]
_ADAPTORS = ("common@3.3.4", "http@7.2.10", "fhir@5.0.15")


def repo() -> Path:
    """The folder of installed adaptors."""
    return _ROOT / ".cache" / "repo"


def install_all() -> None:
    """Have every adaptor of the benchmarks installed and bundled; the first time they come from npm."""
    with Engine(EngineSettings()) as engine:
        Repo(repo(), loader=engine).install([parse_specifier(text) for text in _ADAPTORS], refresh=False)


@contextmanager
def http_engine() -> Iterator[tuple[Engine, HostKey, Callable[[str], RunRequest]]]:
    """An engine of one host, the key of a project with the http adaptor, and what makes a request of a job's text."""
    with Engine(EngineSettings(store=Layout(repo()).bundles, most_hosts=1)) as engine:
        adaptor = Repo(repo(), loader=engine).resolve(parse_specifier("http@7.2.10"), install=False)
        yield engine, HostKey("benchmark", "", (adaptor.files,)), lambda source: _request(source, adaptor)


def _request(source: str, adaptor: Adaptor) -> RunRequest:
    compiled = compile_job(source, [AdaptorNames(adaptor.files.specifier, adaptor.exports)])
    return RunRequest(
        key=HostKey("benchmark", "", (adaptor.files,)),
        attempt="",
        job_id="job-1",
        job_name="job-1",
        script=compiled.script,
        source=compiled.source,
        state=b"{}",
        operations=tuple((operation.name, operation.line) for operation in compiled.operations),
        insertions=compiled.insertions,
        modules=dict.fromkeys(compiled.modules, adaptor.files.key),
        execute_from=compiled.execute_from,
    )
