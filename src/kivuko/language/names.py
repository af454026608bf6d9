"""Which adaptor exports a job uses (jobs-and-runtime §1.8, §1.9)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from kivuko.errors import CompileError
from kivuko.language.lazy import LazyState
from kivuko.language.scopes import UNDECLARED
from kivuko.language.source import SourceText
from kivuko.language.survey import Reference, Survey
from kivuko.value import value

__all__ = ["AdaptorNames", "bindable_names", "fresh_name", "refuse_ambiguous", "used_names"]

RESERVED = frozenset(
    (
        *("arguments", "await", "break", "case", "catch", "class", "const", "continue", "debugger", "default", "delete", "do", "else"),
        *("enum", "eval", "export", "extends", "false", "finally", "for", "function", "if", "implements", "import", "in", "instanceof"),
        *("interface", "let", "new", "null", "package", "private", "protected", "public", "return", "static", "super", "switch", "this"),
        *("throw", "true", "try", "typeof", "var", "void", "while", "with", "yield", "undefined", "NaN", "Infinity"),
    )
)


@value
class AdaptorNames:
    """The export names of a loaded adaptor; ``specifier`` is what job code imports, without version."""

    specifier: str
    names: tuple[str, ...]


def bindable_names(adaptors: Sequence[AdaptorNames], ignore: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Per adaptor the exports that can be names of a job: identifiers, not reserved, not exported by the workflow's globals
    (``ignore``)."""
    hidden = RESERVED.union(ignore)
    found: dict[str, tuple[str, ...]] = {}
    for adaptor in adaptors:
        names = (name for name in adaptor.names if name not in hidden and name.replace("$", "_").isidentifier())
        found.setdefault(adaptor.specifier, tuple(dict.fromkeys(names)))
    return found


def used_names(survey: Survey, lazy: LazyState, bindable: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Per adaptor of which anything is used, the used names in the adaptor's order."""
    free: set[str] = set()
    for reference in survey.references:
        if reference.name not in free and _is_free(reference, survey, lazy):
            free.add(reference.name)
    used = ((specifier, tuple(name for name in names if name in free)) for specifier, names in bindable.items())
    return {specifier: names for specifier, names in used if names}


def refuse_ambiguous(source: SourceText, survey: Survey, used: Mapping[str, tuple[str, ...]]) -> None:
    """Raises CompileError when two adaptors export the same used name (§1.8)."""
    owners: dict[str, str] = {}
    for specifier, names in used.items():
        for name in names:
            if name in owners:
                place = next(reference.offset for reference in survey.references if reference.name == name)
                raise _ambiguous(source, name, place, owners[name], specifier)
            owners[name] = specifier


def fresh_name(source: SourceText, wish: str) -> str:
    """``wish``, or ``wish`` with the smallest number that makes it a text the source does not contain."""
    name, number = wish, 1
    while name.encode() in source.data:
        number += 1
        name = f"{wish}{number}"
    return name


def _is_free(reference: Reference, survey: Survey, lazy: LazyState) -> bool:
    if reference.name == "state" and lazy.covers(reference.offset, reference.offset):
        return False
    return survey.scopes.resolve(reference.scope, reference.name) == UNDECLARED


def _ambiguous(source: SourceText, name: str, offset: int, one: str, other: str) -> CompileError:
    line, column = source.position(offset)
    return CompileError(
        f"Identifier '{name}' has already been declared: both {one} and {other} export it ({line}:{column})",
        line=line,
        column=column,
        fix=f"Import it from the adaptor you mean: import {{ {name} }} from '{one}'.",
    )
