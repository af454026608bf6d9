"""``kivuko worker``: execute work of a server on this machine."""

from __future__ import annotations

import importlib

from kivuko.cli.arguments import Option
from kivuko.cli.call import Call
from kivuko.cli.commands import Command

__all__ = ["COMMAND", "work"]

_FLAGS = {
    "secret": "SECRET",
    "name": "NAME",
    "capacity": "CAPACITY",
    "workloops": "WORKLOOPS",
    "repo-dir": "REPO_DIR",
    "egress": "EGRESS",
    "memory": "MAX_RUN_MEMORY_MB",
    "hosts": "HOSTS",
    "grace": "GRACE_SECONDS",
    "port": "PORT",
}


def work(call: Call) -> int:
    """Claim and execute until a signal; 0 when everything under way had ended. Raises InputError for settings that cannot be used."""
    given = {name: _text(call, flag) for flag, name in _FLAGS.items() if call.arguments.has(flag)}
    if allowed := call.arguments.list("allow"):
        given["ALLOW"] = " ".join(allowed)
    if call.arguments.words:
        given["LIGHTNING_SERVICE_URL"] = call.arguments.words[0]
    # Imported now: threads, websockets and all are a quarter of a second that no other command pays.
    remote = importlib.import_module("kivuko.worker.environment").read_environment(call.environment, given)
    importlib.import_module("kivuko.server.logs").set_up_logs("", remote.log_level)
    for name in remote.passed_over:
        call.log.warn(f"{name} means nothing to Kivuko's worker and is passed over")
    code: int = importlib.import_module("kivuko.worker.process").run_worker(remote, call.log.always)
    return code


def _text(call: Call, flag: str) -> str:
    number = call.arguments.number(flag)
    return f"{number:g}" if number is not None else call.arguments.text(flag) or ""


COMMAND = Command(
    name="worker",
    run=work,
    options=(
        Option("secret", "The server's WORKER_SECRET; better in the environment, where nobody sees it in a list of processes", kind="text"),
        Option("name", "What the server shows as the worker's name (default: the host's name)", kind="text"),
        Option("capacity", "How many attempts are executed at once (default: 5)", kind="number"),
        Option("workloops", 'Queues in order of preference, with slots: "fast_lane:1 manual>*:4"', kind="text"),
        Option("repo-dir", "Folder of installed adaptors; what is missing is installed", kind="text"),
        Option(
            "egress", "What jobs may connect to: open, self-hosted (no cloud metadata; default) or multi-tenant (public only)", kind="text"
        ),
        Option("allow", "Destinations (host:port) that are open whatever --egress says", kind="list"),
        Option("memory", "Megabytes of heap of a job where the server says nothing (default: 500)", kind="number"),
        Option("hosts", "How many JavaScript processes at most (default: as many as attempts)", kind="number"),
        Option("grace", "Seconds that attempts under way get when the worker stops (default: 60)", kind="number"),
        Option("port", "Answer GET /livez and /readyz on this port", kind="number"),
    ),
    takes=1,
    about="Takes attempts from a Kivuko server and executes them here; start it on as many machines as you like. The address is that of "
    "any web node, e.g. ws://host:4000/worker (WORKER_LIGHTNING_SERVICE_URL). The WORKER_* variables are those of OpenFn's worker.",
    examples=("worker ws://server:4000/worker", 'worker wss://kivuko.example.org/worker --workloops "fast_lane:1 manual>*:4"'),
)
