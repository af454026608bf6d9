"""Imports and exports of a job as statements of a script (engine.md §4.2)."""

from __future__ import annotations

import re
from typing import NamedTuple

from tree_sitter import Node

from kivuko.language.edits import Edit, Side, blank
from kivuko.language.refusal import refuse
from kivuko.language.source import SourceText
from kivuko.language.statements import Statements

__all__ = ["ModuleParts", "ScriptNames", "export_names", "module_parts"]

ESCAPE = r"(?s)\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]+)\}|(.))"
PATTERN_NAMES = frozenset({"identifier", "shorthand_property_identifier_pattern"})
WRITTEN_AS_VALUE = frozenset({"function_expression", "generator_function", "class"})


class ScriptNames(NamedTuple):
    """The names of the host script's own variables: modules, exports, operations, defer, deferred with catch, promise, ``import.meta``."""

    modules: str
    exports: str
    operations: str
    defer: str
    caught: str
    promise: str
    meta: str


class ModuleParts:
    """What imports and exports become: declarations before the first line, statements after the last, edits in between.

    ``imports`` maps each specifier that the author names to the names read from it.
    """

    def __init__(self) -> None:
        self.head: list[str] = []
        self.tail: list[str] = []
        self.edits: list[Edit] = []
        self.imports: dict[str, list[str]] = {}


def module_parts(source: SourceText, statements: Statements, names: ScriptNames) -> ModuleParts:
    """Rewrites every import and export. Raises JobSyntaxError for a name that is exported twice."""
    return _Rewriter(source, names).run(statements)


def export_names(source: SourceText, statements: Statements) -> tuple[str, ...]:
    """The names that a module exports, as OpenFn's globals see them: no default, no ``export *``, no destructuring."""
    found: list[str] = []
    for node in statements.nodes:
        if node.type != "export_statement" or any(child.type == "default" for child in node.children):
            continue
        declaration = node.child_by_field_name("declaration")
        if declaration is not None:
            found += [_text(source, name) for name in _declared(declaration) if name.type == "identifier" and _is_plain(name)]
        found += [_name_of(source, specifier)[1] for specifier in _specifiers(node)]
    return tuple(dict.fromkeys(name for name in found if name != "default"))


class _Rewriter:
    def __init__(self, source: SourceText, names: ScriptNames) -> None:
        self.source = source
        self.names = names
        self.parts = ModuleParts()
        self.stars: list[str] = []
        self.exported: set[str] = set()

    def run(self, statements: Statements) -> ModuleParts:
        for node in statements.nodes:
            if node.type == "import_statement":
                self._import(node)
            elif node.type == "export_statement":
                self._export(node)
        x = self.names.exports
        for module in self.stars:  # after the author's own exports, which win
            self.parts.tail.append(f"{{const {{default:_,...r}}={module};for(const k in r)k in {x}||({x}[k]=r[k])}}")
        return self.parts

    def _import(self, node: Node) -> None:
        module = self._module(node)
        names = self.parts.imports[module[1]]
        clause = next((child for child in node.children if child.type == "import_clause"), None)
        for part in clause.named_children if clause is not None else ():
            if part.type == "identifier":
                names.append("default")
                self.parts.head.append(f"const {_text(self.source, part)}={self._default_of(module[0])};")
            elif part.type == "namespace_import":
                self.parts.head.append(f"const {_text(self.source, part.named_children[-1])}={module[0]};")
            elif part.type == "named_imports":
                self._import_names(part, module[0], names)
        self._erase(node)

    def _import_names(self, clause: Node, module: str, names: list[str]) -> None:
        plain: list[str] = []
        for specifier in clause.named_children:
            if specifier.type != "import_specifier":
                continue
            written, local = _raw_names(self.source, specifier)
            name = _unquoted(written)
            names.append(name)
            if name == "default":
                self.parts.head.append(f"const {local}={self._default_of(module)};")
            else:
                plain.append(written if written == local else f"{written}:{local}")
        if plain:
            self.parts.head.append(f"const {{{','.join(plain)}}}={module};")

    def _export(self, node: Node) -> None:
        declaration = node.child_by_field_name("declaration")
        source = node.child_by_field_name("source")
        keyword = next(child for child in node.children if child.type == "export")
        default = next((child for child in node.children if child.type == "default"), None)
        if source is not None:
            self._reexport(node)
        elif default is not None:
            self._export_default(node, keyword, default, declaration)
        elif declaration is not None:
            self.parts.edits.append(blank(self.source, keyword.start_byte, keyword.end_byte))
            for name in _declared(declaration):
                self._give(_text(self.source, name), _text(self.source, name), name)
        else:
            for specifier in _specifiers(node):
                local, exported = _raw_names(self.source, specifier)
                self._give(exported, local, specifier.children[-1])
            self._erase(node)

    def _export_default(self, node: Node, keyword: Node, default: Node, declaration: Node | None) -> None:
        add, source, x = self.parts.edits.append, self.source, self.names.exports
        name = None if declaration is None else declaration.child_by_field_name("name")
        self._claim("default", default)
        if name is not None:
            add(blank(source, keyword.start_byte, keyword.end_byte))
            add(blank(source, default.start_byte, default.end_byte))
            self.parts.tail.append(f"{x}.default={_text(source, name)};")
            return
        add(blank(source, keyword.start_byte, keyword.end_byte, ";"))
        add(Edit(default.start_byte, default.end_byte, (f"{x}.default=".ljust(default.end_byte - default.start_byte),)))
        end = _end_of_declaration(node.child_by_field_name("value"))
        if end is not None:
            add(Edit(end, end, (";",), Side.CLOSE_OPERATION))

    def _reexport(self, node: Node) -> None:
        module, specifier = self._module(node)
        namespace = next((child for child in node.children if child.type == "namespace_export"), None)
        names = self.parts.imports[specifier]
        if namespace is not None:
            self._give(_text(self.source, namespace.named_children[-1]), module, namespace)
        elif any(child.type == "*" for child in node.children):
            self.stars.append(module)
        for part in _specifiers(node):
            local, exported = _raw_names(self.source, part)
            names.append(_unquoted(local))
            value = self._default_of(module) if _unquoted(local) == "default" else f"{module}{_member(local)}"
            self._give(exported, value, part.children[-1])
        self._erase(node)

    def _give(self, exported: str, value: str, node: Node) -> None:
        self._claim(_unquoted(exported), node)
        self.parts.tail.append(f"{self.names.exports}{_member(exported)}={value};")

    def _claim(self, name: str, node: Node) -> None:
        if name in self.exported:
            refuse(self.source, f"Duplicate export '{name}'", node.start_byte)
        self.exported.add(name)

    def _module(self, node: Node) -> tuple[str, str]:
        literal = node.child_by_field_name("source")
        text = "''" if literal is None else _text(self.source, literal)
        specifier = _unquoted(text)
        self.parts.imports.setdefault(specifier, [])
        return f"{self.names.modules}[{text}]", specifier

    def _default_of(self, module: str) -> str:
        return f'"default"in {module}?{module}.default:{module}'

    def _erase(self, node: Node) -> None:
        self.parts.edits.append(blank(self.source, node.start_byte, node.end_byte, ";"))


