"""A worker: claims Attempts as long as it has free slots, executes each on a thread, and keeps its leases alive."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future

import structlog

from kivuko import __version__
from kivuko.adaptors import Layout, Repo
from kivuko.engines import EngineSettings, ModuleFiles
from kivuko.engines.served import ServedEngine
from kivuko.worker.claims import Claims
from kivuko.worker.execution import Abilities, ClaimedAttempt, Execution, Tools
from kivuko.worker.leases import Leases
from kivuko.worker.link import QUEUE, Link, Reply
from kivuko.worker.programs import Programs
from kivuko.worker.pulse import keep_doing
from kivuko.worker.settings import WorkerSettings
from kivuko.worker.sharing import Sharing

__all__ = ["Worker"]

_log = structlog.get_logger(__name__)

_LONGEST_TICK_S = 0.25
_LAST_WORDS_S = 3.0
_ENTER_AGAIN_S = 3.0


class Worker:
    """Executes Attempts that come over a link. ``start`` it once; ``stop`` ends it for good, its link included."""

    def __init__(self, settings: WorkerSettings, link: Link) -> None:
        layout = Layout(settings.repo_dir.expanduser().absolute())
        self.settings = settings
        self._link = link
        self._engine = ServedEngine(_engine_settings(settings, layout))
        repo = Repo(layout.folder, loader=self._engine, node=settings.node, settings=settings.repo)
        programs = Programs(self._engine, repo, install=settings.install, share=_sharing(settings, layout))
        self._tools = Tools(settings, link, self._engine, programs, Abilities())
        self._claims = [Claims(link, loop, settings.name, settings.poll_s, self._take) for loop in settings.workloops]
        self._leases = Leases(link, fences=settings.fences)
        self._work: queue.SimpleQueue[tuple[Claims, Execution] | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._up = False
        self._enter_again_at = 0.0
        self._threads = [
            threading.Thread(target=self._serve_slot, name=f"worker-slot-{at}", daemon=True) for at in range(settings.capacity)
        ]
        tick_s = min(_LONGEST_TICK_S, settings.batch_ms / 1000)
        self._threads += [
            threading.Thread(target=keep_doing, args=(self._beat, self._ended, tick_s), name="worker-pulse", daemon=True),
            # A thread of its own: it must not wait for what hangs in a connection.
            threading.Thread(target=keep_doing, args=(self._leases.fence, self._ended, _LONGEST_TICK_S), name="worker-fence", daemon=True),
        ]

    @property
    def busy(self) -> int:
        """How many Attempts are claimed and not ended."""
        return len(self._leases.held())

    @property
    def ready(self) -> bool:
        """Whether the server has let this worker in and its connection is up."""
        return self._leases.connected

    def start(self) -> None:
        """Connects, and claims from now on."""
        for thread in self._threads:
            thread.start()
        self._link.listen(self._hear, self._connected)

    def stop(self, grace_s: float = 60) -> bool:
        """Drains: claims no more, hands back what has not begun, waits for the rest, and gives up what is not over after ``grace_s``.

        Whether nothing had to be given up. A second call does nothing.
        """
        if self._stopping.is_set():
            return True
        self._stopping.set()
        for claims in self._claims:
            claims.close()
        for execution in self._leases.held():
            self._drain(execution)
        complete = self._leases.wait_until_empty(grace_s)
        if not complete:
            for execution in self._leases.held():
                _log.warning("an attempt is stopped: the time to end it is over", attempt=execution.claimed.id)
                self._leases.abandon(execution)
        self._leases.wait_until_told(_LAST_WORDS_S)
        self._engine.close()
        for _ in self._threads:
            self._work.put(None)
        self._ended.set()
        self._link.close()
        return complete

    # The connection

    def _connected(self, up: bool) -> None:
        self._up = up
        self._leases.connection_changed(up)
        if up:
            self._enter()
        else:
            for claims in self._claims:
                claims.close()

    def _enter(self) -> None:
        self._enter_again_at = time.monotonic() + _ENTER_AGAIN_S
        queues = {str(loop).rpartition(":")[0]: loop.slots for loop in self.settings.workloops}
        payload = {
            "capacity": self.settings.capacity,
            "queues": queues,
            "kivuko": 1,
            "kinds": ["javascript"],
            "name": self.settings.name or "",
            "version": __version__,
        }
        self._link.push(QUEUE, "phx_join", payload).add_done_callback(self._entered)

    def _entered(self, done: Future[Reply]) -> None:
        if done.exception() is not None:
            return  # the connection has gone again: it comes back
        reply = done.result()
        if not reply.ok:
            _log.warning("the server does not let this worker in just now", response=reply.response)
            return
        response = reply.response if isinstance(reply.response, Mapping) else {}
        self._tools.abilities.ends = response.get("ends") is True
        self._leases.entered(response)
        if not self._stopping.is_set():
            for claims in self._claims:
                claims.open()

    def _hear(self, topic: str, event: str, payload: Mapping[str, object]) -> None:
        if topic == QUEUE and event == "work-available":
            for claims in self._claims:
                claims.hint()
        elif event == "run:cancel":
            execution = self._leases.find(topic.partition(":")[2])
            if execution is not None:
                execution.cancel()

    # The work

    def _take(self, claims: Claims, claimed: ClaimedAttempt, asked_at: float) -> None:
        execution = Execution(claimed, self._tools)
        execution.confirmed_at = asked_at
        self._leases.add(execution)
        if self._stopping.is_set():
            self._drain(execution)
        self._work.put((claims, execution))

    def _drain(self, execution: Execution) -> None:
        execution.drain(lambda: self._leases.remove(execution))

    def _serve_slot(self) -> None:
        while (work := self._work.get()) is not None:
            claims, execution = work
            try:
                execution.run()
            finally:
                self._leases.remove(execution)
                claims.freed()

    def _beat(self) -> None:
        # The heartbeat first: what fails for one Attempt must not cost the others their leases.
        self._leases.beat()
        for execution in self._leases.held():
            execution.tick()
        if self._up and not self._leases.connected and time.monotonic() >= self._enter_again_at:
            self._enter()
        for claims in self._claims:
            claims.look()


def _sharing(settings: WorkerSettings, layout: Layout) -> Callable[[ModuleFiles], None]:
    if settings.sandbox_user is None or os.getuid() != 0:
        return lambda files: None
    return Sharing(layout).adaptor


def _engine_settings(settings: WorkerSettings, layout: Layout) -> EngineSettings:
    def warn(layers: tuple[str, ...]) -> None:
        _log.warning("jobs run with less protection than they should (kivuko doctor tells more)", missing=", ".join(layers))

    return EngineSettings(
        store=layout.bundles,
        acorn=layout.acorn,
        node=settings.node,
        most_hosts=settings.most_hosts or settings.capacity,
        blank_hosts=settings.blank_hosts,
        blank_memory_mb=settings.memory_mb,
        blank_egress=settings.egress,
        user=settings.sandbox_user,
        on_missing_layers=warn,
    )
