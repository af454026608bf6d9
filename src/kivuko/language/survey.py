"""One walk over a job's tree that notes all the compiler needs: names, declarations, `$`, promise chains, traps."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import NamedTuple

from tree_sitter import Node, Tree

from kivuko.language.scopes import PROGRAM, UNDECLARED, Scopes
from kivuko.language.words import Places

__all__ = ["CHAIN_WORDS", "Frame", "Leaf", "Reference", "Survey", "survey"]

CHAIN_WORDS = frozenset({"then", "catch", "finally"})

FUNCTIONS = frozenset(
    {
        "arrow_function",
        "class_static_block",
        "function_declaration",
        "function_expression",
        "generator_function",
        "generator_function_declaration",
        "method_definition",
    }
)
BLOCKS = frozenset({"statement_block", "for_statement", "for_in_statement", "switch_body", "catch_clause", "class", "class_declaration"})
NAMED_OUTSIDE = frozenset({"function_declaration", "generator_function_declaration", "class_declaration"})
NAMED_INSIDE = frozenset({"function_expression", "generator_function", "class"})
PATTERNS = frozenset({"object_pattern", "array_pattern", "rest_pattern", "assignment_pattern", "object_assignment_pattern", "pair_pattern"})
NAMES = frozenset({"identifier", "shorthand_property_identifier", "shorthand_property_identifier_pattern"})
MEMBERS = frozenset({"member_expression", "subscript_expression"})
LISTED = frozenset({"object_pattern", "array_pattern", "rest_pattern"})
DEFAULTED = frozenset({"assignment_pattern", "object_assignment_pattern"})
NOTED = FUNCTIONS | BLOCKS | PATTERNS | {"class_body", "object", "meta_property", "return_statement", "await_expression"}
"""Kinds of nodes that mean something to the survey by themselves; through all others it only passes."""
NAMING = (NAMED_OUTSIDE | NAMED_INSIDE | PATTERNS).union(
    ("arrow_function", "catch_clause", "for_in_statement", "formal_parameters", "variable_declarator"),
    ("import_clause", "import_specifier", "namespace_import", "export_specifier", "namespace_export"),
)
"""Kinds of nodes right below which a name can be declared, or be that of another module."""
UNCOUNTED = UNDECLARED - 1
ESCAPE = r"\\u(?:\{([0-9a-fA-F]+)\}|([0-9a-fA-F]{4}))"

IN_FUNCTION = 1
IN_BLOCK = 2
IN_PLAIN_OBJECT = 4


class Frame:
    """A node on the way down: its parent's frame, the byte where it ends, its kind and field, its scope, where declared names go, flags."""

    __slots__ = ("end", "field", "flags", "kind", "node", "parent", "scope", "target")

    def __init__(
        self, parent: Frame | None, node: Node, end: int, kind: str, name: str | None, scope: int, flags: int, target: int = UNDECLARED
    ) -> None:
        self.parent = parent
        self.node = node
        self.end = end
        self.kind = kind
        self.field = name
        self.scope = scope
        self.target = target
        self.flags = flags

    @property
    def is_top(self) -> bool:
        """Whether promise chains are rewritten here: no function, block or class around, no plain top-level object."""
        return self.flags == 0


class Leaf(NamedTuple):
    """A node without children, in its parent's frame."""

    node: Node
    field: str | None
    parent: Frame


class Reference(NamedTuple):
    """A name that is used, not declared."""

    name: str
    offset: int
    scope: int


class Survey:
    """What the walk found. ``awaits`` are the starts of top-level statements that await; ``refusals`` are (words, offset)."""

    def __init__(self) -> None:
        self.scopes = Scopes()
        self.references: list[Reference] = []
        self.lazies: list[Leaf] = []
        self.links: list[Frame] = []
        self.awaits: set[int] = set()
        self.metas: list[Node] = []
        self.html_openers: list[int] = []
        self.refusals: list[tuple[str, int]] = []


def survey(tree: Tree, data: bytes, places: Places) -> Survey:
    """Walks those parts of the tree of ``data`` that hold ``places``. Takes time linear in the visited part, and no recursion."""
    return _Walk(tree, data, places).run()


