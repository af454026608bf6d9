"""``kivuko doctor``: looks at this machine and says how to mend what is wrong (cli.md §3.14)."""

from __future__ import annotations

from kivuko.cli.adaptors_in_use import AdaptorsInUse
from kivuko.cli.call import Call
from kivuko.cli.commands import Command
from kivuko.cli.health import CHECKS, Finding, Patient
from kivuko.cli.own_engine import open_engine
from kivuko.cli.progress import Progress
from kivuko.cli.shared import JSON, REPO_DIR

__all__ = ["COMMAND", "doctor"]


def doctor(call: Call) -> int:
    """Tell every finding; 0 when nothing failed, else 1."""
    findings: list[Finding] = []
    with open_engine(call) as engine, Progress(call) as progress:
        patient = Patient(call, engine, AdaptorsInUse.of(call, engine, progress))
        for check in CHECKS:
            progress.show("Examining")
            for finding in check(patient):
                progress.clear()
                findings.append(finding)
                _tell(call, finding)
    failed = sum(finding.verdict == "failed" for finding in findings)
    warned = sum(finding.verdict == "warning" for finding in findings)
    call.log.always(
        f"{len(findings)} checks: {failed} failed, {warned} warnings" if failed or warned else f"{len(findings)} checks: all is well"
    )
    call.result(
        {
            "ok": not failed,
            "checks": [{"what": one.what, "verdict": one.verdict, "found": one.found, "fix": one.fix or None} for one in findings],
        }
    )
    return 1 if failed else 0


def _tell(call: Call, finding: Finding) -> None:
    write = {"ok": call.log.success, "warning": call.log.warn, "failed": call.log.error}[finding.verdict]
    write(f"{finding.what}: {finding.found}")
    if finding.fix:
        write(f"   {finding.fix}")


COMMAND = Command(
    name="doctor",
    run=doctor,
    options=(REPO_DIR, JSON),
    about="Looks at Python, Node.js, npm, the sandbox, the folder of adaptors, every installed adaptor and .env, and says in one "
    "sentence how to mend what is wrong. Shows no secret.",
)
