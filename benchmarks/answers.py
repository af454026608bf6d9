"""A small web server in a process of its own, so that its CPU does not count as the engine's. Prints its port, then answers every GET."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from types import TracebackType

__all__ = ["Answers"]

_BODY = b'{"id":7,"name":"Amina Otieno","village":"Kibiri","members":[1,2,3,4,5]}'
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: " + str(len(_BODY)).encode() + b"\r\n\r\n" + _BODY


class _Connection(asyncio.Protocol):
    open_now = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        _Connection.open_now += 1
        self._transport, self._pending = transport, b""

    def data_received(self, data: bytes) -> None:
        self._pending += data
        while b"\r\n\r\n" in self._pending:
            head, _, self._pending = self._pending.partition(b"\r\n\r\n")
            if head.startswith(b"GET /connections"):
                text = str(_Connection.open_now - 1).encode()
                self._transport.write(
                    b"HTTP/1.1 200 OK\r\ncontent-length: " + str(len(text)).encode() + b"\r\nconnection: close\r\n\r\n" + text
                )
                self._transport.close()
            else:
                self._transport.write(_ANSWER)

    def connection_lost(self, error: Exception | None) -> None:
        _Connection.open_now -= 1


class Answers:
    """The server as seen from the benchmark: up inside ``with``; ``pid`` and ``url`` tell where."""

    def __enter__(self) -> Answers:
        self._process = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.pid = self._process.pid
        self.url = f"http://127.0.0.1:{self._process.stdout.readline().strip()}"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.terminate()
        self._process.communicate()


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
