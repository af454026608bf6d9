"""The host script: an async function for ``vm.Script`` that holds the author's own lines, edited in place (engine.md §4.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kivuko.language.chains import Chain
from kivuko.language.edits import Edit, Side, blank
from kivuko.language.modules import ScriptNames
from kivuko.language.names import fresh_name
from kivuko.language.source import SourceText
from kivuko.language.statements import OperationCall, Statements
from kivuko.language.survey import Survey

__all__ = ["chain_edits", "operation_edits", "quirk_edits", "script_names", "wrapped"]


def script_names(source: SourceText) -> ScriptNames:
    """Names that occur nowhere in the source."""
    stem = fresh_name(source, "__k")
    return ScriptNames(f"{stem}M", f"{stem}X", f"{stem}O", f"{stem}D", f"{stem}C", f"{stem}p", f"{stem}meta")


def operation_edits(operations: Iterable[OperationCall], survey: Survey, names: ScriptNames) -> list[Edit]:
    """Each operation becomes a thunk, so that it is made after all other statements."""
    edits: list[Edit] = []
    for operation in operations:
        word = "async()" if operation.statement.start_byte in survey.awaits else "()"
        start, end = operation.expression.start_byte, operation.expression.end_byte
        edits.append(Edit(start, start, (f";{names.operations}.push({word}=>(",), Side.OPEN_OPERATION))
        edits.append(Edit(end, end, ("));",), Side.CLOSE_OPERATION))
    return edits


def chain_edits(source: SourceText, chains: Iterable[Chain], names: ScriptNames) -> list[Edit]:
    """Chains in place: ``D(op,p=>p.then(f))``; with a catch next to the operation ``C(op,f)(p=>p.then(g))``, so that nothing moves."""
    edits: list[Edit] = []
    promise = f"{names.promise}=>{names.promise}"
    for chain in chains:
        opening = names.defer if chain.catch is None else names.caught
        edits.append(Edit(chain.start, chain.start, (f"{opening}(",), Side.OPEN_CHAIN))
        edits += [blank(source, place, place + 1) for place in chain.brackets]
        catch = chain.catch
        if catch is None:
            edits.append(Edit(chain.root_end, chain.root_end, (f",{promise}",), Side.CLOSE_CHAIN))
        else:
            edits += [blank(source, start, end) for start, end in catch.words]
            edits.append(blank(source, catch.bracket, catch.bracket + 1, "," if catch.first else ""))
            edits.append(Edit(catch.end, catch.end, ("(" if catch.end == chain.end else f"({promise}",), Side.CLOSE_CHAIN))
        edits.append(Edit(chain.end, chain.end, (")",), Side.CLOSE_CHAIN))
    return edits


def quirk_edits(source: SourceText, survey: Survey, statements: Statements, names: ScriptNames) -> list[Edit]:
    """What a script reads otherwise than a module: ``import.meta``, ``a<!--b``, the hashbang line."""
    edits = [blank(source, node.start_byte, node.end_byte, names.meta) for node in survey.metas]
    edits += [Edit(place, place, (" ",), Side.CLOSE_ARROW) for place in survey.html_openers]
    if statements.hashbang is not None:
        start = statements.hashbang.start_byte
        edits.append(Edit(start, start + 2, ("//",)))
    return edits


def wrapped(body: str, names: ScriptNames, modules: Mapping[str, Iterable[str]], *, caught: bool, meta: bool) -> str:
    """The whole script around the edited body. ``modules`` are the adaptors' used names by specifier literal."""
    n = names
    head = [f"(async function({n.modules},{n.exports},{n.operations},{n.defer}){{'use strict';"]
    head += [f"const {{{','.join(used)}}}={n.modules}[{specifier}];" for specifier, used in modules.items()]
    if caught:
        head.append(f"const {n.caught}=(f,e)=>c=>{n.defer}(f,c,e);")
    if meta:
        head.append(f"const {n.meta}={{}};")
    return "".join([*head, "return (async function(){", body, "})()})"])
