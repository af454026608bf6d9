"""A plain web API: records as JSON, a form, XML and CSV exports, redirects, errors, and three ways to sign in."""

from __future__ import annotations

import email.message
import email.parser
import email.policy
import re
from collections.abc import Callable

from .loopback import Loopback, Reply, Request, basic_credentials

__all__ = ["PASSWORD", "TOKEN", "USER", "WebApi"]

USER, PASSWORD, TOKEN = "clinic", "s3cret:with colon", "token-7f3a"

_HOUSEHOLDS = (
    {"id": 1, "head": "Amina Otieno", "village": "Kibiri", "members": 5},
    {"id": 2, "head": "Joseph Mwangi", "village": "Kibiri", "members": 3},
    {"id": 3, "head": "Fatuma Ali", "village": "Lamu", "members": 8},
    {"id": 4, "head": "Peter Kamau", "village": "Nyeri", "members": 2},
    {"id": 5, "head": "Grace Achieng", "village": "Lamu", "members": 6},
)
_STOCK_CSV = 'facility,item,quantity\nKibiri HC,ORS sachets,120\nKibiri HC,"Zinc, 20 mg",45\nLamu DH,ORS sachets,0\n'
_FACILITIES_XML = (
    '<?xml version="1.0"?><facilities><facility code="KIB"><name>Kibiri HC</name></facility>'
    '<facility code="LAM"><name>Lamu DH</name></facility></facilities>'
)


class WebApi:
    """The API; ``server`` is its loopback address. Everything under ``/private`` wants Basic or Bearer authentication."""

    def __init__(self) -> None:
        self.households: dict[int, dict[str, object]] = {int(str(row["id"])): dict(row) for row in _HOUSEHOLDS}
        self.server = Loopback(self.answer)

    def answer(self, request: Request) -> Reply:
        """The reply of the first route that fits method and path; 404 and 405 in JSON otherwise."""
        path = request.path
        if path.startswith("/private"):
            if not _signed_in(request):
                return Reply(401, {"error": "unauthorised"}, headers={"www-authenticate": 'Basic realm="registry"'})
            path = path.removeprefix("/private")
        methods = []
        for method, pattern, route in self._routes():
            if found := re.fullmatch(pattern, path):
                if method == request.method:
                    return route(request, *found.groups())
                methods.append(method)
        if methods:
            return Reply(405, {"error": f"{request.method} is not allowed here"}, headers={"allow": ", ".join(methods)})
        return Reply(404, {"error": f"there is nothing at {path}"})

    def _routes(self) -> list[tuple[str, str, Callable[..., Reply]]]:
        return [
            ("GET", "/households", self._list),
            ("POST", "/households", self._add),
            ("GET", r"/households/(\d+)", self._read),
            ("PUT", r"/households/(\d+)", self._change),
            ("PATCH", r"/households/(\d+)", self._change),
            ("DELETE", r"/households/(\d+)", self._remove),
            ("POST", "/form", _echo_form),
            ("POST", "/echo", _echo),
            ("GET", "/stock.csv", lambda request: Reply(200, _STOCK_CSV, "text/csv; charset=utf-8")),
            ("GET", "/facilities.xml", lambda request: Reply(200, _FACILITIES_XML, "application/xml")),
            ("GET", "/old", lambda request: Reply(301, headers={"location": "/older"})),
            ("GET", "/older", lambda request: Reply(302, headers={"location": "/households/3"})),
            ("GET", "/empty", lambda request: Reply(204)),
            ("GET", "/broken", lambda request: Reply(200, "{not json")),
            ("GET", r"/status/(\d+)", lambda request, code: Reply(int(code), {"error": f"answered {code} as asked"})),
        ]

    def _list(self, request: Request) -> Reply:
        rows = [row for row in self.households.values() if request.parameter("village") in ("", row["village"])]
        size, page = int(request.parameter("per_page", "100")), int(request.parameter("page", "1"))
        return Reply(200, {"total": len(rows), "page": page, "items": rows[(page - 1) * size : page * size]})

    def _add(self, request: Request) -> Reply:
        row = request.json()
        if not isinstance(row, dict) or not row.get("head"):
            return Reply(422, {"error": "a household needs a head", "field": "head"})
        row = {"id": max(self.households) + 1, **row}
        self.households[row["id"]] = row
        return Reply(201, row, headers={"location": f"/households/{row['id']}"})

    def _read(self, request: Request, number: str) -> Reply:
        row = self.households.get(int(number))
        return Reply(200, row) if row else Reply(404, {"error": f"household {number} is unknown"})

    def _change(self, request: Request, number: str) -> Reply:
        if int(number) not in self.households:
            return Reply(404, {"error": f"household {number} is unknown"})
        kept = self.households[int(number)] if request.method == "PATCH" else {"id": int(number)}
        self.households[int(number)] = {**kept, **request.json()}
        return Reply(200, self.households[int(number)])

    def _remove(self, request: Request, number: str) -> Reply:
        return Reply(204) if self.households.pop(int(number), None) else Reply(404, {"error": f"household {number} is unknown"})


def _signed_in(request: Request) -> bool:
    return basic_credentials(request) == (USER, PASSWORD) or request.headers.get("authorization") == f"Bearer {TOKEN}"


def _echo(request: Request) -> Reply:
    return Reply(200, {"content_type": request.headers.get("content-type"), "body": request.body.decode()})


def _echo_form(request: Request) -> Reply:
    """The fields of a multipart form (RFC 7578) as an object of texts."""
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        return Reply(415, {"error": f"a form was expected, not {kind or 'nothing'}"})
    parser = email.parser.BytesParser(email.message.EmailMessage, policy=email.policy.HTTP)
    message = parser.parsebytes(b"content-type: " + kind.encode() + b"\r\n\r\n" + request.body)
    parts = [(part.get_param("name", header="content-disposition"), part.get_payload(decode=True)) for part in message.iter_parts()]
    return Reply(200, {str(name): bytes(content).decode() for name, content in parts})
