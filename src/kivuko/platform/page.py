"""The few pages that the server has before there is a web app: one look, no script, nothing from another place."""

from __future__ import annotations

import base64
import hashlib
from html import escape

__all__ = ["page", "page_policy"]

_STYLE = (
    ":root{color-scheme:light dark;--ink:#16323a;--soft:#5b7278;--line:#dbe4e4;--water:#0b6e7f;--paper:#fbfcfb;--sand:#f1f5f4}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e4edec;--soft:#9db2b5;--line:#2c4045;--water:#5cc1d2;--paper:#10191c;--sand:#18262a}}"
    "body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,sans-serif}"
    "header{border-bottom:1px solid var(--line);padding:.9rem 1.25rem}header a{color:inherit;text-decoration:none;font-weight:650}"
    "header span{color:var(--soft);margin-left:.6rem}main{max-width:58rem;margin:0 auto;padding:1.5rem 1.25rem 4rem}"
    "h1{font-size:1.7rem;line-height:1.2;margin:.4rem 0 1rem}h2{font-size:1.1rem;margin:2rem 0 .4rem;text-transform:capitalize}"
    "a{color:var(--water)}a:focus-visible,button:focus-visible,input:focus-visible,summary:focus-visible{outline:3px solid var(--water);"
    "outline-offset:2px}code,pre{font:14px/1.45 ui-monospace,monospace}"
    "pre{overflow:auto;background:var(--sand);padding:.8rem;border-radius:6px}"
    "details{border-bottom:1px solid var(--line)}summary{cursor:pointer;padding:.45rem 0}summary code{color:var(--ink)}"
    "summary b{display:inline-block;width:4.5rem;color:var(--water)}td{padding:0 1rem .2rem 0;vertical-align:top}"
    "form{max-width:22rem}label{display:block;font-weight:600}input{box-sizing:border-box;width:100%;padding:.55rem .7rem;font:inherit;"
    "color:inherit;background:var(--sand);border:1px solid var(--line);border-radius:6px}button{font:inherit;font-weight:600;"
    "padding:.55rem 1.2rem;border:0;border-radius:6px;background:#0b6e7f;color:#fff;cursor:pointer}"
    "[role=alert]{border-left:4px solid #b3441e;padding:.3rem .8rem;background:var(--sand)}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode("utf-8")).digest()).decode("ascii")


def page(title: str, body: str) -> str:
    """A whole page with this heading. ``title`` is text, ``body`` is HTML."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        '<header><a href="/">Kivuko</a><span>every message crosses</span></header>'
        f"<main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )


def page_policy(form_action: str = "'none'") -> str:
    """The content security policy of such a page: its own style and nothing else. ``form_action`` is where a form may send."""
    style = f"'sha256-{_STYLE_HASH}'"
    return f"default-src 'none'; style-src {style}; form-action {form_action}; frame-ancestors 'none'; base-uri 'none'"
