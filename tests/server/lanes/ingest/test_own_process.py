"""The lanes in a process of their own: killed right after an answer, and weighed under large bodies."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from kivuko.records import Id, Records, database_at, read_message_body
from server.lanes.ingest.serving import Child


def test_what_was_answered_is_there_after_the_process_was_killed(tmp_path: Path) -> None:
    child, answered = Child(tmp_path), []

    def send(whose: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", child.port, timeout=20)
        with closing(connection), suppress(OSError, http.client.HTTPException):
            for at in range(10_000):
                connection.request("POST", child.url, json.dumps({"form": "a", "n": [whose, at]}), {"content-type": "application/json"})
                answer = connection.getresponse()
                answered.append((json.loads(answer.read())["message_id"], [whose, at]))
                if len(answered) == 60:
                    child.kill()

    threads = [threading.Thread(target=send, args=(whose,)) for whose in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(answered) >= 60
    records = Records(database_at("", tmp_path))
    with records.reading() as connection:
        stored = [json.loads(read_message_body(connection, records.payloads, Id.parse(message), 1)[1])["n"] for message, _ in answered]
        messages, attempts = (connection.query(f"SELECT count(*) FROM {table}")[0][0] for table in ("message", "live_attempt"))
    records.close()
    assert stored == [number for _, number in answered]
    assert messages == attempts


@pytest.mark.slow
def test_large_bodies_leave_the_memory_of_the_server_flat(tmp_path: Path) -> None:
    body = json.dumps({"form": "a", "rows": [{"id": at, "name": f"patient {at}", "tags": []} for at in range(170_000)]}).encode()
    assert 8_000_000 < len(body) < 10_485_760
    with Child(tmp_path) as child:
        assert post(child, b'{"form":"a"}') == 202
        before = child.highest_memory_mb
        threads = [threading.Thread(target=post, args=(child, body)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        endless(child)
        assert post(child, body) == 202
        assert child.highest_memory_mb - before <= 100


MEGABYTE = 1024 * 1024
JSON, XML, FORM = "application/json", "text/xml", "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"


def hostile() -> Iterator[tuple[bytes, str, int]]:
    """Bodies that are meant to hurt, their type, and the status that they get. Made one by one: together they are large."""
    zeros = gzip.compress(bytes(300 * MEGABYTE), 9, mtime=0)
    yield b'{"a":"\xff"}', JSON, 400
    yield b"[" * 10_000 + b"]" * 10_000, JSON, 422
    yield b"[" * 5 * MEGABYTE, JSON, 422
    yield b'{"a":' * MEGABYTE + b"1" + b"}" * MEGABYTE, JSON, 422
    yield b"[NaN]", JSON, 400
    yield b"[" + b"1," * 4 * MEGABYTE + b"NaN]", JSON, 400
    yield b"9" * 9 * MEGABYTE, JSON, 400
    yield b'{"a":1,"a":2}', JSON, 202
    yield b"{" + b'"a":1,' * MEGABYTE + b'"a":2}', JSON, 202
    yield b"[" + b"[]," * 3 * MEGABYTE + b"[]]", JSON, 202
    yield zeros, "gzip", 413
    yield gzip.compress(zeros, 9, mtime=0), "gzip", 400
    yield b"<a>" * 3 * MEGABYTE, XML, 422
    yield b"<a>" + b'<b c="d"/>' * (MEGABYTE - 1) + b"</a>", XML, 202
    yield b"<a " + b" ".join(b'x%d=""' % at for at in range(300_000)) + b"/>", XML, 202
    yield b'<!DOCTYPE a [<!ENTITY x "' + b"x" * MEGABYTE + b'">]><a>' + b"&x;" * MEGABYTE + b"</a>", XML, 422
    yield b"a=1&" * 2 * MEGABYTE, FORM, 400
    yield b"%" * 9 * MEGABYTE, FORM, 202
    yield b"--x\r\n" * 2 * MEGABYTE, MULTIPART, 400
    yield b'--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n\r\n' * 100_000, MULTIPART, 400


@pytest.mark.slow
def test_hostile_bodies_are_refused_or_kept_and_the_server_stays_small(tmp_path: Path) -> None:
    with Child(tmp_path) as child:
        assert post(child, b'{"form":"a"}') == 202
        before = child.highest_memory_mb
        for at, (body, kind, status) in enumerate(hostile()):
            assert (at, post(child, body, kind)) == (at, status)
        assert child.highest_memory_mb - before <= 100
        assert post(child, b'{"form":"a"}') == 202


def post(child: Child, body: bytes, kind: str = "application/json") -> int:
    """One message, of a content type or JSON in gzip; the status of its answer."""
    connection = http.client.HTTPConnection("127.0.0.1", child.port, timeout=60)
    packed = {"content-type": "application/json", "content-encoding": "gzip"}
    connection.request("POST", child.url, body, packed if kind == "gzip" else {"content-type": kind})
    status = connection.getresponse().status
    connection.close()
    return status


def endless(child: Child) -> None:
    """A stream of 1 GB, as far as it gets."""
    with socket.create_connection(("127.0.0.1", child.port), 20) as line, suppress(OSError):
        line.sendall(f"POST {child.url} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n".encode())
        for _ in range(1000):
            line.sendall(b"100000\r\n" + b"x" * 1_048_576 + b"\r\n")
