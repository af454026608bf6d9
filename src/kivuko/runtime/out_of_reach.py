"""What jobs cannot reach although other JavaScript can: Node's modules, and names of Node and of browsers, with what to use instead."""

from __future__ import annotations

import re

__all__ = ["advice_on_module", "advice_on_name"]

_GUIDE = 'docs/guides/writing-jobs.md, "What a job can reach"'

_MODULE = re.compile(
    r"(assert|async_hooks|buffer|child_process|cluster|console|constants|crypto|dgram|diagnostics_channel|dns|domain|events|fs|http|http2|"
    r"https|inspector|module|net|os|path|perf_hooks|process|punycode|querystring|readline|repl|stream|string_decoder|sys|timers|tls|"
    r"trace_events|tty|url|util|v8|vm|wasi|worker_threads|zlib)(/.*)?"
)
_QUERY = "the query option of the adaptor's operation, or encodeURIComponent"
_BYTES = "Buffer"
_INSTEAD = {
    "AbortController": "the adaptor's own options",
    "Blob": _BYTES,
    "FormData": "the form option of the adaptor's operation",
    "Headers": "the headers option of the adaptor's operation",
    "TextDecoder": "Buffer.from(bytes).toString()",
    "TextEncoder": "Buffer.from(text)",
    "URL": _QUERY,
    "URLSearchParams": _QUERY,
    "XMLHttpRequest": "get or post of the http adaptor",
    "__dirname": "the state",
    "__filename": "the state",
    "atob": "Buffer.from(text, 'base64').toString()",
    "btoa": "Buffer.from(text).toString('base64')",
    "crypto": "an adaptor that exports what you need",
    "document": "parseXml or parse of an adaptor",
    "exports": "state",
    "fetch": "get or post of the http adaptor",
    "fs": "the state, or an adaptor that reads files from where they are",
    "global": "globalThis",
    "import()": "import … from '…' at the top of the job",
    "localStorage": "state, or a collection",
    "module": "state",
    "performance": "Date.now()",
    "process": "state.configuration, which the step's credential fills",
    "queueMicrotask": "Promise.resolve().then(…)",
    "require": "import … from '…' at the top of the job",
    "setImmediate": "setTimeout(…, 0)",
    "structuredClone": "JSON.parse(JSON.stringify(…))",
    "window": "globalThis",
}


def advice_on_module(specifier: str) -> str:
    """What to do about the import of one of Node's modules (``fs``, ``node:path``, ``fs/promises``); empty for another one."""
    name = specifier.removeprefix("node:")
    if specifier == name and not _MODULE.fullmatch(name):
        return ""
    return f"{name} is a module of Node.js, and jobs cannot reach those: use an operation of an adaptor, or the language itself ({_GUIDE})."


def advice_on_name(name: str) -> str:
    """What to do about a global name of Node.js or of browsers; empty for another one."""
    instead = _INSTEAD.get(name)
    return f"{name} is not there in a job: use {instead} ({_GUIDE})." if instead else ""
