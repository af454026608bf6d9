"""The warm engine: Attempts on hosts that have loaded their adaptor, isolation `project` with all that belongs to it."""

from __future__ import annotations

import os
import statistics
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from answers import Answers
from figures import Figure
from installed import http_engine
from kivuko.engines import Engine, HostKey, RunRequest, RunResult, find_node
from kivuko.value import replace
from processes import children_of, cpu_of_tree_ms, memory_mb, run_once, sockets_of

__all__ = ["measure_memory", "measure_rate", "measure_soak", "measure_sockets"]

TRIVIAL = "fn(state => ({ ...state, data: { n: (state.data.n ?? 0) + 1 } }));"
GET = "get('/patients/7');\nfn(state => ({ data: state.data, status: state.response.statusCode }));"


class Attempts:
    """Executes Attempts of one Run each on a warm engine; each is ended, as the runtime ends it."""

    def __init__(self, engine: Engine, key: HostKey, compiled: Callable[[str], RunRequest]) -> None:
        self._engine, self._key, self._compiled = engine, key, compiled
        self._count = 0

    def request(self, source: str, state: bytes = b'{"data":{}}') -> RunRequest:
        """The only Run of an Attempt."""
        return replace(self._compiled(source), key=self._key, state=state, last=True)

    def execute(self, request: RunRequest) -> RunResult:
        """One Attempt. Raises RuntimeError when it failed: a benchmark of failures would mean nothing."""
        self._count += 1
        attempt = f"attempt-{self._count}"
        result = self._engine.run(replace(request, attempt=attempt))
        self._engine.end(attempt)
        if result.error:
            raise RuntimeError(f"{result.error.name}: {result.error.message}")
        return result


def measure_rate(folder: Path, *, quick: bool) -> list[Figure]:
    """Attempts a second and CPU of engine and host together, trivial and with a GET."""
    with Answers() as answers, http_engine() as (engine, key, compiled):
        attempts = Attempts(engine, key, compiled)
        trivial, fetching = attempts.request(TRIVIAL), attempts.request(GET, _state(answers))
        return [
            *_rate("trivial Attempt", attempts, trivial, 400 if quick else 3000, (answers.pid,), 2.5),
            *_rate("Attempt with an HTTP GET", attempts, fetching, 300 if quick else 2000, (answers.pid,), 3.5),
        ]


def _node_ms(folder: Path) -> float:
    command = (str(find_node()), "-e", "0")
    return statistics.median(run_once(command, folder, dict(os.environ)).cpu_ms for _ in range(7))


def _state(answers: Answers) -> bytes:
    return f'{{"data":{{}},"configuration":{{"baseUrl":"{answers.url}"}}}}'.encode()


def _rate(name: str, attempts: Attempts, request: RunRequest, times: int, without: tuple[int, ...], most_ms: float) -> Iterator[Figure]:
    for _ in range(100):
        attempts.execute(request)
    node_before = _node_ms(Path.cwd())
    walls, before, began = [], cpu_of_tree_ms(without), time.perf_counter()
    for _ in range(times):
        start = time.perf_counter()
        attempts.execute(request)
        walls.append((time.perf_counter() - start) * 1000)
    seconds, cpu_ms = time.perf_counter() - began, (cpu_of_tree_ms(without) - before) / times
    ratio = cpu_ms / statistics.mean([node_before, _node_ms(Path.cwd())])
    yield Figure(f"{name}, CPU of engine and host", cpu_ms, "ms", ratio, f"≤ {most_ms:g} ms", cpu_ms <= most_ms)
    least = 1000 / most_ms
    yield Figure(f"{name}, a second and core (1000 / CPU)", 1000 / cpu_ms, "1/s", None, f"≥ {least:.0f} 1/s", 1000 / cpu_ms >= least)
    yield Figure(f"{name}, one after another", times / seconds, "1/s")
    yield Figure(f"{name}, wall p50", statistics.median(walls), "ms")
    yield Figure(f"{name}, wall p95", statistics.quantiles(walls, n=20)[18], "ms")


def measure_memory(folder: Path, *, quick: bool) -> list[Figure]:
    """What a host holds after loading http and after many Runs."""
    runs = 200 if quick else 1000
    with http_engine() as (engine, key, compiled):
        engine.warm(key)
        loaded = max(memory_mb(pid) for pid in children_of(os.getpid()))
        attempts = Attempts(engine, key, compiled)
        request = attempts.request(TRIVIAL)
        rss = [attempts.execute(request).rss_bytes / (1 << 20) for _ in range(runs)]
    most = max(rss[-50:])
    return [
        Figure("host after loading http", loaded, "MB RSS", None, "≤ 110 MB", loaded <= 110),
        Figure(f"host after {runs} Runs", most, "MB RSS", None, "≤ 180 MB", most <= 180),
    ]


def measure_soak(folder: Path, *, quick: bool) -> list[Figure]:
    """Whether 12 000 Runs, half of them of a job never seen before, leave the pool's memory flat."""
    runs, window = (2400, 400) if quick else (12_000, 1000)
    samples: list[float] = []
    with http_engine() as (engine, key, compiled):
        attempts = Attempts(engine, key, compiled)
        same = attempts.request(TRIVIAL)
        for number in range(runs):
            attempts.execute(same if number % 2 else attempts.request(f"{TRIVIAL}\nfn(state => ({{ ...state, unique: {number} }}));"))
            if number % 20 == 0:
                samples.append(sum(memory_mb(pid) for pid in [os.getpid(), *children_of(os.getpid())]))
    each = window // 20
    early, late = statistics.mean(samples[each : 2 * each]), statistics.mean(samples[-each:])
    growth = (late / early - 1) * 100
    return [
        Figure(f"engine and hosts, mean of Runs {window} to {2 * window}", early, "MB RSS"),
        Figure(f"engine and hosts, mean of the last {window} of {runs} Runs", late, "MB RSS"),
        Figure("growth", growth, "%", None, "≤ 3 %", growth <= 3),
    ]


def measure_sockets(folder: Path, *, quick: bool) -> list[Figure]:
    """Whether many Attempts with a GET leave more sockets open than ten did."""
    runs = 1000 if quick else 10_000
    with Answers() as answers, http_engine() as (engine, key, compiled):
        attempts = Attempts(engine, key, compiled)
        request = attempts.request(GET, _state(answers))
        counts = []
        for times in (10, runs - 10):
            for _ in range(times):
                attempts.execute(request)
            engine.warm(key)
            ours = sum(sockets_of(pid) for pid in children_of(os.getpid()) if pid != answers.pid)
            counts.append((ours, _connections(answers)))
    after_ten, after_all = counts
    return [
        Figure("sockets of the hosts after 10 Attempts with a GET", after_ten[0], "sockets"),
        Figure(f"sockets of the hosts after {runs}", after_all[0], "sockets", None, f"≤ {after_ten[0]}", after_all[0] <= after_ten[0]),
        Figure(f"connections at the server after {runs}", after_all[1], "sockets", None, f"≤ {after_ten[1]}", after_all[1] <= after_ten[1]),
    ]


def _connections(answers: Answers) -> int:
    with urllib.request.urlopen(f"{answers.url}/connections") as answer:
        return int(answer.read())
