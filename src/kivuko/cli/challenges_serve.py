"""``kivuko challenges serve``: the loopback API of the challenges, until Ctrl-C."""

from __future__ import annotations

from kivuko.cli.arguments import Option
from kivuko.cli.call import Call
from kivuko.cli.challenges.api import DEFAULT_PORT, ROUTES, ChallengeApi
from kivuko.cli.challenges.tasks import TASKS
from kivuko.cli.commands import Command

__all__ = ["COMMAND", "serve"]


def serve(call: Call) -> int:
    """Serve until interrupted. The address is printed first, so that scripts can wait for it."""
    port = call.arguments.number("port")
    with ChallengeApi(DEFAULT_PORT if port is None else int(port)) as api:
        call.log.always(f"Serving the challenges at {api.url} (Ctrl-C ends it)")
        for path in ROUTES:
            call.log.always(f"  {api.url}{path}")
        for task in TASKS:
            call.log.always(f"{task.number}. {task.title}: write {task.files[0]} with the adaptor {task.adaptor}: {task.goal}")
        call.log.always(f"Then run: {call.program} challenges check")
        api.wait()
    return 0


COMMAND = Command(
    name="challenges-serve",
    run=serve,
    options=(Option("port", f"Port on this machine ({DEFAULT_PORT}; 0 takes any that is free)", ("p",), "number"),),
    about="Serves the small data sets of the six CLI challenges on this machine only, in place of public hosts, so that they work offline. "
    "Ctrl-C ends it.",
    examples=("challenges serve", "challenges serve --port 8080"),
)
