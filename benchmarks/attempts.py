"""How many one-job Attempts a second a server finishes with its own worker, everything stored, on SQLite and PostgreSQL.

    python benchmarks/attempts.py [sqlite|postgresql]… [--quick] [--slots N] [--hosts N]

Messages of 2 kB are taken in, claimed, executed in real hosts with the common adaptor and reported with output, log and job-state, all in
one process and over the link that `kivuko serve` uses. PostgreSQL's own processes run on the same cores.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from acknowledgements import address_of
from figures import Figure, show
from installed import repo
from kivuko.platform.workflows.document import WorkflowDocument
from kivuko.records import (
    Attempt,
    AttemptState,
    Cause,
    Ingest,
    Message,
    MessageVersion,
    PostgresqlDatabase,
    SqliteDatabase,
    new_id,
    new_start,
)
from kivuko.server.lanes.workers import local_conversation
from kivuko.worker import Worker, WorkerSettings, Workloop
from kivuko.worker.link_local import LocalLink
from server.lanes.workers.worlds import World, chain

__all__ = ["measure"]

BODY = b'{"form":"referral","patient":{"id":"' + bytes(range(48, 58)) * 196 + b'"}}'
JOB = "fn(state => { console.log('referring', state.data.form); return { ...state, referred: true }; });"
AT_ONCE = 20
WAITING = 60
SLOTS, HOSTS = 12, 2


class Bench:
    """A server with its worker on one database, and a workflow of one job."""

    def __init__(self, address: str, folder: Path, slots: int, hosts: int) -> None:
        self.world = World(PostgresqlDatabase(address) if address else SqliteDatabase(folder / "kivuko.db"))
        document = chain("Referral")
        jobs = tuple(replace(job, adaptor="@openfn/language-common@3.3.4", expression=JOB) for job in document.jobs)
        self.document: WorkflowDocument = replace(document, jobs=jobs)
        self.snapshot_id = self.world.keep(self.document)
        settings = WorkerSettings(
            name="bench", workloops=(Workloop(("manual", "*"), slots),), repo_dir=repo(), most_hosts=hosts, fences=False, install=False
        )
        self.worker = Worker(settings, LocalLink(lambda push: local_conversation(self.world.desk, "bench", push)))
        self.worker.start()

    def close(self) -> None:
        """Ends everything."""
        self.worker.stop(10)
        self.world.desk.close()
        self.world.records.close()

    def message(self) -> Ingest:
        """A message that starts the workflow."""
        message = Message(new_id(), self.document.project_id, inbox_id=new_id(), request=b'{"method":"POST"}', size_bytes=len(BODY))
        stored = self.world.records.payloads.store(message.id, BODY)
        version = MessageVersion(
            message.id, 1, message.project_id, stored.encoding, stored.body, stored.object_key, stored.size_bytes, time.time_ns() // 1000
        )
        trigger, jobs = self.document.triggers[0], [job.id for job in self.document.jobs]
        start = new_start(self.document.id, self.snapshot_id, trigger.id, Cause.MESSAGE, jobs, trigger_id=trigger.id)
        return Ingest(message, version, (start,))

    def wait(self, at_most: int) -> None:
        """Until no more than that many Attempts are unfinished."""
        while True:
            with self.world.records.reading() as connection:
                ((left,),) = connection.query("SELECT count(*) FROM live_attempt")
            if left <= at_most:
                return
            time.sleep(0.004)

    def finish(self, count: int) -> None:
        """Takes in and finishes that many messages, with a short queue at all times."""
        left = count
        while left > 0:
            for future in [self.world.records.submit(self.message()) for _ in range(min(AT_ONCE, left))]:
                future.result()
            left -= AT_ONCE
            self.wait(WAITING)
        self.wait(0)

    def latencies_ms(self, count: int) -> tuple[list[float], list[float]]:
        """Of the last Attempts: from acceptance to end, and from claim to end, sorted."""
        rows = self.world.rows(Attempt)[-count:]
        if any(row.state is not AttemptState.SUCCESS for row in rows):
            raise SystemExit("an attempt did not succeed")
        whole = sorted((row.finished_at - row.id.made_at_us) / 1000 for row in rows if row.finished_at)
        claimed = sorted((row.finished_at - row.claimed_at) / 1000 for row in rows if row.finished_at and row.claimed_at)
        return whole, claimed


def measure(
    folder: Path, *, quick: bool, kinds: Sequence[str] = ("sqlite", "postgresql"), slots: int = SLOTS, hosts: int = HOSTS
) -> list[Figure]:
    """Attempts finished a second, CPU of the process for each, and how long one takes alone."""
    figures = []
    for kind in kinds:
        data = folder / kind
        data.mkdir()
        with address_of(kind) as address:
            bench = Bench(address, data, slots, hosts)
            bench.finish(60)
            alone = 30 if quick else 200
            for _ in range(alone):
                bench.finish(1)
            whole, claimed = bench.latencies_ms(alone)
            count = 600 if quick else 6000
            began, cpu = time.perf_counter(), time.process_time()
            bench.finish(count)
            wall_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu
            _, busy = bench.latencies_ms(count)
            bench.close()
        least, p50, rate = {"sqlite": 250, "postgresql": 200}[kind], whole[len(whole) // 2], count / wall_s
        figures += [
            Figure(f"{kind}: one-job attempts finished, {slots} slots", rate, "/s", target=f"≥ {least}", met=rate >= least),
            Figure(f"{kind}: CPU of server and worker for each (hosts not counted)", cpu_s / count * 1000, "ms"),
            Figure(f"{kind}: claim to end under that load, p50", busy[len(busy) // 2], "ms"),
            Figure(f"{kind}: claim to end under that load, p99", busy[int(len(busy) * 0.99)], "ms"),
            Figure(f"{kind}: one alone, accepted to end, p50", p50, "ms", target="≤ 20", met=p50 <= 20),
            Figure(f"{kind}: one alone, claim to end, p50", claimed[len(claimed) // 2], "ms"),
        ]
    return figures


def main() -> None:
    """Measures what is named."""
    words = sys.argv[1:]
    kinds = tuple(word for word in words if word in ("sqlite", "postgresql")) or ("sqlite", "postgresql")
    numbers = {name: int(words[words.index(f"--{name}") + 1]) for name in ("slots", "hosts") if f"--{name}" in words}
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        show("Attempts", measure(Path(folder), quick="--quick" in words, kinds=kinds, **numbers))


if __name__ == "__main__":
    main()
