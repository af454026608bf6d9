"""Which handler carries out which family of intents."""

from __future__ import annotations

from kivuko.records.ingest import ingest
from kivuko.records.intents import Handlers
from kivuko.records.work import start_work

__all__ = ["HANDLERS"]

HANDLERS: Handlers = {
    "ingest": ingest,
    "start_work": start_work,
}
