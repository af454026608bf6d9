"""Which handler carries out which family of intents."""

from __future__ import annotations

from kivuko.records.claims import claim, set_limits
from kivuko.records.departed import forget_workers
from kivuko.records.editing import edit
from kivuko.records.ingest import ingest
from kivuko.records.intents import Handlers
from kivuko.records.leases import register, renew, unpark
from kivuko.records.logs import write_logs
from kivuko.records.naming import name_dataclips
from kivuko.records.notices import dismiss
from kivuko.records.pins import pin
from kivuko.records.reporting import reporter
from kivuko.records.retention import delete_history, forget, vacuum, wipe_bodies
from kivuko.records.rules import NoRules, Rules
from kivuko.records.work import start_work

__all__ = ["handlers"]


def handlers(rules: Rules | None = None) -> Handlers:
    """The handlers of all families, under the rules of the projects (none when not given)."""
    return {
        "claim": claim,
        "delete_history": delete_history,
        "dismiss": dismiss,
        "edit": edit,
        "forget": forget,
        "forget_workers": forget_workers,
        "ingest": ingest,
        "log": write_logs,
        "name_dataclip": name_dataclips,
        "pin": pin,
        "register": register,
        "renew": renew,
        "report": reporter(rules or NoRules()),
        "set_limit": set_limits,
        "start_work": start_work,
        "unpark": unpark,
        "vacuum": vacuum,
        "wipe_bodies": wipe_bodies,
    }
