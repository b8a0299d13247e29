"""The data of a service, and the data from before the last write request."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Store(Generic[T]):
    """The data of a service. The previous data simulates reads that are stale, as from a database replica.

    Attributes:
        lock: held while data is read or changed, so that each sees complete changes only.
        current: the current data.
    """

    def __init__(self, new: Callable[[], T]) -> None:
        self.lock = threading.RLock()
        self.current = new()
        self._new = new
        self._previous: T | None = None

    @property
    def previous(self) -> T:
        """The data from before the last successful write request."""
        return self.current if self._previous is None else self._previous

    def copy(self) -> T:
        """Return a deep copy of the current data."""
        with self.lock:
            return copy.deepcopy(self.current)

    def restore(self, copied: T) -> None:
        """Replace the current data by a copy made before."""
        with self.lock:
            self.current = copy.deepcopy(copied)
            self._previous = None

    def set_previous(self, before: T) -> None:
        """Store the data from before a write request."""
        with self.lock:
            self._previous = before

    def reset(self) -> None:
        """Restore the initial data."""
        with self.lock:
            self.current = self._new()
            self._previous = None
