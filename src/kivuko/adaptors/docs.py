"""The document of an adaptor's operations, made offline from the installed package (cli.md §3.5, §3.6).

Sources, best first: the declarations (``types``), ``ast.json``, comments in old CommonJS sources, and, for what none of them knows, the
export names alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from kivuko.adaptors.adaptor import Adaptor
from kivuko.adaptors.declarations import Declarations, Function, read_declarations
from kivuko.adaptors.jsdoc import JsDoc
from kivuko.adaptors.layout import Layout, read_json, write_json
from kivuko.adaptors.package import read_package

__all__ = ["adaptor_docs", "read_docs"]

Document = dict[str, object]


def read_docs(layout: Layout, adaptor: Adaptor) -> Document:
    """The document of an adaptor, from ``<repo>/docs`` when it was made before; else made now and kept there, in one atomic step.

    Documents of local folders are made each time. Raises AdaptorProblem when the package cannot be read.
    """
    file = layout.docs / f"{adaptor.name}@{adaptor.version}.json"
    known = read_json(file) if adaptor.origin == "repo" else {}
    if "functions" in known:
        return known
    document = adaptor_docs(adaptor)
    if adaptor.origin == "repo":
        try:
            write_json(file, document)
        except OSError:
            return document  # A repo folder that cannot be written costs making the document again.
    return document


def adaptor_docs(adaptor: Adaptor) -> Document:
    """``{name, version, functions, namespaces}`` in the shape of cli.md §3.6; functions of a namespace are named ``namespace.function``."""
    pages = _Pages(adaptor.folder)
    pages.read()
    exported = set(adaptor.exports)
    functions = {name: entry for name, entry in pages.functions.items() if not exported or name.split(".")[0] in exported}
    for name in adaptor.exports:
        is_known = (
            name in functions or name in pages.namespaces or name == "execute" or any(key.startswith(f"{name}.") for key in functions)
        )
        if not pages.functions and not is_known:
            functions[name] = _entry(Function(name, JsDoc(), (), ""), name, adaptor.name)
    return {
        "name": adaptor.name,
        "version": adaptor.version,
        "functions": [functions[name] for name in sorted(functions)],
        "namespaces": [{"name": name, "type": "namespace"} for name in sorted(pages.namespaces) if not exported or name in exported],
    }


class _Pages:
    """Collects entries from the files of a package, and from language-common for what the package passes on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.functions: dict[str, Document] = {}
        self.namespaces: set[str] = set()
        self.others: dict[str, Mapping[str, Document]] = {}

    def read(self) -> None:
        package = read_package(self.folder)
        if package.types and package.types.is_file():
            self._file(package.types, package.name, "", set())
        self._ast(package.name)
        if not self.functions:
            for source in sorted((self.folder / "lib").glob("*.js")):
                self._own(read_declarations(source.read_text("utf-8", "replace")), package.name, "")

    def _file(self, file: Path, package: str, prefix: str, seen: set[tuple[Path, str]]) -> None:
        if (file, prefix) in seen or not file.is_file():
            return
        seen.add((file, prefix))
        declarations = read_declarations(file.read_text("utf-8", "replace"))
        self._own(declarations, package, prefix)
        for module in declarations.passed_on:
            self._file(_target(file, module), package, prefix, seen)
        for name, module in declarations.namespaces:
            self.namespaces.update([name] if not prefix else [])
            if module.startswith("."):
                self._file(_target(file, module), package, f"{prefix}{name}.", seen)
        self._aliases(declarations, prefix)

    def _own(self, declarations: Declarations, package: str, prefix: str) -> None:
        for function in declarations.functions:
            if function.doc.has("function", "public") and not function.doc.has("private"):
                name = prefix + function.name
                self.functions.setdefault(name, _entry(function, name, package))

    def _aliases(self, declarations: Declarations, prefix: str) -> None:
        for own, there, module in declarations.aliases:
            if module.startswith("."):
                continue
            if module not in self.others:
                self.others[module] = _documents_of(self.folder, module)
            entry = self.others[module].get(there)
            if entry:
                self.functions.setdefault(prefix + own, {**entry, "name": prefix + own})

    def _ast(self, package: str) -> None:
        content = read_json(self.folder / "ast.json")
        for key in ("operations", "common"):
            listed = content.get(key)
            for operation in listed if isinstance(listed, list) else ():
                entry = _ast_entry(operation, package if key == "operations" else "@openfn/language-common")
                if entry:
                    self.functions.setdefault(str(entry["name"]), entry)


def _documents_of(folder: Path, module: str) -> Mapping[str, Document]:
    """Entries of another package, found as Node finds it: in the ``node_modules`` of the folder and above."""
    for parent in (folder, *folder.parents):
        package = parent / "node_modules" / module
        if (package / "package.json").is_file():
            pages = _Pages(package)
            pages.read()
            return pages.functions
    return {}


def _target(file: Path, module: str) -> Path:
    base = (file.parent / module.removesuffix(".js")).resolve()
    return next((path for path in (base.with_name(base.name + ".d.ts"), base / "index.d.ts") if path.is_file()), base)


def _entry(function: Function, name: str, package: str) -> Document:
    doc = function.doc
    return {
        "name": name,
        "type": "function",
        "magic": doc.has("magic", "paramlookup"),
        "isOperation": "operation" in {function.returns.partition("<")[0].lower(), doc.returns.lower()},
        "parameters": [{"name": one.name, "optional": one.optional, "type": one.type or "any"} for one in function.parameters],
        "description": doc.description,
        "examples": [{"code": one.code, **({"caption": one.caption} if one.caption else {})} for one in doc.examples],
        "package": package,
    }


def _ast_entry(operation: object, package: str) -> Document | None:
    """An entry of ``ast.json``: the comment is written out again and read like any other."""
    if not isinstance(operation, dict) or not isinstance(operation.get("docs"), dict):
        return None
    docs = cast("dict[str, object]", operation["docs"])
    tags = tuple(_ast_tags(docs.get("tags")))
    doc = JsDoc(str(docs.get("description") or ""), tags)
    if doc.has("private") or not doc.has("function", "public"):
        return None
    name = str(operation.get("name"))
    return _entry(Function(name, doc, doc.parameters, doc.returns), name, package)


def _ast_tags(tags: object) -> Iterator[tuple[str, str]]:
    for tag in tags if isinstance(tags, list) else ():
        if not isinstance(tag, dict):
            continue
        title, text = str(tag.get("title")), str(tag.get("description") or "")
        if title == "example" and tag.get("caption"):
            text = f"<caption>{tag['caption']}</caption>\n{text}"
        kind = tag.get("type")
        if isinstance(kind, dict):
            words = str(kind.get("name") or json.dumps(kind.get("type")).strip('"'))
            name = tag.get("name") or ""
            is_optional = kind.get("type") == "OptionalType"
            text = f"{{{words}}} {f'[{name}]' if is_optional else name} - {text}" if name else f"{{{words}}} {text}"
        elif tag.get("name"):
            text = f"{tag['name']} - {text}"
        yield title, text
