"""Which handler carries out which family of intents."""

from __future__ import annotations

from kivuko.records.claims import claim, set_limits
from kivuko.records.ingest import ingest
from kivuko.records.intents import Handlers
from kivuko.records.leases import register, renew, unpark
from kivuko.records.work import start_work

__all__ = ["HANDLERS"]

HANDLERS: Handlers = {
    "claim": claim,
    "set_limit": set_limits,
    "ingest": ingest,
    "register": register,
    "renew": renew,
    "unpark": unpark,
    "start_work": start_work,
}
