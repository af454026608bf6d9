"""Hostile senders against a running server: whatever they send is answered below 500 and in time, and the server stays small."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import socket
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from journeys.own_server import OwnServer, job_workflow
from systems.adaptor_repo import adaptor_repo

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.xdist_group("fuzz")]
CASES = 12 * int(os.environ.get("KIVUKO_TEST_FUZZ_CASES", "8"))
SEED = int(os.environ.get("KIVUKO_TEST_FUZZ_SEED", "7"))
PATIENCE_S = 30
MOST_GROWTH_MB = 100
DEEP = 10_000

JSON, XML, FORM, PARTS = "application/json", "text/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"
LAUGHS = (
    b'<!DOCTYPE x [<!ENTITY a "'
    + b"ha" * 1000
    + b'">'
    + b"".join(b'<!ENTITY %c "%b">' % (97 + at, b"&%c;" % (96 + at) * 100) for at in range(1, 6))
    + b"]><x>&f;</x>"
)
OUTSIDE = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'
PART = b'--b\r\ncontent-disposition: form-data; name="xml_submission_file"; filename="f.xml"\r\n\r\n'

BODIES: dict[str, tuple[str, bytes, int]] = {
    "bad UTF-8": (JSON, b'{"a": "\xff\xfe"}', 400),
    "a surrogate in UTF-8": (JSON, b'{"a": "\xed\xa0\x80"}', 400),
    "half a surrogate pair": (JSON, rb'{"a": "\ud800"}', 400),
    "U+0000 is kept": (JSON, rb'{"a": "\u0000"}', 202),
    "deep lists": (JSON, b"[" * DEEP + b"]" * DEEP, 422),
    "deep objects": (JSON, b'{"a":' * DEEP + b"1" + b"}" * DEEP, 422),
    "unclosed lists": (JSON, b"[" * 1_000_000, 422),
    "a key twice": (JSON, b'{"a": 1, "a": 2}', 202),
    "NaN": (JSON, b'{"a": NaN}', 400),
    "Infinity": (JSON, b'{"a": -Infinity}', 400),
    "a huge number": (JSON, b'{"a": 1e400}', 400),
    "a long number": (JSON, b'{"a": ' + b"9" * 6000 + b"}", 400),
    "many digits": (JSON, b'{"a": 12345678901234567890123}', 202),
    "two values": (JSON, b"{} {}", 400),
    "nothing": (JSON, b"", 202),
    "blanks": (JSON, b"   ", 400),
    "a scalar": (JSON, b'"x"', 202),
    "a byte order mark": (JSON, b"\xef\xbb\xbf{}", 202),
    "UTF-16": ("application/json; charset=utf-16", '{"a": 1}'.encode("utf-16"), 400),
    "a JavaScript object": (JSON, b"{a: 1}", 400),
    "XML that laughs": (XML, LAUGHS, 422),
    "XML that reads files": (XML, OUTSIDE, 422),
    "XML whose document type is elsewhere": (XML, b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><x/>', 202),
    "XML, deep": (XML, b"<a>" * DEEP + b"</a>" * DEEP, 422),
    "XML, unclosed": (XML, b"<a><b></a>", 400),
    "XML in bad UTF-8": (XML, b"<a>\xff</a>", 400),
    "XML of an unknown charset": ("text/xml; charset=klingon", b"<a/>", 400),
    "XML, many attributes": (XML, b"<a " + b" ".join(b'x%d="1"' % at for at in range(20_000)) + b"/>", 202),
    "XML as JSON": (JSON, b"<a/>", 400),
    "a form": (FORM, b"a=1&a=2&%ff=%zz", 400),
    "a form of equals signs": (FORM, b"=&" * 5000, 202),
    "parts that end early": (PARTS, PART + b"<a/>", 400),
    "parts without names": (PARTS, b"--b\r\n\r\nx\r\n--b--\r\n", 400),
    "parts without boundary": ("multipart/form-data", b"--b--\r\n", 400),
    "parts with broken XML": (PARTS, PART + b"<a>\r\n--b--\r\n", 400),
    "two submissions": (PARTS, (PART + b"<a/>\r\n") * 2 + b"--b--\r\n", 400),
    "very many parts": (PARTS, b'--b\r\ncontent-disposition: form-data; name="x"\r\n\r\n1\r\n' * 2000 + b"--b--\r\n", 400),
    "an image": ("image/png", b"\x89PNG", 415),
    "a type that is none": ("\xff;;;==", b"{}", 415),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    with OwnServer(tmp_path_factory.mktemp("hostile"), Path(adaptor_repo("common"))) as server:
        yield server


@pytest.fixture(scope="module")
def addresses(server: OwnServer) -> list[str]:
    """An inbox whose filter has to look into every body, and a webhook; nothing of them is run."""
    project, inbox = server.project("hostile")
    asked = {"kind": "message", "inbox_id": inbox["id"], "inclusion": {"a": {"b": [{"c": 1}]}}}
    server.post(f"/projects/{project}/workflows", job_workflow("Never", "fn(state => state);", asked))
    hook = server.post(f"/projects/{project}/workflows", job_workflow("Hook", "fn(state => state);", {"kind": "webhook"}))
    return [inbox["url"], hook["triggers"][0]["url"]]


def memory_mb(server: OwnServer, what: str = "VmRSS") -> float:
    """Of the server's own process; ``VmHWM`` is the most it had since it was last asked for ``VmRSS``."""
    if what == "VmRSS":
        Path(f"/proc/{server.pid}/clear_refs").write_text("5", "ascii")
    status = Path(f"/proc/{server.pid}/status").read_text("ascii")
    return int(re.search(rf"^{what}:\s+(\d+) kB", status, re.MULTILINE)[1]) / 1024  # type: ignore[index]


