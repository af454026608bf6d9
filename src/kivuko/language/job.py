"""Jobs and modules → scripts that a host executes."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

from kivuko.language.analysis import Analysis, analyse
from kivuko.language.collector import no_collecting
from kivuko.language.edits import Edit, insertions_of, place_of, render, text_of
from kivuko.language.modules import ModuleParts, export_names, module_parts
from kivuko.language.names import AdaptorNames, refuse_ambiguous
from kivuko.language.script import chain_edits, operation_edits, quirk_edits, script_names, wrapped
from kivuko.language.source import SourceText
from kivuko.language.statements import read_statements
from kivuko.language.syntax import parse
from kivuko.value import fresh, value

__all__ = ["CompiledJob", "Operation", "compile_job", "compile_module", "exported_names", "uses_collections"]


@value
class Operation:
    """An operation as the author wrote it: the called name (None for ``http.get()``), 1-based line, 1-based place in the order."""

    name: str | None
    line: int
    order: int


@value
class CompiledJob:
    """A job, ready for a host.

    ``script`` is one expression for ``vm.Script`` with ``lineOffset: -1``: an async function of modules by specifier, an object that
    receives exports, a list that receives operation thunks, and ``defer(fn, complete, error)``; its promise settles when the job's text has
    been evaluated. ``insertions`` are (1-based line, 0-based column in the script's line, length) in UTF-16 units: a column at or after
    ``column + length`` lies ``length`` further right than in the author's line. ``imports`` are the specifiers of the author's own import
    and export statements, ``modules`` all that the script reads, ``execute_from`` the adaptors of which a name is ``used``, in order.
    ``imported`` gives the names that the author's statements read per specifier: one that is missing there is an error in a module.
    ``doubtful`` says that the parser met something inside a statement which it cannot read: then V8 must also accept ``body`` as the body
    of an async function, which brackets cannot leave (engine.md §4.4).
    """

    source: str
    script: str
    operations: tuple[Operation, ...]
    insertions: tuple[tuple[int, int, int], ...]
    imports: tuple[str, ...]
    modules: tuple[str, ...]
    execute_from: tuple[str, ...]
    used: Mapping[str, tuple[str, ...]]
    imported: Mapping[str, tuple[str, ...]] = fresh(factory=dict)
    doubtful: bool = False
    body: str | None = None


def compile_job(source: str, adaptors: Sequence[AdaptorNames] = (), *, ignore: Collection[str] = ()) -> CompiledJob:
    """Compiles a job (jobs-and-runtime §1). ``ignore`` are the names that the workflow's globals export.

    Raises JobSyntaxError, LazyStateError, SourceTooLarge, and CompileError for a used name that two adaptors export.
    """
    with no_collecting():
        return _compiled_job(source, adaptors, ignore)


def compile_module(source: str) -> CompiledJob:
    """Makes a script of a module as it stands: globals, and jobs run with ``--no-compile``. Only imports and exports are rewritten.

    Raises JobSyntaxError and SourceTooLarge.
    """
    return _compiled(analyse(source, plain=True), [])


def exported_names(source: str) -> tuple[str, ...]:
    """The names that the text of a workflow's globals exports, which no adaptor's names replace (jobs-and-runtime §1.8).

    Raises JobSyntaxError and SourceTooLarge.
    """
    text = SourceText(source)
    tree, _ = parse(text)
    return export_names(text, read_statements(tree))


def uses_collections(source: str) -> bool:
    """Whether a job's text asks for the collections adaptor (OpenFn: any text with ``collections.``)."""
    return "collections." in source


def operation_list(analysis: Analysis) -> tuple[Operation, ...]:
    """The operations in order, with the callee that the author wrote, also of a promise chain."""
    return tuple(Operation(name, line, order) for order, (name, line) in enumerate(analysis.operation_names(), 1))


def _compiled_job(source: str, adaptors: Sequence[AdaptorNames], ignore: Collection[str]) -> CompiledJob:
    """A function of its own, so that nothing but the outcome is left when the collector is on again."""
    analysis = analyse(source, adaptors, ignore)
    refuse_ambiguous(analysis.source, analysis.survey, analysis.used)
    names = script_names(analysis.source)
    edits = operation_edits(analysis.operations, analysis.survey, names)
    edits += chain_edits(analysis.source, analysis.chains, names)
    edits += analysis.lazy.edits
    return _compiled(analysis, edits)


def _compiled(analysis: Analysis, edits: list[Edit]) -> CompiledJob:
    source = analysis.source
    names = script_names(source)
    parts: ModuleParts = module_parts(source, analysis.statements, names)
    edits += parts.edits + quirk_edits(source, analysis.survey, analysis.statements, names)
    edits.sort(key=place_of)
    lines = text_of(source, render(edits, 0, len(source.data)))
    body = "".join([*parts.head, "\n", lines, "\n", *parts.tail])
    bindings = {json.dumps(specifier): used for specifier, used in analysis.used.items()}
    caught = any(chain.catch is not None for chain in analysis.chains)
    return CompiledJob(
        source=source.text,
        script=wrapped(body, names, bindings, caught=caught, meta=bool(analysis.survey.metas)),
        operations=operation_list(analysis),
        insertions=insertions_of(source, edits),
        imports=tuple(parts.imports),
        modules=tuple(dict.fromkeys([*analysis.used, *parts.imports])),
        execute_from=tuple(analysis.used),
        used=analysis.used,
        imported={specifier: tuple(dict.fromkeys(found)) for specifier, found in parts.imports.items()},
        doubtful=analysis.doubtful,
        body=body if analysis.doubtful else None,
    )
