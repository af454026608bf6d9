"""The lanes in a process of their own: killed right after an answer, and weighed under large bodies."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from contextlib import closing, suppress
from pathlib import Path

from kivuko.records import Id, Records, database_at, read_message_body
from server.serving import Child


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


def post(child: Child, body: bytes) -> int:
    """One message; the status of its answer."""
    connection = http.client.HTTPConnection("127.0.0.1", child.port, timeout=60)
    connection.request("POST", child.url, body, {"content-type": "application/json"})
    status = connection.getresponse().status
    connection.close()
    return status


def endless(child: Child) -> None:
    """A stream of 1 GB, as far as it gets."""
    with socket.create_connection(("127.0.0.1", child.port), 20) as line, suppress(OSError):
        line.sendall(f"POST {child.url} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n".encode())
        for _ in range(1000):
            line.sendall(b"100000\r\n" + b"x" * 1_048_576 + b"\r\n")
