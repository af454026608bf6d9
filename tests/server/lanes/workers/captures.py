"""What OpenFn's own worker sent, captured (worker-protocol §15), and what a scenario must leave behind (§10)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from kivuko.platform.workflows.document import EdgeDocument, JobDocument, TriggerDocument, WorkflowDocument
from kivuko.records import Id
from server.lanes.workers.worlds import BAD, GOOD

FOLDER = Path(__file__).parents[3] / "conformance" / "worker_frames"

_CREDENTIALS = {"good": GOOD, "bad": BAD}
_WORDS = ("always", "on_job_success", "on_job_failure")


@dataclass
class Capture:
    """One scenario: the plan, the state that was served, and what the worker sent on the topic of its run, as (event, payload)."""

    name: str
    run_id: str = ""
    plan: dict[str, Any] = field(default_factory=dict)
    state: bytes = b"{}"
    frames: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def payloads(self, event: str) -> list[dict[str, Any]]:
        """What was sent as this event."""
        return [payload for name, payload in self.frames if name == event]

    def lines(self) -> list[dict[str, Any]]:
        """The log lines that were sent, in order."""
        batches = (payload["logs"] if event == "run:batch_logs" else [payload] for event, payload in self.frames if event in _LOGS)
        return [line for batch in batches for line in batch]

    def document(self) -> WorkflowDocument:
        """The plan as a workflow of ours."""
        return document_of(self.plan)


_LOGS = ("run:batch_logs", "run:log")


@cache
def captured() -> Mapping[str, Capture]:
    """The scenarios of scenarios.jsonl by name (``last`` is number 20)."""
    found: dict[str, Capture] = {}
    for row in _rows("scenarios.jsonl"):
        if "scenario" in row:
            found[row["scenario"]] = Capture(row["scenario"], row["run"])
        elif row["dir"] == "worker->server":
            _, _, topic, event, payload = json.loads(row["text"])
            for capture in found.values():
                if topic == f"run:{capture.run_id}":
                    capture.frames.append((event, payload))
        elif row["dir"] == "server->worker":
            _note_answer(list(found.values()), row)
    return found


@cache
def unbatched() -> Capture:
    """The run of mock1.jsonl: unbatched logs, and ids that are none."""
    capture = Capture("mock1", "11111111-1111-4111-8111-111111111111")
    for row in _rows("mock1.jsonl"):
        if row["dir"] == "worker->server":
            _, _, topic, event, payload = json.loads(row["text"])
            if topic == f"run:{capture.run_id}":
                capture.frames.append((event, payload))
        elif row["dir"] == "server->worker":
            _note_answer([capture], row)
    return capture


def _rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / name).read_text("utf-8").splitlines()]


def _note_answer(captures: Sequence[Capture], row: Mapping[str, Any]) -> None:
    if row.get("binary"):
        data = bytes.fromhex(row["hex"])
        sizes = data[1:5]
        topic = data[5 + sizes[0] + sizes[1] :][: sizes[2]].decode()
        for capture in captures:
            if topic == f"run:{capture.run_id}":
                capture.state = data[5 + sum(sizes) :]
        return
    _, _, topic, _, payload = json.loads(row["text"])
    response = payload.get("response") if isinstance(payload, dict) else None
    for capture in captures:
        if topic == f"run:{capture.run_id}" and isinstance(response, dict) and "jobs" in response:
            capture.plan = response


def document_of(plan: Mapping[str, Any]) -> WorkflowDocument:
    """A plan of the wire as a workflow; names that are no ids get some."""
    return WorkflowDocument(
        id=id_of("workflow"),
        project_id=id_of(plan.get("project_id") or "project"),
        name=plan.get("name") or "wf",
        enabled=True,
        job_logs=plan["options"].get("job_log_level") != "none",
        triggers=tuple(TriggerDocument(id_of(trigger["id"]), "webhook", enabled=True) for trigger in plan["triggers"]),
        jobs=tuple(
            JobDocument(
                id_of(job["id"]),
                job.get("name") or "",
                job["body"],
                job["adaptor"],
                credential_id=_CREDENTIALS.get(job.get("credential_id") or job.get("credential") or ""),
            )
            for job in plan["jobs"]
        ),
        edges=tuple(_edge(edge) for edge in plan["edges"]),
    )


def _edge(edge: Mapping[str, Any]) -> EdgeDocument:
    condition = edge.get("condition") or "always"
    known = condition in _WORDS
    return EdgeDocument(
        id_of(edge["id"]),
        id_of(edge["target_job_id"]),
        source_trigger_id=id_of(edge["source_trigger_id"]) if edge.get("source_trigger_id") else None,
        source_job_id=id_of(edge["source_job_id"]) if edge.get("source_job_id") else None,
        condition_type=condition if known else "js_expression",
        condition_expression=None if known else condition,
        enabled=edge.get("enabled", True),
    )


def id_of(name: str) -> Id:
    """An id of a capture; a name that is none gets one."""
    try:
        return Id.parse(name)
    except ValueError:
        return Id(name.encode().ljust(16, b"-")[:16])
