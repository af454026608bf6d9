"""The portable form of a job: an ES module in the reference's shape, for any OpenFn-compatible runtime (jobs-and-runtime §1.10)."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from operator import itemgetter

from kivuko.language.analysis import Analysis, analyse
from kivuko.language.chains import Chain
from kivuko.language.cuts import Cut, cuts_of
from kivuko.language.edits import Copy, Edit, Piece, Side, place_of, render, stripped, text_of, within
from kivuko.language.job import Operation, operation_list
from kivuko.language.names import AdaptorNames, fresh_name
from kivuko.language.sourcemap import mappings_of
from kivuko.value import value

__all__ = ["PortableModule", "compile_portable"]

LINE_WIDTH = 74  # beyond it the reference prints each operation on a line of its own (recast: wrapColumn)


@value
class PortableModule:
    """A compiled job as text. ``source_map`` is of version 3 with the operations as an extra key (cli.md §3.2)."""

    code: str
    operations: tuple[Operation, ...]
    source_map: Mapping[str, object]


def compile_portable(
    source: str, adaptors: Sequence[AdaptorNames] = (), *, ignore: Collection[str] = (), name: str = "src"
) -> PortableModule:
    """Compiles a job to a module: imports, ``export *``, other statements, ``export default [operations]``. ``name`` is the step's, for the
    map.

    Raises JobSyntaxError, LazyStateError and SourceTooLarge. A used name that two adaptors export is imported from both, as in the
    reference: such a module cannot be loaded.
    """
    analysis = analyse(source, adaptors, ignore, also=("p",))
    pieces = _Printer(analysis).run()
    operations = operation_list(analysis)
    source_map: dict[str, object] = {
        "version": 3,
        "sources": [f"{name}.js"],
        "names": [],
        "mappings": mappings_of(analysis.source, pieces),
        "file": f"{name}.map.js",
        "sourcesContent": [analysis.source.text],
        "operations": [_as_json(operation) for operation in operations],
    }
    return PortableModule(text_of(analysis.source, pieces), operations, source_map)


def _as_json(operation: Operation) -> dict[str, object]:
    known: dict[str, object] = {} if operation.name is None else {"name": operation.name}
    return {**known, "line": operation.line, "order": operation.order}


class _Printer:
    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.source = analysis.source
        self.data = analysis.source.data
        self.helper = fresh_name(analysis.source, "_defer")
        self.edits = sorted([*analysis.lazy.edits, *self._chain_edits()], key=place_of)
        self._move_catches()

    def run(self) -> list[Piece]:
        operations = [render(self.edits, call.expression.start_byte, call.expression.end_byte) for call in self.analysis.operations]
        cuts = cuts_of(self.data, self.analysis.statements, self.analysis.operations)
        parts = [self._hashbang(), *self._adaptor_imports()]
        after_imports = self._end_of_imports() if self.analysis.chains else None
        helper: list[Piece] = [f'import {{ defer as {self.helper} }} from "@openfn/runtime";']
        if after_imports is None:
            parts += [helper] if self.analysis.chains else []
            parts.append(self._body(cuts, operations, 0))
        else:
            parts += [self._trimmed(0, after_imports), helper, self._body(cuts, operations, after_imports)]
        if self.analysis.statements.default is None:
            parts.append(["export default [", *self._listed(operations), "];"])
        return _joined(part for part in parts if part)

    def _hashbang(self) -> list[Piece]:
        node = self.analysis.statements.hashbang
        return [] if node is None else [Copy(node.start_byte, node.end_byte)]

    def _adaptor_imports(self) -> list[list[Piece]]:
        """The reference puts each adaptor above the one before."""
        found: list[list[Piece]] = []
        for specifier, names in reversed(tuple(self.analysis.used.items())):
            literal = json.dumps(specifier)
            found.append([f"import {{ {', '.join(names)} }} from {literal};\nexport * from {literal};"])
        return found

    def _end_of_imports(self) -> int | None:
        end = None
        for node in self.analysis.statements.nodes:
            if node.type != "import_statement":
                break
            end = node.end_byte
        return end

    def _body(self, cuts: list[Cut], operations: list[list[Piece]], start: int) -> list[Piece]:
        """The author's text from ``start`` without operations, which go into an array of the author's own if there is one."""
        edits: list[Edit] = []
        place = 0
        for cut in cuts:
            low, high = within(self.edits, cut.start, cut.end)
            edits += self.edits[place:low]
            edits.append(Edit(cut.start, cut.end, (cut.instead,) if cut.instead else ()))
            place = high
        edits += self.edits[place:]
        array = self.analysis.statements.array
        if array is not None and operations:
            given = [child for child in array.named_children if child.type != "comment"]
            comma = "" if not given or self.data[given[-1].end_byte : array.end_byte - 1].lstrip().startswith(b",") else ", "
            pieces = (comma, *self._listed(operations))
            edits.append(Edit(array.end_byte - 1, array.end_byte - 1, pieces, Side.CLOSE_OPERATION))
            edits.sort(key=place_of)
        node = self.analysis.statements.hashbang
        start = max(start, 0 if node is None else node.end_byte)
        start += len(b"\xef\xbb\xbf") if self.data.startswith(b"\xef\xbb\xbf") and start == 0 else 0
        return stripped(self.data, render(edits, start, len(self.data)))

    def _trimmed(self, start: int, end: int) -> list[Piece]:
        return stripped(self.data, render(self.edits, start, end))

    def _listed(self, operations: list[list[Piece]]) -> list[Piece]:
        one_line = _first_line_width(", ".join(text_of(self.source, pieces) for pieces in operations)) <= LINE_WIDTH
        found: list[Piece] = []
        for index, pieces in enumerate(operations):
            if one_line:
                found += [", "] if index else []
            else:
                found.append(",\n  " if index else "\n  ")
            found += pieces
        return found if one_line else [*found, "\n"]

    def _chain_edits(self) -> list[Edit]:
        edits: list[Edit] = []
        for chain in self.analysis.chains:
            edits.append(Edit(chain.start, chain.start, (f"{self.helper}(",), Side.OPEN_CHAIN))
            edits += [Edit(place, place + 1, ()) for place in chain.brackets if chain.catch is None or not _in_catch(chain, place)]
            if chain.catch is None:
                edits.append(Edit(chain.root_end, chain.root_end, (self._rest_of(chain),), Side.CLOSE_CHAIN))
                edits.append(Edit(chain.end, chain.end, (")",), Side.CLOSE_CHAIN))
        return edits

    def _move_catches(self) -> None:
        """An adjacent catch moves behind the rest of its chain; inner ones first, so that each is complete when it moves."""
        moving = [chain for chain in self.analysis.chains if chain.catch is not None]
        for chain in sorted(moving, key=lambda chain: chain.catch.end if chain.catch else 0):
            catch = chain.catch
            assert catch is not None
            handler = render(self.edits, *catch.first) if catch.first else []
            low, high = within(self.edits, chain.root_end, catch.end)
            rest = self._rest_of(chain) if catch.end < chain.end else ", undefined" if handler else ""
            self.edits[low:high] = [Edit(chain.root_end, catch.end, (rest,))]
            close = Edit(chain.end, chain.end, (*([", "] if handler else []), *handler, ")"), Side.CLOSE_CHAIN)
            self.edits.insert(bisect_left(self.edits, place_of(close), key=place_of), close)

    def _rest_of(self, chain: Chain) -> str:
        start = chain.root_end if chain.catch is None else chain.catch.end
        name = "p" if not self._reads_p(chain, start) else self.other_p
        return f", {name} => {name}"

    def _reads_p(self, chain: Chain, start: int) -> bool:
        """Whether the rest of a chain reads a variable ``p`` of its surroundings, which the arrow's parameter would hide."""
        low, high = (bisect_left(self.reads_of_p, place, key=itemgetter(0)) for place in (start, chain.end))
        return any(owner <= chain.start for _, owner in self.reads_of_p[low:high])

    @cached_property
    def reads_of_p(self) -> list[tuple[int, int]]:
        """Where ``p`` is read, and where the scope that declares it begins (-1: it is free)."""
        scopes = self.analysis.survey.scopes
        found = []
        for name, offset, scope in self.analysis.survey.references:
            if name == "p":
                owner = scopes.resolve(scope, "p")
                found.append((offset, scopes.starts[owner] if owner >= 0 else -1))
        return found

    @cached_property
    def other_p(self) -> str:
        """A parameter's name for chains that read a ``p`` of their own."""
        return fresh_name(self.source, "p")


def _in_catch(chain: Chain, place: int) -> bool:
    return chain.catch is not None and chain.root_end <= place < chain.catch.end


def _first_line_width(text: str) -> int:
    return len(text.split("\n", 1)[0])


def _joined(parts: Iterable[list[Piece]]) -> list[Piece]:
    found: list[Piece] = []
    for part in parts:
        found += ["\n", *part] if found else part
    return found