def line_to(server: OwnServer) -> socket.socket:
    """A bare connection."""
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), PATIENCE_S)


def path_of(url: str) -> bytes:
    """The path of an address, for a request line."""
    return ("/" + url.split("/", 3)[3]).encode()


def status_of(answer: bytes) -> int:
    """The status of an answer's first line."""
    return int(answer.split(b" ", 2)[1])


def poured(server: OwnServer, head: bytes, piece: bytes, most_bytes: int) -> tuple[int, bytes]:
    """How much the server took of an endless request, and the beginning of what it answered."""
    with line_to(server) as line:
        sent = 0
        with suppress(ConnectionError):
            line.sendall(head)
            while sent < most_bytes:
                line.sendall(piece)
                sent += len(piece)
        with suppress(ConnectionError):
            return sent, line.recv(65_536)
    return sent, b""


@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_body_is_answered_as_it_deserves(server: OwnServer, addresses: list[str], name: str) -> None:
    kind, body, status = BODIES[name]
    began = time.monotonic()
    answer = server.ask("POST", addresses[0], body, {"content-type": kind})
    assert answer.status == status, answer.body
    assert time.monotonic() - began < PATIENCE_S
    if status < 300:
        assert answer.json["message_id"]
    else:
        assert (answer.headers["content-type"], answer.json["status"]) == ("application/problem+json", status)


def test_of_a_key_given_twice_the_last_one_counts(server: OwnServer, addresses: list[str]) -> None:
    answer = server.ask("POST", addresses[0], b'{"a": 1, "a": {"b": [{"c": 1}]}}', {"content-type": JSON})
    assert answer.json["data"] == ["Never"]


