"""Carrying out reports: all Attempts of a group are locked and loaded once, the reports applied in order, everything written once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kivuko.errors import RecordsError
from kivuko.records import endings, life
from kivuko.records.erasing import erase
from kivuko.records.intents import Handler, Transaction
from kivuko.records.ledger import Ledger
from kivuko.records.life import WireIds
from kivuko.records.reports import (
    Abandon,
    Cancel,
    EndAttempt,
    EndRun,
    Expire,
    Follow,
    HandBack,
    Leave,
    Park,
    Report,
    RunEnded,
    StartAttempt,
    StartRun,
)
from kivuko.records.retrying import Retry, retry
from kivuko.records.rows import Dataclip
from kivuko.records.rules import Rules

__all__ = ["reporter"]


def reporter(rules: Rules) -> Handler:
    """The handler of reports under these rules."""

    def report(transaction: Transaction, reports: Sequence[Report[Any]]) -> list[Any]:
        named = {name for each in reports for name in _names(each)}
        ledger = Ledger(transaction, [each.attempt_id for each in reports], named)
        known = {**_coming(reports), **ledger.on_the_wire}
        outcomes = [_outcome(ledger, each, known, rules) for each in reports]
        ledger.flush()
        erase(ledger, [attempt for attempt in ledger.ended() if rules.erases(attempt.project_id)])
        return outcomes

    return report


def _outcome(ledger: Ledger, report: Report[Any], known: WireIds, rules: Rules) -> object:
    try:
        return _apply(ledger, report, known, rules)
    except RecordsError as error:
        return error


def _apply(ledger: Ledger, report: Report[Any], known: WireIds, rules: Rules) -> object:
    match report:
        case StartAttempt():
            return life.start_attempt(ledger, replace(report, next=_resolved(report, known)))
        case StartRun():
            return life.start_run(ledger, report, known)
        case EndRun():
            return _end_run(ledger, report, known, rules)
        case EndAttempt():
            return endings.end_attempt(ledger, _final_resolved(report, known), rules)
        case Park():
            return endings.park(ledger, report, rules)
        case HandBack():
            return endings.hand_back(ledger, report, rules)
        case Abandon() | Expire():
            return endings.free(ledger, report, rules)
        case Leave():
            return endings.leave(ledger, report, rules)
        case Cancel():
            return endings.cancel(ledger, report, rules)
        case Retry():
            return retry(ledger, report)
    raise TypeError(f"{type(report).__name__} is no report")


def _end_run(ledger: Ledger, report: EndRun, known: WireIds, rules: Rules) -> RunEnded:
    ended = life.end_run(ledger, replace(report, next=_resolved(report, known)), rules)
    if report.ends is None:
        return ended
    return replace(ended, state=endings.end_attempt(ledger, _final_resolved(report.ends, known), rules))


def _coming(reports: Sequence[Report[Any]]) -> WireIds:
    """Our ids of the dataclips that come with these reports, by the ids that workers gave them."""
    clips = [(report.attempt_id, clip) for report in reports for clip in _clips(report) if clip]
    return {(attempt_id, clip.wire_id): clip.id for attempt_id, clip in clips if clip.wire_id}


def _clips(report: Report[Any]) -> list[Dataclip | None]:
    match report:
        case EndRun():
            return [report.output, report.ends.final if report.ends else None]
        case EndAttempt():
            return [report.final]
    return []


def _names(report: Report[Any]) -> list[str]:
    match report:
        case StartRun():
            names = [report.input_wire_id]
        case EndRun():
            names = [*(follow.input_wire_id for follow in report.next), report.ends.final_wire_id if report.ends else None]
        case StartAttempt():
            names = [follow.input_wire_id for follow in report.next]
        case EndAttempt():
            names = [report.final_wire_id]
        case _:
            names = []
    return [name for name in names if name]


def _resolved(report: StartAttempt | EndRun, known: WireIds) -> tuple[Follow, ...]:
    return tuple(
        replace(follow, input_dataclip_id=known.get((report.attempt_id, follow.input_wire_id or ""), follow.input_dataclip_id))
        for follow in report.next
    )


def _final_resolved(report: EndAttempt, known: WireIds) -> EndAttempt:
    if report.final_wire_id is None:
        return report
    return replace(report, final_dataclip_id=known.get((report.attempt_id, report.final_wire_id), report.final_dataclip_id))
