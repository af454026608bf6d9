"""How fast the execution records are, on SQLite (synchronous=FULL) and PostgreSQL (fsync on): ingest, claim, whole Attempts.

    python benchmarks/execution_records.py [sqlite|postgresql|both] [ingest|claim|attempts]…

Prints wall time and this process's CPU. Figures of a busy machine are worth little: run it alone.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from kivuko.records.claims import Claim
from kivuko.records.database import Database
from kivuko.records.handlers import handlers
from kivuko.records.ids import Id, new_id
from kivuko.records.ingest import Ingest
from kivuko.records.logs import Line, WriteLogs
from kivuko.records.payloads import Payloads
from kivuko.records.postgresql import PostgresqlDatabase
from kivuko.records.reports import EndAttempt, EndRun, StartAttempt, StartRun
from kivuko.records.rows import Attempt, Dataclip, LiveAttempt, Message, MessageVersion
from kivuko.records.schema import apply_schema
from kivuko.records.sqlite import SqliteDatabase
from kivuko.records.starting import new_start
from kivuko.records.states import AttemptState, Cause, DataclipKind, ExitReason, LiveState, Needs
from kivuko.records.writer import Writer
from records.own_postgresql import own_postgresql

BODY = b'{"patient":{"id":"' + bytes(range(48, 58)) * 196 + b'"}}'
WORKFLOWS = [(new_id(), new_id(), new_id(), new_id()) for _ in range(20)]
PROJECT = new_id()


@contextmanager
def database(kind: str) -> Iterator[Database]:
    """An empty database with the schema."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            found: Database = SqliteDatabase(Path(folder) / "kivuko.db")
            _prepare(found)
            yield found
    else:
        with own_postgresql("-c shared_buffers=256MB -c max_wal_size=4GB") as server:
            found = PostgresqlDatabase(server.address)
            _prepare(found)
            yield found


def _prepare(found: Database) -> None:
    connection = found.connect()
    apply_schema(connection)
    connection.close()


def request() -> Ingest:
    """A 2 kB message that starts one job."""
    workflow, snapshot, trigger, job = WORKFLOWS[time.monotonic_ns() % len(WORKFLOWS)]
    message = Message(new_id(), PROJECT, request=b'{"method":"POST","path":["i"]}', content_type="application/json", size_bytes=len(BODY))
    stored = Payloads().store(message.id, BODY)
    version = MessageVersion(message.id, 1, PROJECT, stored.encoding, stored.body, None, stored.size_bytes, 0)
    return Ingest(message, version, (new_start(workflow, snapshot, trigger, Cause.WEBHOOK, (job,), trigger_id=trigger),))


def in_flight(writer: Writer, make: Callable[[], Any], count: int, width: int) -> list[float]:
    """Submits ``count`` intents with ``width`` of them under way; the milliseconds that each took."""
    waiting: deque[tuple[float, Future[Any]]] = deque()
    took = []
    for _ in range(count):
        if len(waiting) >= width:
            began, future = waiting.popleft()
            future.result(60)
            took.append((time.perf_counter() - began) * 1000)
        intent = make()
        waiting.append((time.perf_counter(), writer.submit(intent)))
    took.extend((time.perf_counter() - began) * 1000 for began, future in waiting if future.result(60) is not None)
    return sorted(took)


def bench_ingest(found: Database) -> None:
    """Durable acknowledgements a second."""
    writer = Writer(found, handlers())
    for width, count in ((1, 400), (64, 20_000)):
        began, cpu = time.perf_counter(), time.process_time()
        took = in_flight(writer, request, count, width)
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu
        print(
            f"  ingest, {width:2} under way: {count / wall:7.0f}/s, p50 {took[len(took) // 2]:.2f} ms, CPU {cpu / count * 1e6:.0f} µs each"
        )
    writer.close()


