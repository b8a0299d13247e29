"""What one process remembers. The engine starts a process for the providers and one for the program in each command.

A provider object has no attribute before `configure`, because the engine keeps it pickled in the state. What changes
during a command and is shared by providers and threads is therefore here, in :data:`PROCESS`. Every layer may use it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from typing import NamedTuple, Protocol, TypeVar, cast

from omni_pulumi import notes
from omni_pulumi.errors import CancelledError
from omni_pulumi.redact import redact


class Closable(Protocol):
    """A client, which keeps connections open."""

    def close(self) -> None:
        """Close the connections."""


C = TypeVar("C", bound=Closable)
K = TypeVar("K", bound=Hashable)


class Cancellation:
    """Whether the user has cancelled the run, and waiting that ends when it is cancelled.

    A request that is being sent is not interrupted, so that its result reaches the state. Tests replace :meth:`sleep`
    to wait less.
    """

    _CHECK_INTERVAL = 0.05
    """Seconds."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """End all waiting in this process, now and from now on."""
        self._event.set()

    def sleep(self, seconds: float) -> None:
        """Wait.

        Args:
            seconds: how long.

        Raises:
            CancelledError: the run is cancelled.
        """
        self._wait(seconds)

    def wait_until(self, is_ready: Callable[[], bool]) -> None:
        """Wait until a condition is true.

        Args:
            is_ready: the condition, which is checked every 0.05 seconds.

        Raises:
            CancelledError: the run is cancelled.
        """
        while not is_ready():
            self._wait(self._CHECK_INTERVAL)

    def reset(self) -> None:
        """Forget a cancellation."""
        self._event.clear()

    def _wait(self, seconds: float) -> None:
        if self._event.wait(seconds):
            raise CancelledError("The run was cancelled. Run `pulumi up --refresh` to see what was applied.")


class ClientPool:
    """One client for each instance, shared by all providers and threads. A client holds the rate limit of its key."""

    def __init__(self) -> None:
        self._clients: dict[tuple[str, Hashable], Closable] = {}
        self._lock = threading.Lock()

    def get(self, service: str, instance: K, connect: Callable[[K], C]) -> C:
        """Return the client of an instance of a service, created with ``connect`` in the first call."""
        with self._lock:
            if (service, instance) not in self._clients:
                self._clients[service, instance] = connect(instance)
            return cast("C", self._clients[service, instance])

    def reset(self) -> None:
        """Close all clients and forget them."""
        with self._lock:
            while self._clients:
                self._clients.popitem()[1].close()


class Identity(NamedTuple):
    """What a create finds an object by.

    Attributes:
        kind: name of the provider.
        url: URL of the instance.
        values: values that each program declares.
        chosen: values that the service may choose, ``None`` for one that is not known.
    """

    kind: str
    url: str | None
    values: tuple[Hashable, ...]
    chosen: tuple[Hashable, ...] = ()

    def may_be(self, other: Identity) -> bool:
        """Return whether both may be the identity of one object."""
        return self[:3] == other[:3] and all(
            None in values or values[0] == values[1] for values in zip(self.chosen, other.chosen, strict=True)
        )


ObjectKey = tuple[Hashable, ...]
"""An object: name of the provider, URL of the instance, Pulumi ID."""


class _Owner(NamedTuple):
    """What the resource that manages an object declares."""

    identity: Identity
    profile: str | None


class ClaimRegistry:
    """Which objects the resources of this program manage, so that two resources never manage one object.

    The engine does not tell a provider the URN of a resource, so objects are claimed by their ID. It calls, for a
    resource that is:

    - in the state and in the program: `check`, then `diff`. The `diff` claims the object in the state.
    - only in the program: `check`, then `create`, which claims the object that it adopts or creates.
    - replaced by `--replace` or `taint`: the same, and before or after the `create` also `delete`.
    - only in the state: `delete`, which skips an object that is claimed.

    It also calls `diff` in a refresh and for the dependents of a replacement. No `check` precedes these calls, so they
    claim nothing. A forced replacement has no `diff`: it calls `check` twice, and the second time like a create.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._checked: Counter[Identity] = Counter()
        self._created: set[Identity] = set()
        self._owners: dict[ObjectKey, _Owner] = {}
        self._turns: dict[Identity, threading.Lock] = {}
        self._adopting: set[Identity] = set()
        self._failed: set[Identity] = set()
        self._deleted: set[tuple[Identity, str | None]] = set()

    def expect_diff(self, identity: Identity) -> None:
        """Note a `check` of a resource that is in the state. The next `diff` of this identity is the program's."""
        with self._lock:
            self._checked[identity] += 1

    def creates_with(self, url: str | None, value: Hashable) -> bool:
        """Return whether a resource of an instance that is to be created has a value in its identity."""
        with self._lock:
            return any(url == identity.url and value in identity.values for identity in self._created)

    def expect_create(self, identity: Identity, *, may_adopt: bool) -> None:
        """Note a `check` of a resource that is not in the state, or is replaced, and whether it may adopt an object."""
        with self._lock:
            self._created.add(identity)
            self._checked.pop(identity, None)
            if may_adopt:
                self._adopting.add(identity)

    def is_diff_of_program(self, identity: Identity) -> bool:
        """Return whether a `check` has announced this `diff`, which is then no longer expected."""
        with self._lock:
            if not self._checked[identity]:
                return False
            self._checked[identity] -= 1
            return True

    def claim(self, key: ObjectKey, identity: Identity, profile: str | None) -> bool:
        """Claim an object for a resource. Return ``False`` when another resource manages it.

        Args:
            key: the object.
            identity: what the program declares.
            profile: the profile of the resource.
        """
        with self._lock:
            if key in self._owners:
                return False
            self._owners[key] = _Owner(identity, profile)
            return True

    def release(self, key: ObjectKey) -> None:
        """Give up a claim."""
        with self._lock:
            self._owners.pop(key, None)

    def is_claimed(self, key: ObjectKey) -> bool:
        """Return whether a resource of this program manages the object."""
        with self._lock:
            return key in self._owners

    def profile_of_owner(self, key: ObjectKey) -> str | None:
        """Return the profile of the resource that manages an object that is claimed."""
        with self._lock:
            owner = self._owners.get(key)
            return None if owner is None else owner.profile

    def gives_up(self, key: ObjectKey, identity: Identity) -> bool:
        """Return whether the resource that manages an object declares another identity."""
        with self._lock:
            owner = self._owners.get(key)
            return owner is not None and not owner.identity.may_be(identity)

    @contextlib.contextmanager
    def turn(self, identity: Identity) -> Iterator[bool]:
        """Run the writes that may give an object one identity one after the other. Tell each whether it is the first.

        A later one must read what the earlier ones have written, even with the key of another profile. The service may
        choose the same values for a resource that leaves them out.
        """
        key = identity._replace(chosen=())
        with self._lock:
            is_first = key not in self._turns
            turn = self._turns.setdefault(key, threading.Lock())
        with turn:
            yield is_first

    @contextlib.contextmanager
    def creating(self, identity: Identity) -> Iterator[bool]:
        """Run a create in its :meth:`turn`, and note whether it adopts an object or fails to."""
        with self.turn(identity) as is_first:
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

    def note_deletion(self, identity: Identity, profile: str | None) -> None:
        """Note that a refresh did not find the object of a resource. The same command may create it again."""
        with self._lock:
            self._deleted.add((identity, profile))

    def was_deleted(self, identity: Identity, profile: str | None) -> bool:
        """Return whether a refresh in this command did not find the object of a resource."""
        with self._lock:
            return (identity, profile) in self._deleted

    def is_adopting(self, identity: Identity) -> bool:
        """Return whether a resource of this program has yet to adopt an object that may have this identity."""
        with self._lock:
            return any(map(identity.may_be, self._adopting))

    def adoption_failed(self, identity: Identity) -> bool:
        """Return whether a resource of this program failed to adopt an object that may have this identity."""
        with self._lock:
            return any(map(identity.may_be, self._failed))

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._checked.clear()
            self._created.clear()
            self._owners.clear()
            self._turns.clear()
            self._adopting.clear()
            self._failed.clear()
            self._deleted.clear()