def test_bodies_made_by_chance_are_never_a_fault_of_the_server(server: OwnServer, addresses: list[str]) -> None:
    """Bodies from above, cut, doubled, spoilt and packed by dice, to both kinds of addresses."""
    dice = random.Random(SEED)
    kinds = [JSON, XML, FORM, PARTS, "text/plain", "", "application/vnd.api+json", "application/soap+xml; charset=latin-1"]
    bodies = [body for _, body, _ in BODIES.values() if len(body) < 200_000]
    for _ in range(CASES):
        body = bytearray(dice.choice(bodies))
        for _ in range(dice.randrange(6)):
            at = dice.randrange(len(body) + 1)
            match dice.randrange(4):
                case 0:
                    body[at:] = b""
                case 1:
                    body[at:at] = bytes(dice.randrange(256) for _ in range(4))
                case 2:
                    body[at:at] = dice.choice(bodies)[:5000]
                case 3 if at < len(body):
                    body[at] = dice.randrange(256)
        headers = {"content-type": dice.choice(kinds)}
        sent = bytes(body)
        if dice.random() < 0.3:
            headers["content-encoding"] = dice.choice(["gzip", "x-gzip", "br", "gzip, gzip", "identity"])
            sent = gzip.compress(sent) if dice.random() < 0.7 else sent
        method = dice.choice(["POST", "POST", "POST", "PUT", "PATCH"])
        answer = server.ask(method, dice.choice(addresses) + dice.choice(["", "?a=1&a=2", "?%00=%ff", "/"]), sent, headers)
        assert answer.status < 500, (sent[:300], headers, answer.body)


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("a bomb", gzip.compress(bytes(300_000_000), 9)),
        ("many members", gzip.compress(b" " * 1_000_000) * 500),
        ("cut off", gzip.compress(b'{"a": 1}')[:-4]),
        ("not gzip", b"no"),
        ("rubbish behind it", gzip.compress(b"{}") + b"\0rubbish"),
        ("deflate named gzip", zlib.compress(b"{}")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_packed_body_is_unpacked_within_bounds(server: OwnServer, addresses: list[str], name: str, packed: bytes) -> None:
    before = memory_mb(server)
    answer = server.ask("POST", addresses[0], packed, {"content-type": JSON, "content-encoding": "gzip"})
    assert answer.status == (413 if name in ("a bomb", "many members") else 400)
    assert memory_mb(server, "VmHWM") - before < MOST_GROWTH_MB


@pytest.mark.parametrize("named", [True, False], ids=["with its length", "in chunks"])
def test_a_stream_of_a_gigabyte_is_refused_early(server: OwnServer, addresses: list[str], named: bool) -> None:
    before = memory_mb(server)
    length = b"content-length: 1000000000" if named else b"transfer-encoding: chunked"
    head = b"POST " + path_of(addresses[0]) + b" HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n" + length + b"\r\n\r\n"
    piece = b"x" * 65_536 if named else b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    sent, answer = poured(server, head, piece, 1_000_000_000)
    assert sent < 250_000_000
    # Who goes on pouring may lose the answer to the reset of the connection.
    assert not answer or status_of(answer) == 413
    assert memory_mb(server, "VmHWM") - before < MOST_GROWTH_MB


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"GET /health HTTP/1.1\r\nhost: x\r\n", b"x-a: " + b"a" * 1000 + b"\r\n"),
        (b"GET /health HTTP/1.1\r\nhost: x\r\nx-a: ", b"a" * 65_536),
        (b"GET /", b"a" * 65_536),
        (b"POST /health HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx-a: ", b"a" * 65_536),
        (b"POST /health HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1;", b"a" * 65_536),
    ],
    ids=["headers", "one header", "an address", "a trailer", "an extension of a chunk"],
)
def test_what_is_no_body_ends_soon(server: OwnServer, head: bytes, piece: bytes) -> None:
    before = memory_mb(server)
    sent, answer = poured(server, head, piece, 100_000_000)
    assert sent < 20_000_000
    assert not answer or 400 <= status_of(answer) < 500
    assert memory_mb(server, "VmHWM") - before < MOST_GROWTH_MB


def test_a_head_a_little_too_long_hears_why(server: OwnServer, addresses: list[str]) -> None:
    answer = server.ask("POST", addresses[0], b"{}", {"content-type": JSON, "x-long": "a" * 70_000})
    assert (answer.status, answer.json["code"]) == (431, "head_too_large")


def test_slow_senders_keep_nobody_waiting(server: OwnServer, addresses: list[str]) -> None:
    """A hundred bodies that come a byte at a time, while others are answered; then the slow ones are, too."""
    body = json.dumps({"slow": "x" * 40}).encode()
    head = b"POST " + path_of(addresses[0]) + b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n"
    with ExitStack() as stack:
        lines = [stack.enter_context(line_to(server)) for _ in range(100)]
        for line in lines:
            line.sendall(head + b"content-length: %d\r\n\r\n" % len(body))
        for at in range(len(body)):
            for line in lines:
                line.sendall(body[at : at + 1])
            if at % 10 == 0:
                began = time.monotonic()
                assert server.ask("POST", addresses[0], b"{}", {"content-type": JSON}).status == 202
                assert time.monotonic() - began < 5
        answers = [line.recv(65_536) for line in lines]
    assert {status_of(answer) for answer in answers} == {202}


def test_after_all_this_the_server_is_well_and_small(server: OwnServer, addresses: list[str]) -> None:
    assert server.ask("GET", "/ready").status == 200
    assert server.ask("POST", addresses[0], b'{"a": 1}', {"content-type": JSON}).status == 202
    assert memory_mb(server) < 100 + MOST_GROWTH_MB
    assert " 500 " not in server.log
    assert "Traceback" not in server.log
