"""Which host serves which Run (engine.md §8): same key, most recently used; else one soon free; else blank; else new; else evict."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from kivuko.engines.host import Host, HostState, Profile
from kivuko.engines.run import HostKey
from kivuko.engines.settings import EngineSettings

__all__ = ["BETWEEN_RUNS_S", "SOON_S", "Pool", "soon_free"]

BETWEEN_RUNS_S = 0.5
"""How long a host waits for the next Run of its Attempt before somebody else's may have its place."""

SOON_S = 0.025
"""A host that works on its Run for no longer than this is expected to be free soon. Most Runs are over sooner than a host is started, and
few hosts are faster than many, which must each get warm."""

PREPARES_S = 1.0
"""How long a Run waits for a host of its key that loads its modules, or cleans up after its last Attempt: both may hang."""

PATIENCE_S = 0.1
"""How long a Run waits for hosts that are soon free: about as long as one more takes to start."""


class Pool:
    """The hosts of one engine. It starts and ends processes but reads no frames."""

    def __init__(self, settings: EngineSettings, forget: Callable[[Host], None]) -> None:
        """``forget`` is told of each host just before it is ended: its descriptors are about to close."""
        self.settings = settings
        self.hosts: list[Host] = []
        self._forget = forget
        self._told_of_layers = False

    def acquire(self, key: HostKey, profile: Profile, attempt: str, asked_at: float) -> Host | None:
        """A host of ``key`` for a Run of ``attempt``, which was asked for at ``asked_at`` (in seconds of the monotonic clock).

        None when it is better to wait. Raises HostFailed, NodeMissing.
        """
        suited = [host for host in self.hosts if host.key == key and host.profile == profile]
        host = self._idle(suited, attempt)
        now = time.monotonic()
        if host is not None or soon_free(suited, now - asked_at, now):
            return host
        host = self._blank(profile)
        if host is None:
            if len(self.hosts) >= self.settings.most_hosts and not self._evict(attempt):
                return None
            host = self.start(profile)
        host.give(key, guarded=self.settings.guarded)
        return host

    def _idle(self, suited: list[Host], attempt: str) -> Host | None:
        idle = [host for host in suited if host.state is HostState.IDLE]
        own = [host for host in idle if host.attempt == attempt]
        free = [host for host in idle if host.attempt is None]
        return max(own or free, key=lambda host: host.last_used, default=None)

    def _blank(self, profile: Profile) -> Host | None:
        return next((host for host in self.hosts if host.state is HostState.BLANK and host.profile == profile and host.key is None), None)

    def _evict(self, attempt: str) -> bool:
        """Ends the least recently used host that works for nobody, for a Run of ``attempt``.

        A host between two Runs of another Attempt is let be for a while: a server keeps records between Runs. After that it is ended rather
        than waited for: two Attempts that each need two hosts would wait for each other. The Attempt goes on in a new host, whose modules
        are new.
        """
        now = time.monotonic()
        resting = [
            host
            for host in self.hosts
            if host.state in (HostState.IDLE, HostState.BLANK)
            and (host.attempt in (None, attempt) or now - host.last_used >= BETWEEN_RUNS_S)
        ]
        if not resting:
            return False
        self.retire(min(resting, key=lambda host: (host.attempt is not None, host.last_used)))
        return True

    def start(self, profile: Profile) -> Host:
        """A new blank host. Raises HostFailed, NodeMissing."""
        host = Host(self.settings, profile)
        self.hosts.append(host)
        if host.missing_layers and not self._told_of_layers:
            self._told_of_layers = True
            self.settings.on_missing_layers(tuple(sorted(layer.value for layer in host.missing_layers)))
        return host

    def retire(self, host: Host) -> int:
        """Ends a host; gives its exit status."""
        self._forget(host)
        if host in self.hosts:
            self.hosts.remove(host)
        return host.kill()

    def bury(self, host: Host) -> int:
        """Lets go of a host that has ended by itself; gives its exit status."""
        self._forget(host)
        self.hosts.remove(host)
        return host.bury()

    def replenish(self, watch: Callable[[Host], None]) -> None:
        """Keeps blank hosts ready where there is room; ``watch`` is told of each. Raises HostFailed, NodeMissing."""
        blank = sum(host.state is HostState.BLANK for host in self.hosts)
        for _ in range(min(self.settings.blank_hosts - blank, self.settings.most_hosts - len(self.hosts))):
            host = self.start(Profile(self.settings.blank_memory_mb, egress=self.settings.blank_egress))
            host.ready_builtins()
            watch(host)

    def worn_out(self, host: Host, rss: int) -> bool:
        """Whether a host has served long enough or grown too much."""
        if host.first_rss is None:
            host.first_rss = rss
        return host.runs >= self.settings.runs_per_host or rss - host.first_rss > self.settings.growth_mb << 20


def soon_free(hosts: Iterable[Host], waited_s: float, now: float) -> bool:
    """Whether a Run that has waited so long had better wait for one of these, all of its key and none of them free.

    When many Runs wait, hosts are so added one after the other, not all at once. ``now`` is in seconds of the monotonic clock.
    """
    shared = [host for host in hosts if not host.profile.isolated]
    if any((host.state is HostState.ENDING or host.loaded is None) and now - host.last_used < PREPARES_S for host in shared):
        return True
    return waited_s < PATIENCE_S and any(now - host.last_used < SOON_S for host in shared)