class Log:
    """The log of this package on stderr, which the engine displays. ``pulumi.log`` has no effect in a provider."""

    def __init__(self) -> None:
        self._handler: logging.Handler | None = None
        self._logger = logging.getLogger("omni_pulumi")

    def install(self) -> None:
        """Send the log to stderr, unless it has another handler. ``OMNI_PULUMI_LOG=debug`` logs each request."""
        if not self._logger.handlers:
            self._handler = logging.StreamHandler(sys.stderr)
            self._handler.setFormatter(_MaskingFormatter(f"{notes.PREFIX}%(message)s"))
            self._logger.addHandler(self._handler)
            self._logger.propagate = False
        self._logger.setLevel(logging.DEBUG if os.environ.get("OMNI_PULUMI_LOG") == "debug" else logging.INFO)

    def reset(self) -> None:
        """Remove the handler."""
        if self._handler is not None:
            self._logger.removeHandler(self._handler)


class _MaskingFormatter(logging.Formatter):
    """Masks secrets."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class Process:
    """What a provider process remembers. Each part holds its own lock.

    Attributes:
        clients: one client for each instance.
        claims: which objects the resources of the program manage.
        cancellation: whether the user has cancelled the run.
        log: the log on stderr.
        clock: returns the time in seconds, by which cached results expire. Tests replace it.
        unchanged: the resources whose last `check` found the inputs that are in the state.
    """

    def __init__(self) -> None:
        self.clients = ClientPool()
        self.claims = ClaimRegistry()
        self.cancellation = Cancellation()
        self.log = Log()
        self.clock: Callable[[], float] = time.monotonic
        self.unchanged: set[Identity] = set()

    def reset(self) -> None:
        """Become like a new process. Tests call this where a new ``pulumi`` command begins."""
        self.clients.reset()
        self.claims.reset()
        self.cancellation.reset()
        self.log.reset()
        self.unchanged.clear()


PROCESS = Process()
