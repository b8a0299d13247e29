"""Sends a read once for all threads that need it within a few seconds, and applies our own writes to its result.

The engine runs four operations at a time, and all environments of a connection are in one list. What the service
answers to a write is put into that list, so that the next operation does not read it again.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from omni_pulumi.process import PROCESS

T = TypeVar("T")

_MAX_AGE: Final = 5.0
"""Seconds for which a provider uses a response."""


@dataclass
class _Read(Generic[T]):
    result: Future[T]
    started: float
    changes: list[Callable[[T], T]] = field(default_factory=list)
    """Writes that ended while the read was under way. Its result may lack them."""


class ReadCache(Generic[T]):
    """Results of reads by key. Safe to share between threads."""

    def __init__(self, max_age: float = _MAX_AGE) -> None:
        """Begin without a result.

        Args:
            max_age: seconds for which a result is used.
        """
        self._max_age = max_age
        self._reads: dict[Hashable, _Read[T]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, read: Callable[[], T]) -> T:
        """Return the result for a key: of a read that is under way or new enough, otherwise of ``read``.

        Raises:
            Exception: what the read raised, in each thread that waited for it.
        """
        with self._lock:
            cached = self._reads.get(key)
            if cached is not None and (not cached.result.done() or PROCESS.clock() - cached.started < self._max_age):
                started = None
            else:
                started = cached = _Read(Future(), PROCESS.clock())
                self._reads[key] = started
        if started is not None:
            self._run(key, started, read)
        return cached.result.result()

    def invalidate(self, key: Hashable) -> None:
        """Use no result for a key of a read that began before now."""
        with self._lock:
            self._reads.pop(key, None)

    def invalidate_all(self) -> None:
        """Use no result of a read that began before now."""
        with self._lock:
            self._reads.clear()

    @contextlib.contextmanager
    def writing(self, key: Hashable) -> Iterator[Callable[[Callable[[T], T]], None]]:
        """Run a write, and apply what it changes to the result for a key. Its age stays that of the read.

        The write passes a function that returns the changed result. If it passes none, or fails, the key is
        invalidated: only a read shows what the service has.
        """
        changes: list[Callable[[T], T]] = []
        try:
            yield changes.append
        except BaseException:
            changes.clear()
            raise
        finally:
            self._apply(key, changes)

    def _apply(self, key: Hashable, changes: list[Callable[[T], T]]) -> None:
        with self._lock:
            cached = self._reads.get(key)
            if cached is None:
                return
            if not changes:
                del self._reads[key]
            elif cached.result.done():
                result: Future[T] = Future()
                result.set_result(_changed(cached.result.result(), changes))
                cached.result = result
            else:
                cached.changes += changes

    def _run(self, key: Hashable, started: _Read[T], read: Callable[[], T]) -> None:
        try:
            result = read()
            with self._lock:
                started.result.set_result(_changed(result, started.changes))
        except BaseException as error:
            with self._lock:
                if self._reads.get(key) is started:
                    del self._reads[key]
            started.result.set_exception(error)
            if not isinstance(error, Exception):
                raise


def _changed(result: T, changes: list[Callable[[T], T]]) -> T:
    for change in changes:
        result = change(result)
    return result
