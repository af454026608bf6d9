"""What a job's text means: the one analysis behind the host script and the portable form."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from tree_sitter import Node

from kivuko.language.chains import Chain, find_chains
from kivuko.language.lazy import LazyState, resolve_lazies
from kivuko.language.names import AdaptorNames, bindable_names, used_names
from kivuko.language.refusal import refuse
from kivuko.language.source import SourceText
from kivuko.language.statements import OperationCall, Statements, read_statements
from kivuko.language.survey import Survey, survey
from kivuko.language.syntax import parse, unwrapped
from kivuko.language.words import find_places
from kivuko.value import value

__all__ = ["Analysis", "analyse"]


@value
class Analysis:
    """A job's statements and names, its ``$``, its chains, its operations, and the adaptor exports that it uses."""

    source: SourceText
    doubtful: bool
    statements: Statements
    survey: Survey
    lazy: LazyState
    chains: tuple[Chain, ...]
    operations: tuple[OperationCall, ...]
    used: Mapping[str, tuple[str, ...]]

    def operation_names(self) -> Iterator[tuple[str | None, int]]:
        """Called name and line of each operation; of a chain, those of the operation at its root."""
        roots = {chain.end: chain.root for chain in self.chains}
        for operation in self.operations:
            root = unwrapped(roots.get(operation.call.end_byte, operation.call))
            function = root.child_by_field_name("function")
            yield self._identifier(function), self.source.line_of(operation.call.start_byte)

    def _identifier(self, function: Node | None) -> str | None:
        name = None if function is None else unwrapped(function)
        return None if name is None or name.type != "identifier" else self.source.slice(name.start_byte, name.end_byte)


def analyse(
    text: str,
    adaptors: Sequence[AdaptorNames] = (),
    ignore: Collection[str] = (),
    *,
    also: Collection[str] = (),
    plain: bool = False,
) -> Analysis:
    """Reads a job. ``also`` are further names whose uses the survey notes; ``plain`` leaves ``$``, chains and operations alone.

    Raises JobSyntaxError, LazyStateError and SourceTooLarge.
    """
    source = SourceText(text)
    tree, doubtful = parse(source)
    bindable = bindable_names(adaptors, ignore)
    names = {name for found in bindable.values() for name in found}
    if not plain:
        names |= {"$", *also}
    found = survey(tree, source.data, find_places(source.data, names))
    for words, offset in found.refusals[:1]:
        refuse(source, words, offset)
    statements = read_statements(tree)
    if plain:
        return Analysis(source, doubtful, statements, found, LazyState((), ()), (), (), {})
    lazy = resolve_lazies(source, found)
    operations = tuple(call for call in statements.operations if not lazy.covers(call.call.start_byte, call.call.end_byte))
    chains = find_chains(found, lazy)
    return Analysis(source, doubtful, statements, found, lazy, chains, operations, used_names(found, lazy, bindable))