class _Walk:
    def __init__(self, tree: Tree, data: bytes, places: Places) -> None:
        self.tree = tree
        self.data = data  # names are read from here: Node.text copies thousands of bytes for each
        self.everywhere = [*places.everywhere, len(data) + 1]  # the last is never reached
        self.inside = [*places.inside, len(data) + 1]
        self.found = Survey()
        self.statement = 0

    def run(self) -> Survey:
        cursor = self.tree.walk()
        frame = Frame(None, self.tree.root_node, len(self.data), "program", None, PROGRAM, 0)
        offsets, index = self.everywhere, 0
        if not cursor.goto_first_child():
            return self.found
        while True:
            node = cursor.node
            assert node is not None
            end = node.end_byte
            if offsets[index] < end:
                if frame.parent is None:
                    self.statement = node.start_byte
                kind, name = node.type, cursor.field_name
                if cursor.goto_first_child_for_byte(offsets[index]) is not None:
                    if kind not in NOTED:
                        frame = Frame(frame, node, end, kind, name, frame.scope, frame.flags)
                        continue
                    frame = self._enter(frame, node, end, kind, name)
                    if frame.flags & IN_FUNCTION and offsets is not self.inside:
                        offsets = self.inside
                        index = bisect_left(offsets, node.start_byte)
                    continue
                self._leaf(frame, node, kind, name)
                while offsets[index] < end:
                    index += 1
            while offsets[index] >= frame.end or not cursor.goto_next_sibling():
                if frame.parent is None:
                    return self.found
                cursor.goto_parent()
                end, frame = frame.end, frame.parent
                if offsets is self.inside and not frame.flags & IN_FUNCTION:
                    offsets = self.everywhere
                    index = bisect_left(offsets, end)
                while offsets[index] < end:
                    index += 1

    def _enter(self, parent: Frame, node: Node, end: int, kind: str, name: str | None) -> Frame:
        scope, flags = parent.scope, parent.flags
        target = self._pattern_target(parent, kind, name, node) if kind in PATTERNS else UNDECLARED
        if kind in FUNCTIONS:
            scope = self.found.scopes.push(scope, node.start_byte, hoists=True, holds=True)
            flags |= IN_FUNCTION
        elif kind in BLOCKS:
            body = kind == "statement_block" and parent.kind in FUNCTIONS
            scope = self.found.scopes.push(scope, node.start_byte, hoists=body, holds=kind == "catch_clause")
            if kind == "statement_block":
                flags |= IN_BLOCK
        elif kind == "class_body":
            flags |= IN_BLOCK
        elif kind == "object" and self._is_plain(parent, name):
            flags |= IN_PLAIN_OBJECT
        self._note(parent, node, kind, flags)
        return Frame(parent, node, end, kind, name, scope, flags, target)

    def _note(self, parent: Frame, node: Node, kind: str, flags: int) -> None:
        if kind == "meta_property":
            if node.children[0].type == "import":
                self.found.metas.append(node)
            elif not _binds_new_target(parent):
                self.found.refusals.append(("'new.target' can only be used in functions and class static block", node.start_byte))
        elif flags & IN_FUNCTION:
            return
        elif kind == "return_statement":
            self.found.refusals.append(("'return' outside of function", node.start_byte))
        elif kind == "await_expression":
            self.found.awaits.add(self.statement)

    def _leaf(self, parent: Frame, node: Node, kind: str, name: str | None) -> None:
        if kind in NAMES:
            self._name(parent, node, kind, name)
        elif kind == "property_identifier":
            if parent.is_top and parent.kind == "member_expression" and name == "property":
                self._link(parent, node)
        elif kind == "string_fragment":
            if parent.is_top and parent.field == "index" and parent.parent is not None and parent.node.named_child_count == 1:
                self._link(parent.parent, node)
        elif kind == "html_comment":
            arrow = self.data.startswith(b"--", node.start_byte)  # of `-->`, acorn reads the first two signs as an operator
            self.found.refusals.append(("Unexpected token", node.start_byte + 2 * arrow))
        elif kind == "<" and parent.kind == "binary_expression":
            self.found.html_openers.append(node.end_byte)

    def _link(self, member: Frame, word: Node) -> None:
        call = member.parent
        if call is None or member.field != "function" or member.kind not in MEMBERS or call.kind != "call_expression":
            return
        if self._text(word) in CHAIN_WORDS:
            self.found.links.append(member)

    def _text(self, node: Node) -> str:
        return self.data[node.start_byte : node.end_byte].decode()

    def _name(self, parent: Frame, node: Node, kind: str, field_name: str | None) -> None:
        text = self._text(node)
        if "\\" in text:
            text = re.sub(ESCAPE, lambda match: chr(int(match.group(1) or match.group(2), 16)), text)
        target = self._target(parent, field_name, node) if parent.kind in NAMING else UNDECLARED
        if target == UNCOUNTED:
            return
        if target != UNDECLARED:
            self.found.scopes.declare(target, text)
        elif text == "$" and kind == "identifier" and _is_base(parent, field_name):
            if not parent.flags & IN_PLAIN_OBJECT:
                self.found.lazies.append(Leaf(node, field_name, parent))
        else:
            self.found.references.append(Reference(text, node.start_byte, parent.scope))

    def _target(self, parent: Frame, name: str | None, node: Node) -> int:
        """The scope in which a name is declared here; UNDECLARED for a use, UNCOUNTED for a name of another module."""
        kind = parent.kind
        if name == "name" and kind in NAMED_OUTSIDE:
            return parent.parent.scope if parent.parent is not None else PROGRAM
        if name == "name" and kind in NAMED_INSIDE:
            return parent.scope
        if kind in ("import_clause", "namespace_import"):
            return PROGRAM
        if kind == "import_specifier":
            return UNCOUNTED if name == "name" and parent.node.child_by_field_name("alias") is not None else PROGRAM
        if kind == "namespace_export" or (kind == "export_specifier" and (name == "alias" or _is_reexported(parent))):
            return UNCOUNTED
        return self._pattern_target(parent, node.type, name, node)

    def _pattern_target(self, parent: Frame, kind: str, name: str | None, node: Node) -> int:
        outer = parent.kind
        scopes = self.found.scopes
        if outer in LISTED:
            return parent.target
        if outer == "pair_pattern":
            return parent.target if name == "value" else UNDECLARED
        if outer in DEFAULTED:
            return parent.target if name == "left" else UNDECLARED
        if outer == "variable_declarator" and name == "name":
            declaration = parent.parent
            hoisted = declaration is not None and declaration.kind == "variable_declaration"
            return scopes.hoists[parent.scope] if hoisted else parent.scope
        if outer == "formal_parameters" or (name == "parameter" and outer in ("arrow_function", "catch_clause")):
            return parent.scope
        if outer == "for_in_statement" and name == "left":
            return self._loop_target(parent)
        return UNDECLARED

    def _loop_target(self, loop: Frame) -> int:
        keyword = loop.node.child_by_field_name("kind")
        if keyword is None:
            return UNDECLARED
        return self.found.scopes.hoists[loop.scope] if keyword.type == "var" else loop.scope

    def _is_plain(self, parent: Frame, name: str | None) -> bool:
        """Whether an object is the initialiser of a top-level, unexported variable, which the reference leaves alone (§1.4 rule 1)."""
        while parent.kind == "parenthesized_expression" and parent.parent is not None:
            name, parent = parent.field, parent.parent
        declaration = parent.parent
        if parent.kind != "variable_declarator" or name != "value" or declaration is None or declaration.parent is None:
            return False
        return declaration.parent.kind == "program"


def _is_base(parent: Frame, name: str | None) -> bool:
    while parent.kind == "parenthesized_expression" and parent.parent is not None:
        name, parent = parent.field, parent.parent
    return parent.kind in MEMBERS and name == "object"


def _is_reexported(specifier: Frame) -> bool:
    statement = specifier.parent.parent if specifier.parent is not None else None
    return statement is not None and statement.node.child_by_field_name("source") is not None


def _binds_new_target(frame: Frame | None) -> bool:
    while frame is not None:
        if frame.kind == "field_definition" or (frame.kind in FUNCTIONS and frame.kind != "arrow_function"):
            return True
        frame = frame.parent
    return False