def fill_queue(found: Database) -> None:
    """200 000 waiting Attempts in 2 000 workflows, 150 000 of them in one."""
    connection = found.connect()
    workflows = [new_id() for _ in range(2000)]
    projects = [new_id() for _ in range(100)]
    places = [0] * 150_000 + [at % 1999 + 1 for at in range(50_000)]
    connection.begin()
    for start in range(0, len(places), 5000):
        rows = [_waiting(projects[place % 100], workflows[place]) for place in places[start : start + 5000]]
        connection.write([attempt for attempt, _ in rows])
        connection.write([live for _, live in rows])
    connection.commit()
    connection.script("ANALYZE") if found.dialect == "postgresql" else connection.query("ANALYZE")
    connection.close()


def claims_ms(found: Database, demand: int) -> list[float]:
    """How long each of 100 claims took, sorted."""
    writer = Writer(found, handlers())
    took = []
    for _ in range(100):
        began = time.perf_counter()
        served = writer.submit(Claim(new_id(), demand)).result(60)
        took.append((time.perf_counter() - began) * 1000)
        assert len(served) == demand
    writer.close()
    return sorted(took)


def bench_claim(found: Database) -> None:
    """Claims over a long queue."""
    fill_queue(found)
    for demand in (1, 10):
        took = claims_ms(found, demand)
        print(f"  claim of {demand:2} from 200 000: p50 {took[50]:.1f} ms, p95 {took[95]:.1f} ms")


def _waiting(project: Id, workflow: Id) -> tuple[Attempt, LiveAttempt]:
    attempt = Attempt(new_id(), project, new_id(), workflow, new_id(), new_id(), Cause.WEBHOOK, AttemptState.QUEUED)
    return attempt, LiveAttempt(attempt.id, project, workflow, "default", 1, 0, Needs.JAVASCRIPT, LiveState.QUEUED)


def bench_attempts(found: Database) -> None:
    """Whole Attempts: ingest, claim, start, 20 log lines, output, end; 16 workers' worth under way."""
    writer = Writer(found, handlers())
    count, worker = 3000, new_id()
    in_flight(writer, request, count, 64)
    began, cpu = time.perf_counter(), time.process_time()
    done = 0
    while done < count:
        held = writer.submit(Claim(worker, 16)).result(60)
        steps: list[list[Future[Any]]] = [[], [], [], []]
        runs = {}
        for each in held:
            runs[each.attempt_id] = writer.submit(StartAttempt(each.attempt_id, each.claim_number))
        for each in held:
            runs[each.attempt_id].result(60)
            run, job = new_id(), WORKFLOWS[0][3]
            number = each.claim_number
            steps[0].append(writer.submit(StartRun(each.attempt_id, number, run, job, wire_id="w")))
        for future in steps[0]:
            future.result(60)
        for each in held:
            lines = tuple(Line("a line of a job's log, as long as they are", at) for at in range(20))
            steps[1].append(writer.submit(WriteLogs(each.attempt_id, each.claim_number, lines, first_seq=1), bulk=True))
            stored = Payloads().store(new_id(), BODY)
            clip = Dataclip(
                new_id(), PROJECT, DataclipKind.RUN_OUTPUT, each.attempt_id, None, stored.encoding, stored.body, None, len(BODY)
            )
            report = EndRun(each.attempt_id, each.claim_number, new_id(), WORKFLOWS[0][3], ExitReason.SUCCESS, wire_id="w", output=clip)
            steps[2].append(writer.submit(report))
        for future in steps[2]:
            future.result(60)
        for each in held:
            steps[3].append(writer.submit(EndAttempt(each.attempt_id, each.claim_number, ExitReason.SUCCESS)))
        for future in steps[3]:
            future.result(60)
        done += len(held)
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(f"  attempts finished: {count / wall:5.0f}/s, CPU {cpu / count * 1e6:.0f} µs each (ingest not counted)")
    writer.close()


BENCHES = {"ingest": bench_ingest, "claim": bench_claim, "attempts": bench_attempts}


def main() -> None:
    """Runs what is asked for."""
    words = sys.argv[1:]
    kinds = [word for word in words if word in ("sqlite", "postgresql")] or ["sqlite", "postgresql"]
    for kind in kinds:
        for name in [word for word in words if word in BENCHES] or BENCHES:
            print(f"{kind}, {name}")
            with database(kind) as found:
                BENCHES[name](found)


if __name__ == "__main__":
    main()
