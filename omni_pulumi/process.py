"""What one provider process remembers. The engine starts one process for each ``pulumi`` command.

A provider object has no attributes of its own, because the engine keeps it pickled in the state. Everything that
providers and threads share during a command is therefore here, in :data:`PROCESS`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

from omni_pulumi.api import waiting
from omni_pulumi.api.transport import Client, Instance

C = TypeVar("C", bound=Client)


class ClientPool:
    """One client for each instance, shared by all providers and threads. A client holds the rate limit of its key."""

    def __init__(self) -> None:
        self._clients: dict[tuple[Callable[[Instance], Client], Instance], Client] = {}
        self._lock = threading.Lock()

    def get(self, connect: Callable[[Instance], C], instance: Instance) -> C:
        """Return the client of an instance, and create it with ``connect`` when it is the first one to ask."""
        with self._lock:
            if (connect, instance) not in self._clients:
                self._clients[connect, instance] = connect(instance)
            return cast("C", self._clients[connect, instance])

    def reset(self) -> None:
        """Close all clients and forget them."""
        with self._lock:
            while self._clients:
                self._clients.popitem()[1].close()


class AdoptionRegistry:
    """Which objects the resources of this program adopt."""

    def __init__(self) -> None:
        self.ids: dict[tuple[Hashable, ...], set[str]] = {}

    def reset(self) -> None:
        """Forget everything."""
        self.ids.clear()


class Process:
    """What a provider process remembers, in parts that each hold their own lock."""

    def __init__(self) -> None:
        self.clients = ClientPool()
        self.adoptions = AdoptionRegistry()

    def reset(self) -> None:
        """Become like a new process. Tests call this where a new ``pulumi`` command begins."""
        self.clients.reset()
        self.adoptions.reset()
        waiting.reset()


PROCESS = Process()
