"""What a service stores, and what it stored before the last change through its API."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Store(Generic[T]):
    """A service's data. The past is there for the reads that lag behind, as those of a replicated database do.

    Attributes:
        lock: held while data is used, so that the web page and the API never see half a change.
        current: what is stored.
    """

    def __init__(self, new: Callable[[], T]) -> None:
        self.lock = threading.RLock()
        self.current = new()
        self._new = new
        self._past: T | None = None

    @property
    def past(self) -> T:
        """What was stored before the last request that changed something."""
        return self.current if self._past is None else self._past

    def copy(self) -> T:
        """What is stored, safe from further changes."""
        with self.lock:
            return copy.deepcopy(self.current)

    def restore(self, copied: T) -> None:
        """Store again what was copied before."""
        with self.lock:
            self.current = copy.deepcopy(copied)
            self._past = None

    def changed(self, before: T) -> None:
        """Keep what was stored before a change that a request has made."""
        with self.lock:
            self._past = before

    def reset(self) -> None:
        """Begin anew."""
        with self.lock:
            self.current = self._new()
            self._past = None
