"""The house style, where it can be counted."""

from __future__ import annotations

import ast
import re
import statistics
from collections.abc import Iterator

from house.sources import PACKAGE, Module, functions, modules

VAGUE_NAMES = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}
NAMED_BY_OTHERS = {"platform/sqlite/base.py"}
"""Django asks a database backend for a module of this name."""
MOST_IMPORTS_INSIDE_FUNCTIONS = 10
MOST_BROAD_EXCEPTS = 10


def test_every_module_says_what_it_holds() -> None:
    silent = [str(module) for module in modules() if not ast.get_docstring(module.tree)]
    assert silent == []


def test_every_module_lists_its_public_names() -> None:
    open_ended = [str(module) for module in modules() if module.path.stem != "__main__" and not _lists_names(module)]
    assert open_ended == []


def test_every_public_function_and_class_has_a_docstring() -> None:
    assert [f"{module}: {name}" for module in modules() for name in _undocumented(module)] == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    vague = {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*") if path.stem in VAGUE_NAMES and "node_modules" not in path.parts}
    assert vague - NAMED_BY_OTHERS == set()


def test_modules_are_small() -> None:
    sizes = sorted(module.lines for module in modules())
    assert statistics.median(sizes) <= 120
    assert sizes[int(len(sizes) * 0.95)] <= 400
    assert [str(module) for module in modules() if module.lines > 600] == []


def test_functions_are_short() -> None:
    lengths = sorted(_own_length(function) for module in modules() for function in functions(module))
    long = [f"{module}:{function.name}" for module in modules() for function in functions(module) if _own_length(function) > 50]
    assert lengths[int(len(lengths) * 0.95)] <= 35
    assert len(long) <= len(lengths) * 0.02, long


def test_imports_stand_at_the_top_but_for_a_few_with_a_reason() -> None:
    """At most ten in the whole project; TYPE_CHECKING blocks are no functions and do not count."""
    inside = [f"{module}:{node.lineno}" for module in modules() for function in functions(module) for node in _imports(function)]
    unexplained = [place for place in sorted(set(inside)) if not _explained(place)]
    assert unexplained == []
    assert len(set(inside)) <= MOST_IMPORTS_INSIDE_FUNCTIONS, sorted(set(inside))


def test_no_error_is_swallowed_by_a_bare_except_and_few_are_broad() -> None:
    handlers = [(module, node) for module in modules() for node in ast.walk(module.tree) if isinstance(node, ast.ExceptHandler)]
    assert [f"{module}:{handler.lineno}" for module, handler in handlers if handler.type is None] == []
    broad = [f"{module}:{handler.lineno}" for module, handler in handlers if _is_broad(handler)]
    assert len(broad) <= MOST_BROAD_EXCEPTS, broad


def test_nothing_is_left_to_do_in_the_sources() -> None:
    marks = ("TO" + "DO", "FIX" + "ME", "XX" + "X")
    found = [f"{module}:{n}" for module in modules() for n, line in enumerate(module.text.splitlines(), 1) if any(m in line for m in marks)]
    assert found == []


def _lists_names(module: Module) -> bool:
    assigned = [node.targets[0] for node in module.tree.body if isinstance(node, ast.Assign)]
    return any(isinstance(target, ast.Name) and target.id == "__all__" for target in assigned)


def _undocumented(module: Module) -> Iterator[str]:
    for node in module.tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        if not ast.get_docstring(node):
            yield node.name
        for inner in node.body if isinstance(node, ast.ClassDef) else []:
            if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_") and not ast.get_docstring(inner):
                yield f"{node.name}.{inner.name}"


def _own_length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines without the docstring."""
    length = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        length -= (first.end_lineno or first.lineno) - first.lineno + 1
    return length


def _imports(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.stmt]:
    return (node for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom))


def _explained(place: str) -> bool:
    """Whether a comment stands on the line, or on the imports and the line above it."""
    path, _, number = place.rpartition(":")
    lines = next(module for module in modules() if str(module) == path).text.splitlines()[: int(number)]
    while "#" not in lines[-1] and re.match(r"\s*(from|import) ", lines[-1]):
        lines.pop()
    return "#" in lines[-1]


def _is_broad(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"} for kind in kinds)
