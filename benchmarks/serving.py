"""`kivuko serve` as an operator starts it, on SQLite (synchronous=FULL) and PostgreSQL (fsync on): what it gives and what it takes.

The server is a process of its own: its CPU and memory are what the kernel says of it, the load generator's do not count.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from chaos.patience import wait_until
from chaos.place import Place, a_place
from figures import Figure
from kivuko.records import new_id
from loadgen import post_many
from processes import children_of, memory_mb
from systems.adaptor_repo import VERSIONS

__all__ = ["measure_acknowledgement", "measure_attempts", "measure_idle", "measure_large", "measure_start", "measure_webhook"]

KINDS = ("sqlite", "postgresql")
BODY = b'{"form":"referral","patient":{"id":"' + bytes(range(48, 58)) * 196 + b'"}}'
NO_WORKER = {"KIVUKO_WORKER": "false"}
TRIVIAL = "fn(state => ({ ...state, data: { seen: state.data.form } }));"
_POSTGRESQL = "-c shared_buffers=256MB -c max_wal_size=4GB"
_TICK_US = 10_000


def measure_acknowledgement(folder: Path, *, quick: bool) -> list[Figure]:
    """2 kB messages that start a work order each, durable before the answer; nothing executes them meanwhile."""
    figures = []
    for kind, least in zip(KINDS, (2500, 5000), strict=True):
        with _serving(kind, NO_WORKER) as place:
            _workflow(place, "message", TRIVIAL)
            post_many(place.inbox_url, 8, 400, BODY)
            alone = post_many(place.inbox_url, 1, 40 if quick else 500, BODY)
            count = 1000 if quick else 20_000
            before_us = _cpu_us(place.server.pid)
            together = post_many(place.inbox_url, 64, count, BODY)
            cpu_us, rate = (_cpu_us(place.server.pid) - before_us) / count, count / together.seconds
        figures += [
            Figure(f"{kind}: acknowledged, 64 connections", rate, "/s", target=f"≥ {least}", met=rate >= least),
            Figure(f"{kind}: server CPU for each", cpu_us, "µs"),
            Figure(f"{kind}: 64 connections, p50", together.at(0.5), "ms"),
            Figure(f"{kind}: 64 connections, p99", together.at(0.99), "ms"),
            Figure(f"{kind}: 1 connection, p50", alone.at(0.5), "ms", target="≤ 5", met=alone.at(0.5) <= 5),
        ]
    return figures


def measure_webhook(folder: Path, *, quick: bool) -> list[Figure]:
    """From the first byte of a webhook request to the answer that its finished run gives, one after the other, warm."""
    figures = []
    for kind in KINDS:
        with _serving(kind, {}) as place:
            url = _workflow(place, "webhook", TRIVIAL, reply="after_completion")
            post_many(url, 2, 60, BODY)
            load = post_many(url, 1, 50 if quick else 500, BODY)
        figures += [
            Figure(f"{kind}: webhook to finished run, p50", load.at(0.5), "ms", target="≤ 20", met=load.at(0.5) <= 20),
            Figure(f"{kind}: webhook to finished run, p99", load.at(0.99), "ms"),
        ]
    return figures


def measure_attempts(folder: Path, *, quick: bool) -> list[Figure]:
    """Messages as fast as the embedded worker finishes them: received, executed, everything stored."""
    figures = []
    for kind, least in zip(KINDS, (250, 200), strict=True):
        with _serving(kind, {}) as place:
            _workflow(place, "message", TRIVIAL)
            post_many(place.inbox_url, 4, 200, BODY)
            _wait_until_idle(place)
            count = 400 if quick else 5000
            began = time.perf_counter()
            post_many(place.inbox_url, 16, count, BODY)
            _wait_until_idle(place)
            rate = count / (time.perf_counter() - began)
        figures.append(
            Figure(f"{kind}: finished one-job Attempts, sustained, over HTTP", rate, "/s", target=f"≥ {least}", met=rate >= least)
        )
    return figures


def measure_start(folder: Path, *, quick: bool) -> list[Figure]:
    """From the command to the first answer: on an empty folder, and on one that is there."""
    with a_place("sqlite") as place:
        times = []
        for _ in range(2 if quick else 6):
            times.append(_first_answer_s(place))
            place.server.stop()
    again = statistics.median(times[1:])
    return [
        Figure("first answer after the very first start (migrations, keys)", times[0], "s"),
        Figure("first answer after a start", again, "s", target="≤ 2", met=again <= 2),
    ]


def measure_idle(folder: Path, *, quick: bool) -> list[Figure]:
    """Memory of all processes a while after the start, with nothing to do (what they share is counted once: PSS)."""
    with _serving("sqlite", {}) as place:
        time.sleep(5 if quick else 20)  # paced: what the start needs is given back
        idle_mb = _tree_mb(place.server.pid)
        _workflow(place, "message", TRIVIAL)
        post_many(place.inbox_url, 2, 100, BODY)
        _wait_until_idle(place)
        time.sleep(5 if quick else 20)  # paced: what the work needed is given back
        after_mb = _tree_mb(place.server.pid)
    return [
        Figure("idle after the start, all processes", idle_mb, "MB", target="≤ 200", met=idle_mb <= 200),
        Figure("idle after 100 Attempts, all processes", after_mb, "MB"),
    ]


LARGE_RUN = """fn(state => {
  for (let at = 0; at < 100000; at += 1) console.log(`record ${at} of the large run`);
  return { data: Array.from({ length: 100000 }, (_, at) => ({ id: at, name: `n${at}` })) };
});"""


def measure_large(folder: Path, *, quick: bool) -> list[Figure]:
    """The server's memory at its highest, above what it had before: a message of 10 MB, a run of 100 000 records and log lines."""
    body = json.dumps({"form": "large", "rows": ["x" * 1000] * 10_150}).encode()
    with _serving("sqlite", {}) as place:
        _workflow(place, "message", TRIVIAL)
        post_many(place.inbox_url, 2, 200, BODY)
        _wait_until_idle(place)
        message_mb = _growth_mb(place, lambda: post_many(place.inbox_url, 1, 1, body))
        hook = _workflow(place, "webhook", LARGE_RUN)
        began, before = time.perf_counter(), _finished(place)
        run_mb = _growth_mb(place, lambda: post_many(hook, 1, 1, BODY), lambda: post_many(place.inbox_url, 1, 20, BODY))
        seconds, others = time.perf_counter() - began, _finished(place) - before - 1
    return [
        Figure("a message of 10 MB: growth of the server", message_mb, "MB", target="≤ 100", met=message_mb <= 100),
        Figure("a run of 100 000 records and log lines: growth of the server", run_mb, "MB", target="≤ 100", met=run_mb <= 100),
        Figure("that run with all its log stored", seconds, "s"),
        Figure("other runs that finished meanwhile", others, "", target="≥ 1", met=others >= 1),
    ]


