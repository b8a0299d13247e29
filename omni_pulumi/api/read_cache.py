"""Sends a read once for all threads that need it within a few seconds.

The engine refreshes four resources at a time, and all environments of a connection are in one list.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from omni_pulumi.process import PROCESS

T = TypeVar("T")

_MAX_AGE: Final = 5.0
"""Seconds for which a response is used."""


@dataclass
class _Read(Generic[T]):
    result: Future[T]
    started: float


class ReadCache(Generic[T]):
    """Results of reads by key. Safe to share between threads."""

    def __init__(self) -> None:
        self._reads: dict[Hashable, _Read[T]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, read: Callable[[], T]) -> T:
        """Return the result for a key: of a read that is under way or at most 5 seconds old, otherwise of ``read``.

        Raises:
            Exception: what the read raised, in each thread that waited for it.
        """
        with self._lock:
            cached = self._reads.get(key)
            if cached is not None and PROCESS.clock() - cached.started < _MAX_AGE:
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
    def invalidating(self, key: Hashable) -> Iterator[None]:
        """Run a write, and invalidate a key when it ends, even with an error."""
        try:
            yield
        finally:
            self.invalidate(key)

    def _run(self, key: Hashable, started: _Read[T], read: Callable[[], T]) -> None:
        try:
            started.result.set_result(read())
        except BaseException as error:
            with self._lock:
                if self._reads.get(key) is started:
                    del self._reads[key]
            started.result.set_exception(error)
            if not isinstance(error, Exception):
                raise
