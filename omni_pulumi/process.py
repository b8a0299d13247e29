"""What one provider process remembers. The engine starts one process for each ``pulumi`` command.

A provider object has no attributes of its own, because the engine keeps it pickled in the state. Everything that
providers and threads share during a command is therefore here, in :data:`PROCESS`.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
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


Identity = tuple[Hashable, ...]
"""What an object is found by before it has an ID: name of the provider, URL of the instance, connection and name."""

ObjectKey = tuple[Hashable, ...]
"""What an object is known by: name of the provider, URL of the instance, Pulumi ID."""


class AdoptionRegistry:
    """Which objects the resources of this program manage, so that two resources never manage one object.

    A provider is not told the URN of a resource, so objects are claimed by their ID. A resource claims the object that
    it has in the state when the engine calls `diff` for it, and the object that it creates or adopts in `create`. The
    engine also calls `diff` in a refresh and to find the dependents of a replacement. Only the `diff` that follows the
    `check` of a program's resource is a claim.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._checked: Counter[Identity] = Counter()
        self._owners: dict[ObjectKey, str | None] = {}
        self._creating: dict[Identity, threading.Lock] = {}
        self._adopting: set[Identity] = set()
        self._failed: set[Identity] = set()
        self._deleted: set[Identity] = set()

    def expect_diff(self, identity: Identity) -> None:
        """Remember a `check` of a resource that is in the state: the next `diff` of this identity is the program's."""
        with self._lock:
            self._checked[identity] += 1

    def expect_adoption(self, identity: Identity) -> None:
        """Remember a `check` of a resource that is not in the state and may adopt an object."""
        with self._lock:
            self._adopting.add(identity)

    def claim_in_diff(self, identity: Identity, key: ObjectKey, profile: str | None) -> bool:
        """Claim the object that a resource has in the state, and tell whether no other resource manages it."""
        with self._lock:
            if not self._checked[identity]:
                return True
            self._checked[identity] -= 1
        return self.claim(key, profile)

    def claim(self, key: ObjectKey, profile: str | None) -> bool:
        """Claim an object that is created or adopted, and tell whether no other resource manages it."""
        with self._lock:
            if key in self._owners:
                return False
            self._owners[key] = profile
            return True

    def release(self, key: ObjectKey) -> None:
        """Give up a claim."""
        with self._lock:
            self._owners.pop(key, None)

    def is_claimed(self, key: ObjectKey) -> bool:
        """Return whether a resource of this program manages the object."""
        with self._lock:
            return key in self._owners

    def owner_of(self, key: ObjectKey) -> str | None:
        """Return the profile of the resource that manages an object that is claimed."""
        with self._lock:
            return self._owners.get(key)

    @contextlib.contextmanager
    def creating(self, identity: Identity) -> Iterator[bool]:
        """Let one create of an identity run after the other, and tell each one whether it is the first.

        A later one has to look at what the earlier ones have made, which may have used the key of another profile.
        """
        with self._lock:
            is_first = identity not in self._creating
            turn = self._creating.setdefault(identity, threading.Lock())
        with turn:
            try:
                yield is_first
            except BaseException:
                with self._lock:
                    if identity in self._adopting:
                        self._failed.add(identity)
                raise
            with self._lock:
                self._adopting.discard(identity)
                self._failed.discard(identity)

    def note_deletion(self, identity: Identity) -> None:
        """Remember that a refresh did not find the object of a resource, which the same command may create again."""
        with self._lock:
            self._deleted.add(identity)

    def was_deleted(self, identity: Identity) -> bool:
        """Return whether a refresh in this command did not find the object."""
        with self._lock:
            return identity in self._deleted

    def is_adopting(self, identity: Identity) -> bool:
        """Return whether a resource of this program is still to adopt an object of this identity."""
        with self._lock:
            return identity in self._adopting

    def adoption_failed(self, identity: Identity) -> bool:
        """Return whether a resource of this program failed to adopt an object of this identity."""
        with self._lock:
            return identity in self._failed

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._checked.clear()
            self._owners.clear()
            self._creating.clear()
            self._adopting.clear()
            self._failed.clear()
            self._deleted.clear()


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
