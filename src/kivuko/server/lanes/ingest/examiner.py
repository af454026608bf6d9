"""Where bodies are examined: small ones here, large ones in a helper process that is started on demand and ends when idle.

Reading holds the interpreter's lock, 10 to 19 ms for a megabyte of JSON and ten times that for XML: in this process every other request
would wait for it. Nothing may hold it for much more than 5 ms (server-and-data §2).
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from kivuko.errors import RecordsUnavailable, UnusableBody
from kivuko.server.lanes.ingest.bodies import BodyKind, media_type
from kivuko.server.lanes.ingest.examining import Findings, Question, examine

__all__ = ["JSON_HERE_UP_TO_BYTES", "OTHERS_HERE_UP_TO_BYTES", "Examiner"]

JSON_HERE_UP_TO_BYTES = 256 * 1024
OTHERS_HERE_UP_TO_BYTES = 32 * 1024
_IDLE_S = 30.0
_MEMORY_BYTES = 2 * 1024**3


class Examiner:
    """Examines bodies. Lives in one event loop; ``close`` ends the helper. ``here_up_to_bytes`` replaces the two bounds."""

    def __init__(self, *, here_up_to_bytes: int | None = None, idle_s: float = _IDLE_S) -> None:
        self._here_up_to_bytes = here_up_to_bytes
        self._idle_s = idle_s
        self._helper: ProcessPoolExecutor | None = None
        self._under_way = 0
        self._ending: asyncio.TimerHandle | None = None

    @property
    def helper_runs(self) -> bool:
        """Whether there is a helper process just now."""
        return self._helper is not None

    async def examine(self, text: bytes, question: Question) -> Findings:
        """The answer of ``kivuko.server.lanes.ingest.examining.examine``, and what it raises; RecordsUnavailable when the helper died."""
        if self._is_small(text, question):
            return examine(text, question)
        helper = self._begin()
        try:
            return await asyncio.get_running_loop().run_in_executor(helper, examine, text, question)
        except MemoryError as error:
            raise UnusableBody("the body takes more memory than its examination may have", fix="Send it in parts.") from error
        except BrokenProcessPool as error:
            if self._helper is helper:
                self._helper = None
            raise RecordsUnavailable("the process that examines large bodies has died") from error
        finally:
            self._end()

    def close(self) -> None:
        """Ends the helper process, after what it does."""
        if self._ending:
            self._ending.cancel()
        if self._helper:
            self._helper.shutdown(wait=True, cancel_futures=True)
            self._helper = None

    def _is_small(self, text: bytes, question: Question) -> bool:
        if self._here_up_to_bytes is not None:
            return len(text) <= self._here_up_to_bytes
        if len(text) <= OTHERS_HERE_UP_TO_BYTES:
            return True
        return len(text) <= JSON_HERE_UP_TO_BYTES and media_type(question.content_type, text[:64]).kind is BodyKind.JSON

    def _begin(self) -> ProcessPoolExecutor:
        self._under_way += 1
        if self._ending:
            self._ending.cancel()
            self._ending = None
        if self._helper is None:
            # Spawned: a fork would share this process's threads' locks and its listening socket.
            self._helper = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=_begin_helper)
        return self._helper

    def _end(self) -> None:
        self._under_way -= 1
        if not self._under_way:
            self._ending = asyncio.get_running_loop().call_later(self._idle_s, self._retire)

    def _retire(self) -> None:
        helper, self._helper = self._helper, None
        if helper:
            helper.shutdown(wait=False)


def _begin_helper() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    # It waits for work on a pipe whose other end it holds too: of a server that was killed it would hear nothing.
    threading.Thread(target=_end_with_server, daemon=True).start()


def _end_with_server() -> None:
    server = multiprocessing.parent_process()
    assert server is not None
    server.join()
    os._exit(0)