def _text(source: SourceText, node: Node) -> str:
    return source.slice(node.start_byte, node.end_byte)


def _unquoted(text: str) -> str:
    if text[:1] not in ("'", '"'):
        return text
    return re.sub(ESCAPE, _character, text[1:-1])


def _character(match: re.Match[str]) -> str:
    code = match.group(1) or match.group(2) or match.group(3)
    return chr(int(code, 16)) if code else match.group(4)


def _member(name: str) -> str:
    return f"[{name}]" if name[:1] in ("'", '"') else f".{name}"


def _end_of_declaration(value: Node | None) -> int | None:
    """Where a nameless function or class ends that a default export begins with: as a declaration it ends by itself, an expression does
    not, and tree-sitter takes brackets on the next line for its call."""
    node = value
    while node is not None and node.type not in WRITTEN_AS_VALUE:
        node = node.children[0] if node.type in ("call_expression", "member_expression", "subscript_expression") else None
    return None if node is None else node.end_byte


def _specifiers(node: Node) -> list[Node]:
    clause = next((child for child in node.children if child.type == "export_clause"), None)
    return [] if clause is None else [child for child in clause.named_children if child.type == "export_specifier"]


def _raw_names(source: SourceText, specifier: Node) -> tuple[str, str]:
    """The two names of ``a as b``, as written; one name counts twice."""
    words = [_text(source, child) for child in specifier.children if child.type not in ("as", "comment")]
    return words[0], words[-1]


def _name_of(source: SourceText, specifier: Node) -> tuple[str, str]:
    first, last = _raw_names(source, specifier)
    return _unquoted(first), _unquoted(last)


def _declared(declaration: Node) -> list[Node]:
    """The names that a declaration declares, those in patterns too."""
    name = declaration.child_by_field_name("name")
    if name is not None:
        return [name]
    found: list[Node] = []
    for declarator in declaration.named_children:
        target = declarator.child_by_field_name("name") if declarator.type == "variable_declarator" else None
        waiting = [] if target is None else [target]
        while waiting:
            node = waiting.pop()
            if node.type in PATTERN_NAMES:
                found.append(node)
            else:
                waiting += reversed(_bound_parts(node))
    return found


def _bound_parts(pattern: Node) -> list[Node]:
    if pattern.type == "pair_pattern":
        part = pattern.child_by_field_name("value")
    elif pattern.type in ("assignment_pattern", "object_assignment_pattern"):
        part = pattern.child_by_field_name("left")
    else:
        return pattern.named_children
    return [] if part is None else [part]


def _is_plain(name: Node) -> bool:
    return name.parent is not None and name.parent.type not in ("array_pattern", "rest_pattern", "assignment_pattern", "pair_pattern")