@contextmanager
def _serving(kind: str, settings: dict[str, str]) -> Iterator[Place]:
    with a_place(kind, settings=settings, postgresql=_POSTGRESQL) as place:
        place.start_server()
        place.new_project()
        yield place


def _workflow(place: Place, kind: str, expression: str, **trigger: object) -> str:
    """A workflow of one job; the webhook's address."""
    trigger_id, job = str(new_id()), str(new_id())
    source = {"inbox_id": place.inbox_id, "inclusion": {"form": "referral"}} if kind == "message" else {}
    adaptor = f"@openfn/language-common@{VERSIONS['common']}"
    workflow = {
        "name": f"Bench {trigger_id}",
        "enabled": True,
        "triggers": [{"id": trigger_id, "kind": kind, "enabled": True, **source, **trigger}],
        "jobs": [{"id": job, "name": "job", "language": "javascript", "adaptor": adaptor, "expression": expression}],
        "edges": [{"id": str(new_id()), "source_trigger_id": trigger_id, "target_job_id": job, "condition_type": "always"}],
    }
    place.call("POST", f"/api/v1/projects/{place.project_id}/workflows", workflow)
    return f"{place.url}/i/{trigger_id}"


def _cpu_us(pid: int) -> float:
    """CPU of a process, user and system (proc(5); ticks of 10 ms). Its children's is not in it."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_US


def _tree(pid: int) -> Sequence[int]:
    tree = [pid]
    for each in tree:
        tree += children_of(each)
    return tree


def _tree_mb(pid: int) -> float:
    return sum(_pss_mb(each) for each in _tree(pid))


def _pss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))


def _growth_mb(place: Place, *loads: object) -> float:
    """How far the server's memory rose above what it had before, at its highest (VmHWM, begun anew)."""
    pid = place.server.pid
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    before = memory_mb(pid)
    for load in loads:
        assert callable(load)
        load()
    _wait_until_idle(place)
    return memory_mb(pid, "VmHWM") - before


def _first_answer_s(place: Place) -> float:
    began = time.perf_counter()
    place.server.start()
    wait_until(lambda: _answers(place), "no answer", 60, every_s=0.01)
    return time.perf_counter() - began


def _answers(place: Place) -> bool:
    try:
        with urllib.request.urlopen(f"{place.url}/health", timeout=5):
            return True
    except OSError:
        return False


def _wait_until_idle(place: Place) -> None:
    connection = place.database.connect_to_read()
    try:
        wait_until(lambda: connection.query("SELECT count(*) FROM live_attempt") == [(0,)], "Attempts are unfinished", 300, 0.02)
    finally:
        connection.close()


def _finished(place: Place) -> int:
    connection = place.database.connect_to_read()
    try:
        ((count,),) = connection.query("SELECT count(*) FROM run WHERE finished_at IS NOT NULL")
        return int(count)
    finally:
        connection.close()
