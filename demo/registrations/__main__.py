"""The demo of the command line: a real integration on this machine, run by `kivuko`. Start it with `make demo STORY=registrations`.

Two small systems are started on loopback; one workflow of three jobs fetches 50 patient registrations from the first, maps them to FHIR and
uploads them to the second. Exit code 0 when the workflow ran, whatever the FHIR server refused: refusals are part of the story.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo.installed import REPO, ROOT, install_adaptors, kivuko_command
from demo.registrations.servers import FhirServer, FormSystem
from demo.screen import Screen

HERE = Path(__file__).resolve().parent
OUTPUT = HERE.parent / "output" / "result.json"
CREDENTIALS = HERE.parent / "output" / "credentials.json"
ADAPTORS = ("@openfn/language-http@7.2.10", "@openfn/language-common@3.3.4")
FILES = {step: f"demo/registrations/jobs/{step}.js" for step in ("fetch", "map", "upload")}
_DONE = re.compile(r"✔ (\S+) completed in (\S+)")
_FAILED = re.compile(r"✘ (\S+) (aborted with error|failed)")
_SAID = re.compile(r"\[JOB\] \S+ (.*)")


@dataclass
class Story:
    """What a run told while it went on: the log, and its length in seconds."""

    log: list[str] = field(default_factory=list)
    exit_code: int = 0
    seconds: float = 0.0


def main() -> int:
    """Run the demo and explain it. The exit code: 0, or 1 when the workflow could not run."""
    screen = Screen()
    kivuko = kivuko_command(screen)
    if kivuko is None:
        return 1
    screen.title(
        "Kivuko: every message crosses",
        "Three clinics register patients in a form system. The ministry's FHIR server wants to know them. A workflow of three jobs, "
        "written in OpenFn's job language, carries them across with the real npm adaptors. Everything runs on this machine.",
    )
    with FormSystem(HERE / "registrations.json") as forms, FhirServer() as fhir:
        screen.heading("The systems")
        screen.fact("form system", forms.url, f"{len(forms.registrations)} registrations, typed by hand")
        screen.fact("FHIR server", fhir.url, "refuses what is incomplete, impossible or known")
        if not install_adaptors(kivuko, ADAPTORS, screen):
            return 1
        story = run_workflow(kivuko, screen, forms, fhir)
    if story.exit_code:
        screen.error(f"The workflow did not run to its end (exit code {story.exit_code}). This is what kivuko said:")
        screen.text("\n".join(story.log))
        return 1
    show_result(screen, json.loads(OUTPUT.read_text(encoding="utf-8")), story)
    show_next(screen, typed(kivuko))
    return 0


def run_workflow(kivuko: str, screen: Screen, forms: FormSystem, fhir: FhirServer) -> Story:
    """Run the workflow as somebody would at the prompt, and show each step as it ends."""
    OUTPUT.parent.mkdir(exist_ok=True)
    CREDENTIALS.write_text(json.dumps(credential_map(forms, fhir), indent=2), encoding="utf-8")
    files = {"--credentials": CREDENTIALS, "-o": OUTPUT, "--repo-dir": REPO}
    command = ["demo/registrations/workflow.json", *(word for flag, path in files.items() for word in (flag, str(path.relative_to(ROOT))))]
    screen.heading("The run")
    screen.command(shlex.join([typed(kivuko), *command]))
    return follow([kivuko, *command], screen)


def typed(kivuko: str) -> str:
    """The command as somebody would type it in the project's folder."""
    return "kivuko" if shutil.which("kivuko") == kivuko else os.path.relpath(kivuko, ROOT)


def credential_map(forms: FormSystem, fhir: FhirServer) -> dict[str, dict[str, str]]:
    """The credentials that the workflow names, kept out of its file (spec of the file: docs, credential map)."""
    return {
        "form-system": {"baseUrl": forms.url, "username": forms.username, "password": forms.password},
        "fhir-server": {"baseUrl": f"{fhir.url}/fhir", "access_token": fhir.access_token},
    }


def follow(command: list[str], screen: Screen) -> Story:
    """Start the command and read its log while it runs."""
    story, said, began = Story(), "", time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True, encoding="utf-8") as process:
        assert process.stdout
        for line in process.stdout:
            story.log.append(line.rstrip("\n"))
            if found := _SAID.match(line):
                said = found[1]
            elif found := _DONE.search(line):
                screen.step(found[1], said, found[2], FILES.get(found[1], ""))
            elif found := _FAILED.search(line):
                screen.failed_step(found[1], said)
    story.exit_code = process.returncode
    story.seconds = time.monotonic() - began
    return story


def show_result(screen: Screen, result: dict[str, Any], story: Story) -> None:
    """What was stored, what was refused and why, and how long it took."""
    stored, refused = result["stored"], result["refused"]
    total = len(stored) + len(refused)
    screen.heading("The result")
    screen.share(len(stored), len(refused), f"{len(stored)} of {total} patients stored, {len(refused)} refused")
    rows = [
        {"form": one["form"], "patient": one["name"], "clinic": one["clinic"], "why it was refused": "; ".join(one["why"])}
        for one in refused
    ]
    screen.table(rows, {"form": 8, "patient": 22, "clinic": 24, "why it was refused": 0})
    screen.text(
        f"All of it took {story.seconds:.2f} s, start of the programs included. The refused ones stopped nobody else: the job\n"
        "asked the adaptor not to throw on 409 and 422, and wrote the server's reasons into the final state."
    )


def show_next(screen: Screen, kivuko: str) -> None:
    """Where to go from here."""
    screen.heading("Look at next")
    screen.choice("the three jobs", "demo/registrations/jobs/fetch.js  map.js  upload.js")
    screen.choice("the workflow: steps, adaptors, edges", "demo/registrations/workflow.json")
    screen.choice("the final state of this run", str(OUTPUT.relative_to(ROOT)))
    screen.choice("what an adaptor can do", f"{kivuko} docs http post")
    screen.choice("six exercises, from hello to filters", f"{kivuko} challenges serve")
    screen.choice("change a job, and run again", "make demo STORY=registrations")


if __name__ == "__main__":
    sys.exit(main())
