"""Reads that several threads need at the same moment are sent once.

The engine refreshes four resources at a time, and all environments of a connection are in the same list.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

_SECONDS = 5.0
"""How long an answer serves those who ask next."""

clock = time.monotonic
"""The clock that tells the age of an answer. Tests replace it."""


@dataclass
class _Read(Generic[T]):
    result: Future[T]
    at: float


class SharedReads(Generic[T]):
    """Answers by key, each read once for all who ask at about the same time, until it is forgotten."""

    def __init__(self) -> None:
        self._reads: dict[Hashable, _Read[T]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, read: Callable[[], T]) -> T:
        """The answer for ``key``: one that is under way or a few seconds old, or else that of ``read``.

        Raises:
            Exception: what ``read`` raised, to all who waited for it.
        """
        with self._lock:
            known = self._reads.get(key)
            if known is not None and clock() - known.at < _SECONDS:
                mine = None
            else:
                mine = known = _Read(Future(), clock())
                self._reads[key] = mine
        if mine is not None:
            self._fill(key, mine, read)
        return known.result.result()

    def forget(self, key: Hashable) -> None:
        """Do not let anyone have an answer from before now."""
        with self._lock:
            self._reads.pop(key, None)

    def forget_all(self) -> None:
        """Do not let anyone have any answer from before now."""
        with self._lock:
            self._reads.clear()

    @contextlib.contextmanager
    def writing(self, key: Hashable) -> Iterator[None]:
        """Let no answer from before the end of a write serve anyone after it."""
        try:
            yield
        finally:
            self.forget(key)

    def _fill(self, key: Hashable, mine: _Read[T], read: Callable[[], T]) -> None:
        try:
            mine.result.set_result(read())
        except BaseException as error:
            with self._lock:
                if self._reads.get(key) is mine:
                    del self._reads[key]
            mine.result.set_exception(error)
            if not isinstance(error, Exception):
                raise
